import { describe, expect, test } from 'vitest';
import { xmlMembers } from '../../shared/providers/xml.ts';
import { now, obtain, startLoopback, tokensOf } from './loopback.ts';

const secrets = { sender_password: 'sp<&>"', user_password: 'up' };
const settings = (url: string, more: object = {}) => ({
  token_endpoint: `${url}/ia/xml/xmlgw.phtml`,
  sender_id: 'sender',
  company_id: 'company',
  user_id: 'user',
  ...more,
});
const status = (value: string) => `<status>${value}</status>`;
const control = (value = 'success') =>
  `<control>${status(value)}<senderid>sender</senderid><controlid>x</controlid></control>`;
const failed = (errorno: string, description2: string) =>
  `<errormessage><error><errorno>${errorno}</errorno><description></description><description2>${description2}</description2></error></errormessage>`;
const response = (inner: string) => `<?xml version="1.0" encoding="UTF-8"?>\n<response>${inner}</response>`;
const authenticated = `<authentication>${status('success')}<userid>user</userid><sessiontimestamp>2026-03-01T04:00:00-08:00</sessiontimestamp>
  <sessiontimeout>2026-03-01T09:30:00-08:00</sessiontimeout></authentication>`;
const session = (
  endpoint: string,
) => `<result>${status('success')}<function>getAPISession</function><controlid>x</controlid>
  <data><api><sessionid>tjnRtK-aB.12</sessionid><endpoint>${endpoint}</endpoint><locationid></locationid></api></data></result>`;
const good = (endpoint: string) => response(`${control()}<operation>${authenticated}${session(endpoint)}</operation>`);
const own = 'https://eu03.intacct.com/ia/xml/xmlgw.phtml';

const asked = async (body: string, http = 200) =>
  obtain('sage-intacct-xml', settings((await startLoopback(http, body, 'application/xml')).url), secrets);

describe('an Intacct session', () => {
  test('is asked for in one request, with what is special in XML escaped', async () => {
    const { url, seen } = await startLoopback(200, good(own), 'application/xml');
    await obtain('sage-intacct-xml', settings(url), secrets);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.headers['content-type']).toBe('application/xml');
    expect(seen[0]?.headers).not.toHaveProperty('authorization');
    const body = seen[0]?.body ?? '';
    expect(body).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?><request><control>/);
    expect(body).not.toContain(secrets.sender_password);
    const id = 'b2c5f1d0-0000-4000-8000-000000000001';
    expect(body).toContain(`<function controlid="${id}"><getAPISession`);
    expect(xmlMembers(body)).toMatchObject({
      request: {
        control: {
          senderid: 'sender',
          password: secrets.sender_password,
          controlid: id,
          uniqueid: 'false',
          dtdversion: '3.0',
        },
        operation: { authentication: { login: { userid: 'user', companyid: 'company', password: 'up' } } },
      },
    });
    expect(body).not.toContain('locationid');
  });

  test('may be one of an entity', async () => {
    const { url, seen } = await startLoopback(200, good(own), 'application/xml');
    await obtain('sage-intacct-xml', settings(url, { entity_id: 'E100' }), secrets);
    expect(seen[0]?.body).toContain(
      '<companyid>company</companyid><locationid>E100</locationid><password>up</password>',
    );
  });

  test('ends when the reply says, and is used where it says', async () => {
    const tokens = tokensOf(await asked(good(own)));
    expect(tokens).toMatchObject({ tokenType: 'N_A', expiresAt: now + 5.5 * 3_600_000, companions: { endpoint: own } });
    expect(tokens.accessToken.reveal()).toBe('tjnRtK-aB.12');
    expect(tokens.companions).not.toHaveProperty('secrets');
  });

  test.each([
    'http://eu03.intacct.com/ia/xml/xmlgw.phtml',
    'https://intacct.com.evil.example/ia',
    'https://eu03.intacct.com.evil.example/ia',
    'https://evilintacct.com/ia',
    'https://user@eu03.intacct.com/ia',
    'https://evil.example/?.intacct.com',
    'ia/xml/xmlgw.phtml',
    '',
  ])('that would be used elsewhere is refused: %s', async (endpoint) => {
    expect(await asked(good(endpoint))).toMatchObject({
      kind: 'failure',
      class: 'transient',
      code: 'endpoint_not_allowed',
    });
  });

  test('that would be used nowhere is refused', async () => {
    const nowhere = good(own).replace(`<endpoint>${own}</endpoint>`, '');
    expect(await asked(nowhere)).toMatchObject({ kind: 'failure', code: 'endpoint_not_allowed' });
  });
});

describe('an error, by its level', () => {
  const sender = 'Incorrect Intacct XML Partner ID or password.';
  const login = 'Sign-in information is incorrect';
  const refused = `<authentication>${status('failure')}<userid>user</userid></authentication>`;
  test.each<[string, string, object]>([
    [
      'control, the sender',
      response(`${control('failure')}${failed('XL03000006', sender)}`),
      { class: 'misconfigured', cause: 'invalid_client', code: 'xl03000006', description: sender },
    ],
    [
      'control, the XML',
      response(`${control('failure')}${failed('XL03000003', 'XML parse error')}`),
      { class: 'misconfigured', cause: 'invalid_request' },
    ],
    [
      'control, something else',
      response(`${control('failure')}${failed('XL03000099', 'no')}`),
      { class: 'transient', retryAt: now + 300_000 },
    ],
    [
      'authentication',
      response(`${control()}<operation>${refused}${failed('XL03000006', login)}</operation>`),
      { class: 'misconfigured', cause: 'invalid_client', description: login },
    ],
    [
      'authentication, the message inside',
      response(
        `${control()}<operation>${refused.replace('</authentication>', `${failed('XL03000006', login)}</authentication>`)}</operation>`,
      ),
      { class: 'misconfigured', cause: 'invalid_client', description: login },
    ],
    [
      'function',
      response(
        `${control()}<operation>${authenticated}<result>${status('failure')}${failed('BL01001973', 'no such entity')}</result></operation>`,
      ),
      { class: 'misconfigured', cause: 'invalid_request', description: 'no such entity' },
    ],
    [
      'gateway, throttled',
      response(`${control('failure')}${failed('GW-0010', 'Too many requests')}`),
      { class: 'transient', retryAt: now + 60_000 },
    ],
    [
      'gateway, inactive',
      response(`${control('failure')}${failed('GW-0011', 'Invalid Request')}`),
      { class: 'misconfigured', cause: 'invalid_client' },
    ],
    [
      'several: the first counts',
      response(
        control('failure') + failed('GW-0010', 'a').replace('</error>', '</error><error><errorno>X</errorno></error>'),
      ),
      { code: 'gw-0010' },
    ],
    ['a page for people', '<html><body>maintenance</body></html>', { class: 'in_doubt', code: 'no_access_token' }],
    ['no XML', '{"a":1}', { class: 'in_doubt', code: 'unreadable_reply' }],
    ['a document type', `<!DOCTYPE r [<!ENTITY a "b">]>${good(own)}`, { class: 'in_doubt', code: 'unreadable_reply' }],
  ])('%s', async (_, body, expected) => {
    expect(await asked(body)).toMatchObject({ kind: 'failure', ...expected });
  });

  test('throttled with 429, or no answer of the gateway', async () => {
    expect(await asked(response(`${control('failure')}${failed('GW-0010', 'a')}`), 429)).toMatchObject({
      class: 'transient',
      code: 'http_429',
    });
    expect(await asked('', 500)).toMatchObject({ class: 'in_doubt', code: 'http_500' });
  });
});
