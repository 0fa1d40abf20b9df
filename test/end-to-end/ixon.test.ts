/** IXON, from connecting to recovering: the broker with IXON's presets at a simulator that keeps IXON's rules. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ixon, type IxonFacts, startIxon } from '../../local/simulators/ixon.ts';
import { serverErrors } from '../../local/simulators/ixon-replies.ts';
import { limits } from '../../shared/domain/limits.ts';
import { ask, mints, secrets, serviceAccountOf, useApi, userOf } from './ixon-client.ts';
import { type ProviderBroker, startProviderBroker } from './provider-broker.ts';

let world: ProviderBroker;
beforeAll(async () => {
  world = await startProviderBroker();
});
afterAll(() => world.close());

/** Seconds for which what was served may be served again from memory. */
const remembered = limits.memoryMs / 1_000;

/** IXON for one test. */
async function ixonFor(facts: Partial<IxonFacts> = {}): Promise<Ixon> {
  const ixon = await world.simulate((options) => startIxon({ ...options, facts }));
  secrets.push(ixon.user.password, ixon.user.otpSeed, ixon.serviceAccount.token);
  return ixon;
}

describe('an IXON user', () => {
  test('with a second factor is renewed for three days, each time with another one-time password, and IXON sees no error', async () => {
    const ixon = await ixonFor({ secondFactor: true });
    await world.connect('days', userOf(ixon, { otp_seed: ixon.user.otpSeed }));
    for (const generation of [1, 2, 3]) {
      const token = await world.served('days');
      expect(token).toMatchObject({ generation, token_type: 'Bearer' });
      expect(Object.keys(token.headers as object).sort()).toEqual([
        'Api-Application',
        'Api-Company',
        'Api-Version',
        'Authorization',
      ]);
      expect(await useApi(ixon, token)).toBe(200);
      await world.forward(86_400 - 50);
      await world.until('days', { generation: generation + 1 });
    }
    expect(ixon.ledger.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201, 201, 201, 201]);
  });

  test('without a second factor gets a token for any number of clients by one call', async () => {
    const ixon = await ixonFor({ answerMs: 500 });
    await world.connect('clients', userOf(ixon));
    const tokens = await Promise.all(Array.from({ length: 20 }, () => world.served('clients')));
    expect(new Set(tokens.map(({ access_token }) => access_token)).size).toBe(1);
    expect(mints(ixon)).toEqual([201]);
  });
});

describe('a token that IXON refuses before its time', () => {
  test('is replaced once however many clients report it, with the next one-time password', async () => {
    const ixon = await ixonFor({ secondFactor: true });
    // One-time passwords change with each half minute. At its beginning the next one is as far away as can be.
    await world.forward(30 - ((Date.now() / 1_000) % 30));
    await world.connect('ended', userOf(ixon, { otp_seed: ixon.user.otpSeed }));
    const first = await world.served('ended');
    ixon.endTokens();
    expect(await ask(ixon, first)).toMatchObject({ status: 401, advice: { do: 'report_token' } });
    const report = { generation: 1, status: 401, detail: 'Invalid value - Authorization' };
    const answers = await Promise.all([1, 2, 3].map(() => world.reject('ended', report, 'wait=0')));
    for (const { status, body } of answers)
      expect([status, body]).toMatchObject([503, { code: 'temporarily_unavailable', retryable: true }]);
    await world.forward(Math.max(...answers.map(({ headers }) => Number(headers.get('retry-after')))));
    await world.until('ended', { generation: 2, state: 'active' });
    const late = await world.reject('ended', report);
    expect([late.status, late.body]).toMatchObject([200, { generation: 2 }]);
    expect(await useApi(ixon, late.body)).toBe(200);
    expect(mints(ixon)).toEqual([201, 201]);
  });
});

/** What a client is told, and what the status page says. */
async function toldOf(connection: string, query = 'wait=20') {
  const [{ status, headers, body }, page] = [await world.token(connection, query), await world.status(connection)];
  return { status, body, page, retryAfter: headers.get('retry-after') };
}

