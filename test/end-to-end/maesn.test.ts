/**
 * Maesn, from connecting to recovering: the broker with Maesn's preset, and clients that use its keys at a simulator of
 * Maesn.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adviceOn } from '../../client/advice.ts';
import { type Maesn, type MaesnFacts, maesnErrors, startMaesn } from '../../local/simulators/maesn.ts';
import { limits } from '../../shared/domain/limits.ts';
import { type ProviderBroker, startProviderBroker } from './provider-broker.ts';

let world: ProviderBroker;
beforeAll(async () => {
  world = await startProviderBroker();
});
afterAll(() => world.close());

const secrets: string[] = [];
const day = 86_400;
/** Seconds for which what was served may be served again from memory. */
const remembered = limits.memoryMs / 1_000;

/** Maesn for one test. */
async function maesnFor(facts: Partial<MaesnFacts> = {}): Promise<Maesn> {
  const maesn = await world.simulate((options) => startMaesn({ ...options, facts }));
  secrets.push(maesn.apiKey);
  return maesn;
}

const keysOf = ({ apiKey }: Maesn, accountKey: string) => {
  secrets.push(accountKey);
  return { provider: 'maesn', settings: { api_key: apiKey, account_key: accountKey }, renewal: 'always' };
};

/** A client's request to Maesn with what it was given, and nothing else; and what the client is advised to do then. */
async function useApi({ apiEndpoint }: Maesn, { headers }: Readonly<Record<string, unknown>>) {
  const reply = await fetch(apiEndpoint, { headers: headers as Record<string, string> });
  const seen = { status: reply.status, headers: Object.fromEntries(reply.headers), body: await reply.text() };
  return { status: reply.status, advice: adviceOn('maesn', seen, { method: 'GET', now: Date.now() }) };
}

/** How Maesn answered each call. */
const statuses = ({ ledger }: Maesn): number[] => ledger.map(({ status }) => status);

describe('a connection to Maesn', () => {
  test('is made of the key that the end user’s login brings, and its headers are both keys', async () => {
    const maesn = await maesnFor();
    const page = await fetch(`${maesn.url}/auth/XERO?callbackUrl=https://tenant.example/done`, {
      headers: { 'X-API-KEY': maesn.apiKey },
    });
    const back = (await fetch(await page.text(), { redirect: 'manual' })).headers.get('location') ?? '';
    const accountKey = new URL(back).searchParams.get('accountKey') ?? '';
    await world.connect('login', keysOf(maesn, accountKey));
    const token = await world.served('login');
    expect(token.headers).toEqual({ 'X-API-KEY': maesn.apiKey, 'X-ACCOUNT-KEY': accountKey });
    expect((await useApi(maesn, token)).status).toBe(200);
  });

  test('is renewed for months, and Maesn sees the clients’ calls alone, and no error', async () => {
    const maesn = await maesnFor();
    await world.connect('months', keysOf(maesn, maesn.authenticate()));
    for (const generation of [1, 2, 3]) {
      expect((await useApi(maesn, await world.served('months'))).status).toBe(200);
      await world.forward(29.99 * day);
      await world.until('months', { generation: generation + 1 });
    }
    expect(statuses(maesn)).toEqual([200, 200, 200]);
  });

  test('costs Maesn nothing, however many clients ask', async () => {
    const maesn = await maesnFor();
    await world.connect('clients', keysOf(maesn, maesn.authenticate()));
    await Promise.all(Array.from({ length: 20 }, () => world.served('clients')));
    expect(maesn.ledger).toEqual([]);
  });

  test('is not made without both keys, nor with what it has no use for; every fault is named at once', async () => {
    const { status, body } = await world.put('faulty', {
      provider: 'maesn',
      settings: { api_key: 'k', accountKey: 'k' },
      client: { client_id: 'id' },
      refresh_token: 'r',
    });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.faults).toEqual(
      expect.arrayContaining([
        { path: 'settings.accountKey', message: 'is not known; did you mean account_key?' },
        { path: 'client', message: 'is not used by this provider: remove it' },
        { path: 'refresh_token', message: 'is not used by the grant static: remove it' },
        { path: 'settings.account_key', message: expect.stringMatching(/^is missing: secrets are replaced together/) },
      ]),
    );
    const none = await world.put('faulty', { provider: 'maesn' });
    expect((none.body.faults as { path: string }[]).map(({ path }) => path).sort()).toEqual([
      'settings.account_key',
      'settings.api_key',
    ]);
    expect((await world.token('faulty')).status).toBe(404);
  });
});

