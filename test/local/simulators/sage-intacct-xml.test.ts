/** Sage Intacct's XML gateway, quirk by quirk. */
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  mishaps,
  type SageIntacctXml,
  type SageIntacctXmlFacts,
  startSageIntacctXml,
} from '../../../local/simulators/sage-intacct-xml.ts';
import { memberAt } from '../../../shared/domain/members.ts';
import { manualClock } from './manual-clock.ts';

const parser = new XMLParser({ parseTagValue: false });

async function gateway(facts: Partial<SageIntacctXmlFacts> = {}, speed = 1) {
  const clock = manualClock(speed);
  const sage = await startSageIntacctXml({ clock, facts });
  onTestFinished(() => sage.close());
  return { clock, sage };
}

interface Asked {
  readonly sender_password?: string;
  readonly user_password?: string;
  readonly entity?: string;
  /** Instead of a sign-in. */
  readonly session?: string;
  readonly unique?: boolean;
  readonly functions?: string;
}

const getSession = '<function controlid="s1"><getAPISession/></function>';
const create = (controlid: string, name: string) =>
  `<function controlid="${controlid}"><create><VENDOR><NAME>${name}</NAME></VENDOR></create></function>`;
const query = '<function controlid="q1"><query><object>VENDOR</object></query></function>';

async function send(sage: SageIntacctXml, body: string) {
  const response = await fetch(sage.gateway, { method: 'POST', headers: { 'content-type': 'application/xml' }, body });
  const text = await response.text();
  const document: unknown = parser.parse(text);
  return { status: response.status, text, at: (path: string) => memberAt(document, `response.${path}`) };
}

/** Asks as Sage's SDK does. */
function ask(
  sage: SageIntacctXml,
  { entity, session, unique = false, functions = getSession, ...passwords }: Asked = {},
) {
  const { sender_id, sender_password, company_id, user_id, user_password } = { ...sage.credentials, ...passwords };
  const location = entity === undefined ? '' : `<locationid>${entity}</locationid>`;
  const login = `<login><userid>${user_id}</userid><companyid>${company_id}</companyid>${location}<password>${user_password}</password></login>`;
  return send(
    sage,
    `<?xml version="1.0" encoding="UTF-8"?><request>
      <control><senderid>${sender_id}</senderid><password>${sender_password}</password><controlid>c1</controlid>
        <uniqueid>${unique}</uniqueid><dtdversion>3.0</dtdversion><includewhitespace>false</includewhitespace></control>
      <operation><authentication>${session === undefined ? login : `<sessionid>${session}</sessionid>`}</authentication>
        <content>${functions}</content></operation></request>`,
  );
}

const errorAt = (answer: Awaited<ReturnType<typeof ask>>, level: string) =>
  answer.at(`${level}errormessage.error.errorno`);
const sessionOf = (answer: Awaited<ReturnType<typeof ask>>) => String(answer.at('operation.result.data.api.sessionid'));

describe('a session', () => {
  test('is given for the credentials, with where to use it and until when, in local time', async () => {
    const { sage } = await gateway();
    const answer = await ask(sage);
    expect([answer.status, answer.at('control.status'), answer.at('operation.authentication.status')]).toEqual([
      200,
      'success',
      'success',
    ]);
    expect(answer.at('operation.result.data.api')).toEqual({
      sessionid: expect.any(String),
      endpoint: 'https://api.intacct.com/ia/xml/xmlgw.phtml',
      locationid: '',
    });
    expect(answer.at('operation.authentication.sessiontimestamp')).toBe('2026-01-15T05:00:30-07:00');
    expect(answer.at('operation.authentication.sessiontimeout')).toBe('2026-01-16T05:00:30-07:00');
  });

  test('serves other functions until it has not been used for so long', async () => {
    const { sage, clock } = await gateway({ sessionSeconds: 3_600 });
    const session = sessionOf(await ask(sage));
    clock.advance(3_599_999);
    expect((await ask(sage, { session, functions: query })).at('operation.result.status')).toBe('success');
    clock.advance(3_599_999);
    expect((await ask(sage, { session, functions: query })).at('operation.result.status')).toBe('success');
    clock.advance(3_600_000);
    expect(errorAt(await ask(sage, { session, functions: query }), 'operation.')).toBe('XL03000006');
  });

  test.each([
    ['lives', 'success'],
    ['dies', undefined],
  ] as const)('%s when there is another one', async (earlierSession, status) => {
    const { sage } = await gateway({ earlierSession });
    const session = sessionOf(await ask(sage));
    const other = sessionOf(await ask(sage));
    expect((await ask(sage, { session, functions: query })).at('operation.result.status')).toBe(status);
    expect((await ask(sage, { session: other, functions: query })).at('operation.result.status')).toBe('success');
  });

  test('may be one of an entity that there is', async () => {
    const { sage } = await gateway();
    expect((await ask(sage, { entity: 'E100' })).at('operation.result.data.api.locationid')).toBe('E100');
    const unknown = await ask(sage, { entity: 'E999' });
    expect([unknown.at('operation.authentication.status'), errorAt(unknown, 'operation.result.')]).toEqual([
      'success',
      'BL01001973',
    ]);
  });

  test('is not given beside other functions', async () => {
    const { sage } = await gateway();
    const answer = await ask(sage, { functions: getSession + query });
    expect(answer.text).toContain('XL03000009');
    expect(sage.sessions.size).toBe(0);
  });
});