describe('a login that IXON refuses', () => {
  const wrongSeed = 'GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ';
  const invalid = (error: string, status: number) => ({ error, status, error_description: 'Invalid value' });
  test.each<[string, Partial<IxonFacts>, object, object]>([
    ['a wrong password', {}, { password: 'wrong' }, invalid('authorization', 401)],
    ['the seed of another device', { secondFactor: true }, { otp_seed: wrongSeed }, invalid('authorization', 401)],
    [
      'no second factor',
      { secondFactor: true },
      {},
      { error: 'http_403', status: 403, error_description: '2FA is required' },
    ],
    ['an unknown application', {}, { application_id: 'aB3dE6gH9jK2' }, invalid('api-application', 400)],
  ])(
    'for %s is told to every client and costs one call, until the settings are put again',
    async (what, facts, wrong, told) => {
      const ixon = await ixonFor(facts);
      const connection = what.replaceAll(' ', '-');
      await world.connect(connection, userOf(ixon, wrong));
      const { status, body, page } = await toldOf(connection);
      expect([status, body]).toMatchObject([
        409,
        { code: 'misconfigured', retryable: false, downstream_errors: [told] },
      ]);
      expect(body.detail).toMatch(/settings\.(?:password|otp_seed|application_id)/);
      expect(body.detail).toContain(`Correct its settings with PUT /connections/${connection}`);
      expect(page).toMatchObject({
        state: 'misconfigured',
        generation: 0,
        last_failure: { class: 'misconfigured', count: 1 },
      });
      await world.forward(7_200);
      expect((await toldOf(connection)).status).toBe(409);
      expect(mints(ixon)).toHaveLength(1);

      await world.connect(connection, userOf(ixon, facts.secondFactor === true ? { otp_seed: ixon.user.otpSeed } : {}));
      expect(await useApi(ixon, await world.served(connection))).toBe(200);
      expect(await world.status(connection)).toMatchObject({ state: 'active', generation: 1 });
    },
  );

  test('since the account is locked is told like a wrong password, or tried again after half an hour if IXON says it in its own words', async () => {
    const [silent, plain] = [await ixonFor(), await ixonFor({ lockedMessage: 'Account is locked' })];
    for (const ixon of [silent, plain]) ixon.lock();
    await Promise.all([world.connect('locked-silently', userOf(silent)), world.connect('locked', userOf(plain))]);
    expect(await toldOf('locked-silently')).toMatchObject({
      status: 409,
      page: { state: 'misconfigured', cause: 'invalid_client' },
    });
    const { status, body, page } = await toldOf('locked');
    expect([status, body]).toMatchObject([503, { code: 'temporarily_unavailable', retryable: true, retry_after: 60 }]);
    expect(body.downstream_errors).toEqual([
      { error: 'http_401', status: 401, error_description: 'Account is locked' },
    ]);
    expect(page).toMatchObject({ state: 'active', last_failure: { class: 'transient' } });

    await world.forward(1_760);
    expect((await world.token('locked')).status).toBe(503);
    expect(mints(plain)).toEqual([401]);
    for (const ixon of [silent, plain]) ixon.unlock();
    await world.forward(45);
    expect(await useApi(plain, await world.served('locked'))).toBe(200);
    await world.connect('locked-silently', userOf(silent));
    expect(await useApi(silent, await world.served('locked-silently'))).toBe(200);
  });

  test('that was good before lets the token in hand be served with a warning until it expires', async () => {
    const ixon = await ixonFor();
    await world.connect('changed', { ...userOf(ixon), margin_seconds: 3_600 });
    const token = await world.served('changed');
    ixon.changePassword('another password');
    await world.forward(86_400 - 3_500);
    await world.until('changed', { state: 'misconfigured', cause: 'invalid_client' });
    const { status, body } = await world.token('changed');
    expect([status, body]).toMatchObject([200, { generation: 1, warning: expect.stringMatching(/^misconfigured: /) }]);
    expect(await useApi(ixon, token)).toBe(200);
    await world.forward(3_500);
    expect((await world.token('changed')).status).toBe(409);
    await world.connect('changed', userOf(ixon));
    expect(await useApi(ixon, await world.served('changed'))).toBe(200);
    expect(mints(ixon)).toEqual([201, 401, 201]);
  });
});

