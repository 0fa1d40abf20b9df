/** IXON: access tokens for a user, the API that takes them, and what is said of everything that is wrong. */
import { Secret, TOTP } from 'otpauth';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Ixon, type IxonFacts, startIxon } from '../../../local/simulators/ixon.ts';
import { serverErrors } from '../../../local/simulators/ixon-replies.ts';
import { manualClock } from './manual-clock.ts';

/** A simulator for one test, at a clock that stands still. */
async function ixonFor(facts: Partial<IxonFacts> = {}, speed = 1) {
  const clock = manualClock(speed);
  const ixon = await startIxon({ clock, facts });
  onTestFinished(() => ixon.close());
  const otp = (seed = ixon.user.otpSeed) =>
    new TOTP({ secret: Secret.fromBase32(seed) }).generate({ timestamp: clock.now() });
  return { clock, ixon, otp };
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly data: { readonly publicId?: string; readonly secretId?: string; readonly expiresOn?: string };
}

async function call(
  url: string,
  headers: Readonly<Record<string, string | undefined>>,
  method = 'GET',
  body?: string,
): Promise<Answered> {
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const response = await fetch(url, { method, headers: given, ...(body !== undefined && { body }) });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    data: text.startsWith('{') ? JSON.parse(text).data : {},
  };
}

const basic = (email: string, otp: string, password: string): string =>
  `Basic ${Buffer.from(`${email}:${otp}:${password}`).toString('base64')}`;