describe('a key that Maesn refuses', () => {
  test('is served again after a report, for there is no other; the key that the end user brings is served soon after it is put', async () => {
    const maesn = await maesnFor();
    await world.connect('dead', keysOf(maesn, maesn.authenticate()));
    const first = await world.served('dead');
    maesn.revoke();
    expect(await useApi(maesn, first)).toMatchObject({ status: 401, advice: { do: 'reauthorize' } });
    const reported = await world.reject('dead', { generation: 1, status: 401 }, 'wait=0');
    expect([reported.status, reported.body]).toMatchObject([503, { code: 'temporarily_unavailable', retryable: true }]);
    await world.forward(Number(reported.headers.get('retry-after')));
    await world.until('dead', { generation: 2, state: 'active' });
    const same = await world.served('dead');
    expect(same).toMatchObject({ generation: 2, headers: first.headers });
    expect((await useApi(maesn, same)).status).toBe(401);

    const next = maesn.authenticate();
    await world.connect('dead', keysOf(maesn, next));
    await world.forward(remembered);
    const mended = await world.served('dead');
    expect(mended).toMatchObject({ generation: 3, headers: { 'X-ACCOUNT-KEY': next } });
    expect((await useApi(maesn, mended)).status).toBe(200);
    // A client that was slow to report the old key has the new one with the answer.
    expect(await world.reject('dead', { generation: 2, status: 401 })).toMatchObject({
      status: 200,
      body: { generation: 3, headers: mended.headers },
    });
    expect(statuses(maesn)).toEqual([401, 401, 200]);
    expect(world.log.filter((line) => line.includes('token_rejected') && line.includes('"dead"'))).toHaveLength(1);
  });

  test('needs no change where the end user’s login keeps it', async () => {
    const maesn = await maesnFor({ reauthentication: 'same_key' });
    await world.connect('kept', keysOf(maesn, maesn.authenticate()));
    maesn.revoke();
    expect((await useApi(maesn, await world.served('kept'))).status).toBe(401);
    maesn.authenticate();
    expect((await useApi(maesn, await world.served('kept'))).status).toBe(200);
    expect(await world.status('kept')).toMatchObject({ state: 'active', generation: 1 });
  });

  test('of the tenant is replaced by putting both', async () => {
    const maesn = await maesnFor();
    const accountKey = maesn.authenticate();
    await world.connect('tenant', { provider: 'maesn', settings: { api_key: 'wrong', account_key: accountKey } });
    expect((await useApi(maesn, await world.served('tenant'))).status).toBe(403);
    const half = await world.put('tenant', { provider: 'maesn', settings: { api_key: maesn.apiKey } });
    expect([half.status, half.body.detail]).toEqual([
      400,
      expect.stringMatching(/^settings\.account_key: is missing: secrets are replaced together/),
    ]);
    await world.connect('tenant', keysOf(maesn, accountKey));
    await world.forward(remembered);
    expect((await useApi(maesn, await world.served('tenant'))).status).toBe(200);
  });
});

describe('an error of Maesn that is none of the keys', () => {
  test.each([
    ['internal', 500, { do: 'retry', retryAfterSeconds: 15 }],
    ['downstream', 500, { do: 'correct_request', description: 'The referenced GL account is invalid.' }],
    ['inactiveUser', 403, { do: 'correct_request' }],
    ['notSupported', 405, { do: 'correct_request' }],
  ] as const)('(%s) leaves them as they are, and its client knows what to do', async (error, status, advice) => {
    const maesn = await maesnFor();
    const connection = `error-${error.toLowerCase()}`;
    await world.connect(connection, keysOf(maesn, maesn.authenticate()));
    const token = await world.served(connection);
    maesn.next(maesnErrors[error]);
    expect(await useApi(maesn, token)).toMatchObject({ status, advice });
    expect((await useApi(maesn, await world.served(connection))).status).toBe(200);
    expect(await world.status(connection)).toMatchObject({ state: 'active', generation: 1 });
  });

  test('too many calls for the target system end with the minute, and asking for the keys adds none', async () => {
    const maesn = await maesnFor({ callsAMinute: 3 });
    await world.connect('limit', keysOf(maesn, maesn.authenticate()));
    const token = await world.served('limit');
    while ((await useApi(maesn, token)).status === 200);
    expect(await useApi(maesn, token)).toMatchObject({ status: 429, advice: { do: 'retry', retryAfterSeconds: 60 } });
    const calls = maesn.ledger.length;
    await Promise.all(Array.from({ length: 5 }, () => world.served('limit')));
    expect(maesn.ledger).toHaveLength(calls);
    await world.forward(60);
    expect((await useApi(maesn, await world.served('limit'))).status).toBe(200);
  });
});

test('no key is in what the functions wrote', () => {
  expect(world.leaked(secrets)).toEqual([]);
});