describe('an outage of IXON', () => {
  test.each([
    ['internal', 'http_500'],
    ['gatewayTimeout', 'http_504'],
    ['replyLost', 'connection_reset'],
  ] as const)('(%s) is waited for with a growing delay, and ends by itself', async (kind, code) => {
    const ixon = await ixonFor({ secondFactor: true });
    const connection = `outage-${kind.toLowerCase()}`;
    ixon.next(serverErrors[kind], serverErrors[kind]);
    await world.connect(connection, userOf(ixon, { otp_seed: ixon.user.otpSeed }));
    for (const count of [1, 2]) {
      await world.token(connection, 'wait=0');
      await world.until(connection, { last_failure: { count } });
      const { status, body, page, retryAfter } = await toldOf(connection, 'wait=0');
      expect([status, body]).toMatchObject([
        503,
        { code: 'temporarily_unavailable', retryable: true, downstream_errors: [{ error: code }] },
      ]);
      expect(Number(retryAfter)).toBeGreaterThan(20);
      expect(page).toMatchObject({ state: 'active', generation: 0, last_failure: { class: 'in_doubt', error: code } });
      await world.forward(count * 31 * 1.25);
    }
    expect(await useApi(ixon, await world.served(connection))).toBe(200);
    expect(mints(ixon)).toHaveLength(3);
  });

  test('that makes it slow keeps a client waiting only as long as it wants to, and costs no second call', async () => {
    const ixon = await ixonFor();
    ixon.next({ lateMs: 3_000 });
    await world.connect('slow', userOf(ixon));
    expect(await toldOf('slow', 'wait=1')).toMatchObject({ status: 503, body: { retryable: true } });
    expect(await useApi(ixon, await world.served('slow'))).toBe(200);
    expect(mints(ixon)).toEqual([201]);
  });

  test('leaves the token in hand to be served, with a warning until IXON is back', async () => {
    const ixon = await ixonFor();
    await world.connect('held', { ...userOf(ixon), margin_seconds: 3_600 });
    const token = await world.served('held');
    ixon.next(serverErrors.internal);
    await world.forward(86_400 - 3_500);
    await world.until('held', { last_failure: { error: 'http_500', count: 1 } });
    const { status, body } = await world.token('held');
    expect([status, body]).toMatchObject([
      200,
      { generation: 1, warning: expect.stringContaining('the last renewal failed (http_500)') },
    ]);
    expect(await useApi(ixon, token)).toBe(200);
    await world.forward(31 * 1.25);
    await world.until('held', { generation: 2 });
    expect(await useApi(ixon, await world.served('held'))).toBe(200);
  });
});

describe('the block after too many calls from one address', () => {
  test.each([false, true])(
    'is waited out for ten minutes without another call, however many clients ask (IXON says for how long: %s)',
    async (retryAfter) => {
      const ixon = await ixonFor({ callsASecond: 1, burstSeconds: 5, retryAfter });
      const connection = `block-${retryAfter}`;
      // Another program on the same address.
      while ((await useApi(ixon, {})) !== 429);
      expect((await ask(ixon, {})).advice).toMatchObject({
        do: 'retry',
        ...(retryAfter ? {} : { retryAfterSeconds: 600 }),
      });
      await world.connect(connection, userOf(ixon));
      const { status, body, page } = await toldOf(connection);
      expect([status, body]).toMatchObject([
        503,
        { code: 'temporarily_unavailable', retryable: true, downstream_errors: [{ error: 'http_429', status: 429 }] },
      ]);
      expect(page).toMatchObject({ state: 'active', last_failure: { class: 'transient', error: 'http_429' } });
      await world.forward(560);
      const answers = await Promise.all(Array.from({ length: 10 }, () => world.token(connection)));
      expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 503));
      expect(mints(ixon)).toEqual([429]);
      await world.forward(45);
      expect(await useApi(ixon, await world.served(connection))).toBe(200);
      expect(mints(ixon)).toEqual([429, 201]);
    },
  );
});