interface Wanted {
  readonly otp?: string;
  readonly password?: string;
  readonly body?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** Asks for a token, right unless the test wants something else. */
function mint(
  { user, tokenEndpoint }: Ixon,
  { otp = '', password = user.password, body = '{"expiresIn":3600}', url = tokenEndpoint, headers }: Wanted = {},
) {
  const usual = {
    'Api-Version': '2',
    'Api-Application': user.applicationId,
    Authorization: basic(user.email, otp, password),
  };
  return call(url, { ...usual, 'Content-Type': 'application/json', ...headers }, 'POST', body);
}

/** Asks the API for something, right unless the test wants something else. */
const agents = (
  { user, companyId, apiEndpoint }: Ixon,
  token = '',
  headers: Readonly<Record<string, string | undefined>> = {},
) =>
  call(apiEndpoint, {
    'Api-Version': '2',
    'Api-Application': user.applicationId,
    'Api-Company': companyId,
    Authorization: `Bearer ${token}`,
    ...headers,
  });

const said = (message: string, propertyName?: string): string =>
  JSON.stringify({
    type: 'Error',
    data: [{ message, ...(propertyName && { propertyName }) }],
    moreAfter: null,
    status: 'error',
  });

describe('a token', () => {
  test('comes for e-mail address and password, lives as long as was asked for, and opens the API until then', async () => {
    const { ixon, clock } = await ixonFor();
    const { status, data } = await mint(ixon);
    expect(status).toBe(201);
    expect(data).toEqual({
      publicId: expect.stringMatching(/^[0-9a-zA-Z]{12}$/),
      secretId: expect.stringMatching(/^[0-9a-zA-Z]{32}$/),
      expiresOn: '2026-01-15T13:00:30.000Z',
    });
    clock.advance(3_599_999);
    expect((await agents(ixon, data.secretId)).status).toBe(200);
    clock.advance(1);
    const expired = await agents(ixon, data.secretId);
    expect([expired.status, expired.text]).toEqual([401, said('Invalid value', 'Authorization')]);
  });

  test('lives as long as the switch says, whatever was asked for', async () => {
    const { ixon } = await ixonFor({ lifetimeSeconds: 12 });
    expect((await mint(ixon)).data.expiresOn).toBe('2026-01-15T12:00:42.000Z');
  });

  test('stands beside the one before it', async () => {
    const { ixon } = await ixonFor();
    const [first, second] = [await mint(ixon), await mint(ixon)];
    expect(second.data.secretId).not.toBe(first.data.secretId);
    for (const { data } of [first, second]) expect((await agents(ixon, data.secretId)).status).toBe(200);
  });

  test.each([
    [{}, ['publicId']],
    [{ sparse: false }, ['expiresOn', 'publicId', 'secretId', 'user']],
  ])('is told without any fields being asked for, with %j, as %j', async (facts, members) => {
    const { ixon } = await ixonFor(facts);
    expect(Object.keys((await mint(ixon, { url: `${ixon.url}/api/access-tokens` })).data).sort()).toEqual(members);
  });

  test.each([
    ['{"expiresIn":59}', 'Invalid value'],
    ['{"expiresIn":5184001}', 'Invalid value'],
    ['{"expiresIn":"3600"}', 'Invalid value'],
    ['{}', 'Required property'],
    ['expiresIn=3600', 'Required property'],
  ])('is not given for %s', async (body, message) => {
    const { ixon } = await ixonFor();
    const { status, text } = await mint(ixon, { body });
    expect([status, text]).toEqual([400, said(message, 'expiresIn')]);
  });

  test('can be asked about and ended by itself', async () => {
    const { ixon } = await ixonFor();
    const { secretId, publicId } = (await mint(ixon)).data;
    const headers = {
      'Api-Version': '2',
      'Api-Application': ixon.user.applicationId,
      Authorization: `Bearer ${secretId}`,
    };
    const own = `${ixon.url}/api/access-tokens/me`;
    expect((await call(own, headers)).data).toEqual({ publicId });
    expect((await call(own, headers, 'DELETE')).status).toBe(200);
    expect((await call(own, headers)).status).toBe(401);
  });
});

describe('a login', () => {
  test('with another password is refused, with the right one goes on', async () => {
    const { ixon } = await ixonFor({ credentialsStatus: 400 });
    const { status, text } = await mint(ixon, { password: 'guess' });
    expect([status, text]).toEqual([400, said('Invalid value', 'Authorization')]);
    expect((await mint(ixon)).status).toBe(201);
    const { password } = ixon.user;
    ixon.changePassword('pä:ss');
    expect([(await mint(ixon)).status, (await mint(ixon, { password })).status]).toEqual([201, 400]);
  });

  test.each([
    ['Invalid value', said('Invalid value', 'Authorization')],
    ['Account is locked', said('Account is locked')],
  ])('is locked after more than ten wrong ones in a row, and told: %s', async (lockedMessage, text) => {
    const { ixon } = await ixonFor({ lockedMessage });
    for (const times of [10, 1, 11]) {
      for (let wrong = 0; wrong < times; wrong += 1) await mint(ixon, { password: 'guess' });
      if (times <= 10) expect((await mint(ixon)).status).toBe(201);
    }
    const locked = await mint(ixon);
    expect([locked.status, locked.text]).toEqual([401, text]);
    ixon.unlock();
    expect((await mint(ixon)).status).toBe(201);
  });

  test.each<[string, string | undefined]>([
    ['Required header', undefined],
    ['Authorization must start with a type and have a credentials', 'Basic'],
    ['Authorization must start with a type and have a credentials', 'Basic YTpi OmM='],
    ['Value does not match regex expression', 'Basic a:b:c'],
    ['Invalid value', `Basic ${btoa('jo@example.com:password')}`],
    ['Invalid value', 'Bearer abc'],
  ])('is told "%s" of the header Authorization: %s', async (message, authorization) => {
    const { ixon } = await ixonFor();
    const { status, text } = await mint(ixon, { headers: { Authorization: authorization } });
    expect([status, text]).toEqual([400, said(message, 'Authorization')]);
  });
});

describe('a second factor', () => {
  test('that is enforced and not there is told', async () => {
    const { ixon } = await ixonFor({ secondFactor: true });
    const { status, text } = await mint(ixon);
    expect([status, text]).toEqual([403, said('2FA is required')]);
  });

  test('works once, and again with the next one', async () => {
    const { ixon, clock, otp } = await ixonFor({ secondFactor: true });
    expect((await mint(ixon, { otp: otp() })).status).toBe(201);
    const again = await mint(ixon, { otp: otp() });
    expect([again.status, again.text]).toEqual([401, said('Invalid value', 'Authorization')]);
    clock.advance(30_000);
    expect((await mint(ixon, { otp: otp() })).status).toBe(201);
  });

  test('works again where it may', async () => {
    const { ixon, otp } = await ixonFor({ secondFactor: true, oneTimePasswords: 'reusable' });
    for (const _ of [1, 2]) expect((await mint(ixon, { otp: otp() })).status).toBe(201);
  });

  test('of another device, or of a minute ago, is wrong', async () => {
    const { ixon, clock, otp } = await ixonFor({ secondFactor: true });
    expect((await mint(ixon, { otp: otp('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ') })).status).toBe(401);
    const old = otp();
    clock.advance(60_000);
    expect((await mint(ixon, { otp: old })).status).toBe(401);
  });

  test('is not used up by a wrong password', async () => {
    const { ixon, otp } = await ixonFor({ secondFactor: true });
    expect((await mint(ixon, { otp: otp(), password: 'guess' })).status).toBe(401);
    expect((await mint(ixon, { otp: otp() })).status).toBe(201);
  });
});

describe('a call to the API', () => {
  test.each([
    ['Api-Version', '1'],
    ['Api-Application', 'aB3dE6gH9jK2'],
    ['Api-Company', '9999-9999-9999-9999-9999'],
  ])('without %s, or with another, is told so', async (name, other) => {
    const { ixon } = await ixonFor();
    const { secretId } = (await mint(ixon)).data;
    const [missing, wrong] = [
      await agents(ixon, secretId, { [name]: undefined }),
      await agents(ixon, secretId, { [name]: other }),
    ];
    expect([missing.status, missing.text]).toEqual([400, said('Required header', name)]);
    expect([wrong.status, wrong.text]).toEqual([400, said('Invalid value', name)]);
  });

  test.each([
    ['short', 'Value is too short'],
    ['3'.repeat(33), 'Value is too long'],
    ['-'.repeat(32), 'Value does not match regex expression'],
  ])('with the token %s is told "%s"', async (token, message) => {
    const { ixon } = await ixonFor();
    const { status, text } = await agents(ixon, token);
    expect([status, text]).toEqual([400, said(message, 'Authorization')]);
  });

  test('takes a service account only with its own application', async () => {
    const { ixon } = await ixonFor();
    const { token, applicationId } = ixon.serviceAccount;
    expect((await agents(ixon, token, { 'Api-Application': applicationId })).status).toBe(200);
    expect((await agents(ixon, token)).text).toBe(said('Invalid value', 'Authorization'));
    ixon.endTokens();
    expect((await agents(ixon, token, { 'Api-Application': applicationId })).status).toBe(200);
    const replaced = ixon.replaceServiceToken();
    expect((await agents(ixon, token, { 'Api-Application': applicationId })).status).toBe(401);
    expect((await agents(ixon, replaced, { 'Api-Application': applicationId })).status).toBe(200);
  });

  test('with a token that somebody ended is refused', async () => {
    const { ixon } = await ixonFor();
    const { secretId } = (await mint(ixon)).data;
    ixon.endTokens();
    expect((await agents(ixon, secretId)).text).toBe(said('Invalid value', 'Authorization'));
  });

  test('to what is not there is 404', async () => {
    const { ixon } = await ixonFor();
    expect(
      (await call(`${ixon.url}/api/none`, { 'Api-Version': '2', 'Api-Application': ixon.user.applicationId })).status,
    ).toBe(404);
  });

  test('of a company that made too many in a day waits for the next day', async () => {
    const { ixon, clock } = await ixonFor({ companyCallsADay: 1 });
    const { secretId } = (await mint(ixon, { body: '{"expiresIn":864000}' })).data;
    expect([(await agents(ixon, secretId)).status, (await agents(ixon, secretId)).status]).toEqual([200, 429]);
    clock.advance(86_400_000);
    expect((await agents(ixon, secretId)).status).toBe(200);
  });
});

describe('too many calls', () => {
  test('block the address for ten minutes, whoever calls and however well', async () => {
    const { ixon, clock } = await ixonFor({ callsASecond: 1, burstSeconds: 2 });
    expect([(await mint(ixon)).status, (await mint(ixon)).status]).toEqual([201, 201]);
    const blocked = await mint(ixon);
    expect([blocked.status, blocked.headers.get('retry-after')]).toEqual([429, null]);
    clock.advance(599_999);
    // These are too many as well, but the block does not begin anew.
    for (const _ of [1, 2, 3]) expect((await agents(ixon, ixon.serviceAccount.token)).status).toBe(429);
    clock.advance(1);
    expect((await mint(ixon)).status).toBe(201);
  });

  test('are told when to come back, where they are told', async () => {
    const { ixon, clock } = await ixonFor({ callsASecond: 1, burstSeconds: 1, retryAfter: true });
    await mint(ixon);
    await mint(ixon);
    clock.advance(30_000);
    expect((await mint(ixon)).headers.get('retry-after')).toBe('570');
  });
});

test('a server error comes in the provider’s place, and a lost reply after the token was issued', async () => {
  const { ixon } = await ixonFor();
  ixon.next(serverErrors.internal, serverErrors.gatewayTimeout, serverErrors.replyLost);
  expect([(await mint(ixon)).status, (await mint(ixon)).status]).toEqual([500, 504]);
  await expect(mint(ixon)).rejects.toThrow();
  ixon.nextAtApi(serverErrors.internal);
  expect((await agents(ixon)).status).toBe(500);
});

test('the ledger tells each call and what was said of it, and no secret', async () => {
  const { ixon, clock } = await ixonFor();
  const at = clock.now();
  const { secretId } = (await mint(ixon)).data;
  await mint(ixon, { password: 'guess' });
  clock.advance(1_000);
  await agents(ixon, secretId);
  expect(ixon.ledger).toEqual([
    { at, method: 'POST', path: '/api/access-tokens', status: 201 },
    { at, method: 'POST', path: '/api/access-tokens', status: 401, error: 'Invalid value - Authorization' },
    { at: at + 1_000, method: 'GET', path: '/api/agents', status: 200 },
  ]);
  expect(JSON.stringify(ixon.ledger)).not.toContain(secretId);
});