describe('an error is told at its level:', () => {
  test('the sender at control level, where nothing was run', async () => {
    const { sage } = await gateway();
    const answer = await ask(sage, { sender_password: 'guess', functions: create('1', 'a') });
    expect([answer.status, answer.at('control.status'), errorAt(answer, '')]).toEqual([200, 'failure', 'XL03000006']);
    expect(answer.at('errormessage.error.description2')).toBe('Incorrect Intacct XML Partner ID or password.');
    expect(sage.vendors).toEqual([]);
  });

  test.each(['operation', 'authentication'] as const)(
    'the sign-in at operation level, with the message in the %s',
    async (signInErrorAt) => {
      const { sage } = await gateway({ signInErrorAt, errorStatus: 400 });
      const answer = await ask(sage, { user_password: 'guess' });
      expect([answer.status, answer.at('control.status'), answer.at('operation.authentication.status')]).toEqual([
        400,
        'success',
        'failure',
      ]);
      expect(errorAt(answer, signInErrorAt === 'operation' ? 'operation.' : 'operation.authentication.')).toBe(
        'XL03000006',
      );
    },
  );

  test.each(['', 'a=b', '<request></request>', '<request><control>', '<!DOCTYPE x []><request/>'])(
    'what is no request at control level: %j',
    async (body) => {
      const { sage } = await gateway();
      const answer = await send(sage, body);
      expect([answer.at('control.status'), errorAt(answer, '')]).toEqual(['failure', 'XL03000003']);
    },
  );
});

test('a user is locked after so many refused sign-ins in a row, until there is another password', async () => {
  const { sage } = await gateway({ signInsBorne: 2 });
  const refused = async (user_password?: string) =>
    errorAt(await ask(sage, user_password === undefined ? {} : { user_password }), 'operation.') !== undefined;
  expect([
    await refused('guess'),
    await refused(),
    await refused('guess'),
    await refused('guess'),
    await refused(),
  ]).toEqual([true, false, true, true, true]);
  sage.changeUserPassword('new');
  expect([await refused(), await refused('new')]).toEqual([true, false]);
});

test('a sender whose password was changed has to know the new one', async () => {
  const { sage } = await gateway();
  sage.changeSenderPassword('new');
  expect(errorAt(await ask(sage), '')).toBe('XL03000006');
  expect((await ask(sage, { sender_password: 'new' })).at('control.status')).toBe('success');
});

describe('a call whose answer was lost', () => {
  test.each([
    ['same_result', 'success'],
    ['refused', 'failure'],
  ] as const)('is not carried out again under the same control id: %s', async (resubmission, status) => {
    const { sage } = await gateway({ resubmission });
    sage.next(mishaps.midProcess);
    const lost = await ask(sage, { unique: true, functions: create('v1', 'Acme') });
    expect([lost.status, lost.text, sage.vendors]).toEqual([500, '', ['Acme']]);
    expect((await ask(sage, { unique: true, functions: create('v1', 'Acme') })).at('operation.result.status')).toBe(
      status,
    );
    await ask(sage, { unique: true, functions: create('v2', 'Other') });
    expect(sage.vendors).toEqual(['Acme', 'Other']);
  });

  test('is carried out twice where nobody said that ids are unique', async () => {
    const { sage } = await gateway();
    for (const _ of [1, 2]) await ask(sage, { functions: create('v1', 'Acme') });
    expect(sage.vendors).toEqual(['Acme', 'Acme']);
  });
});

test('too many calls are told with 429, and the ledger has the errors of the XML but no secret', async () => {
  const { sage } = await gateway();
  sage.next(mishaps.throttled('5'), mishaps.inactive);
  expect((await ask(sage)).status).toBe(429);
  expect(errorAt(await ask(sage), '')).toBe('GW-0011');
  await ask(sage, { user_password: 'guess' });
  await ask(sage);
  expect(sage.ledger.map(({ status, error }) => [status, error])).toEqual([
    [429, 'GW-0010'],
    [200, 'GW-0011'],
    [200, 'XL03000006'],
    [200, undefined],
  ]);
  expect(JSON.stringify(sage.ledger)).not.toContain(sage.credentials.user_password);
});