describe('settings that cannot be right', () => {
  test('are refused before anything is called; every fault is named at once', async () => {
    const ixon = await ixonFor();
    const wrong = {
      application_id: 'short',
      company_id: '1111',
      email: 'jo',
      token_lifetime_seconds: 59,
      otp_seed: 'not base32!',
      apiVersion: '2',
    };
    const { status, body } = await world.put('faulty', { ...userOf(ixon, wrong), client: { client_id: 'id' } });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    const faults = Object.fromEntries(
      (body.faults as { path: string; message: string }[]).map(({ path, message }) => [path, message]),
    );
    expect(faults).toEqual({
      'settings.application_id': expect.stringMatching(/^must look like this: \[0-9a-zA-Z\]\{12\} \(/),
      'settings.company_id': expect.stringMatching(/^must look like this: /),
      'settings.email': expect.stringMatching(/^must look like this: /),
      'settings.token_lifetime_seconds': 'must be a whole number of seconds from 60 to 5184000',
      'settings.otp_seed': 'must be a base32 text, as the provider shows it beside the QR code',
      'settings.apiVersion': expect.stringMatching(/^is not known; known are /),
      client: 'is not used by this provider: remove it',
    });
    expect((await world.token('faulty')).status).toBe(404);
    expect(ixon.ledger).toEqual([]);
  });

  test.each([
    ['ixon-user', 'settings.password', { application_id: 'aB3dE6gH9jK2', email: 'jo@example.com' }],
    ['ixon-service-account', 'settings.token', { application_id: 'aB3dE6gH9jK2' }],
  ])('of %s, since %s is missing, are refused with its name', async (provider, path, settings) => {
    const { status, body } = await world.put('missing', { provider, settings });
    expect([status, body.faults]).toEqual([
      400,
      [{ path, message: expect.stringMatching(/^is missing, and none is stored/) }],
    ]);
  });
});

describe('an IXON service account', () => {
  test('has headers that alone open the API, for months, and the broker never calls IXON', async () => {
    const ixon = await ixonFor();
    await world.connect('service', { ...serviceAccountOf(ixon), renewal: 'always' });
    for (const generation of [1, 2]) {
      const tokens = await Promise.all(Array.from({ length: 10 }, () => world.served('service')));
      for (const token of tokens) expect(await useApi(ixon, token)).toBe(200);
      await world.forward(29.99 * 86_400);
      await world.until('service', { generation: generation + 1 });
    }
    expect(ixon.ledger.filter(({ path, status }) => path !== '/api/agents' || status !== 200)).toEqual([]);
  });

  test('whose token was replaced in the portal has the new one soon after it is put', async () => {
    const ixon = await ixonFor();
    await world.connect('replaced', serviceAccountOf(ixon));
    const first = await world.served('replaced');
    ixon.replaceServiceToken();
    expect(await useApi(ixon, first)).toBe(401);
    // There is no other to be had: after a while it is served again, as a new generation.
    await world.reject('replaced', { generation: 1, status: 401 }, 'wait=0');
    await world.forward(10);
    await world.until('replaced', { generation: 2 });
    expect((await world.served('replaced')).headers).toEqual(first.headers);
    await world.connect('replaced', serviceAccountOf(ixon));
    await world.forward(remembered);
    const next = await world.served('replaced');
    expect(await useApi(ixon, next)).toBe(200);
    expect(await world.reject('replaced', { generation: 2, status: 401 })).toMatchObject({
      status: 200,
      body: { headers: next.headers },
    });
    expect(mints(ixon)).toEqual([]);
  });

  test('with another application than its own is refused by IXON, and good when that is put', async () => {
    const ixon = await ixonFor();
    const { provider, settings } = serviceAccountOf(ixon);
    await world.connect('application', {
      provider,
      settings: { ...settings, application_id: ixon.user.applicationId },
    });
    expect(await useApi(ixon, await world.served('application'))).toBe(401);
    await world.connect('application', { provider, settings });
    await world.forward(remembered);
    expect(await useApi(ixon, await world.served('application'))).toBe(200);
  });
});

test('nothing secret is in what the functions wrote', () => {
  expect(world.leaked(secrets)).toEqual([]);
});
