/** Maesn: its two keys, how an end user's comes about, and its errors. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Maesn, type MaesnFacts, maesnErrors, startMaesn } from '../../../local/simulators/maesn.ts';
import { manualClock } from './manual-clock.ts';

/** A simulator for one test, at a clock that stands still. */
async function maesnFor(facts: Partial<MaesnFacts> = {}) {
  const clock = manualClock();
  const maesn = await startMaesn({ clock, facts });
  onTestFinished(() => maesn.close());
  return { clock, maesn };
}

async function call(url: string, headers: Readonly<Record<string, string>>, method = 'GET', body?: object) {
  const response = await fetch(url, {
    method,
    headers,
    redirect: 'manual',
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text.startsWith('{') ? JSON.parse(text) : undefined,
  };
}

const userInfo = ({ apiEndpoint, apiKey }: Maesn, accountKey: string, ownKey = apiKey) =>
  call(apiEndpoint, { 'X-API-KEY': ownKey, 'X-ACCOUNT-KEY': accountKey });

/** Gets the end user's page, opens it, and returns where the browser is sent back to. */
async function login({ url, apiKey }: Maesn, query = ''): Promise<URL> {
  const callbacks = 'callbackUrl=https://tenant.example/done&cancelCallbackUrl=https://tenant.example/cancelled';
  const page = await call(`${url}/auth/XERO?${callbacks}${query}`, { 'X-API-KEY': apiKey });
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html']);
  const back = await call(page.text, {});
  expect(back.status).toBe(302);
  return new URL(back.headers.get('location') ?? '');
}

const keyIn = (url: URL): string => url.searchParams.get('accountKey') ?? '';

describe('an account key', () => {
  test('comes to the callback when the end user has logged in, and opens the API', async () => {
    const { maesn } = await maesnFor();
    const back = await login(maesn);
    expect(back.href).toMatch(/^https:\/\/tenant\.example\/done\?accountKey=./);
    const { status, body } = await userInfo(maesn, keyIn(back));
    expect([status, body]).toEqual([200, { data: { id: 'XERO ' }, errors: [], rawData: null }]);
  });

  test('does not come if the end user cancels', async () => {
    const { maesn } = await maesnFor({ consent: 'denied' });
    expect((await login(maesn)).href).toBe('https://tenant.example/cancelled');
  });

  test('comes by the name that the switch says, and once for each login', async () => {
    const { maesn } = await maesnFor({ keyParameter: 'key' });
    const page = (
      await call(`${maesn.url}/auth/XERO?callbackUrl=https://tenant.example/done`, { 'X-API-KEY': maesn.apiKey })
    ).text;
    expect((await call(page, {})).headers.get('location')).toMatch(/done\?key=/);
    expect((await call(page, {})).status).toBe(400);
  });

  test('comes at once for a target system with keys of its own', async () => {
    const { maesn } = await maesnFor();
    const path = `${maesn.url}/auth/accounts/SAGE_INTACCT`;
    const { status, body } = await call(path, { 'X-API-KEY': maesn.apiKey }, 'POST', {
      apiKey: 'key of the target system',
    });
    expect(status).toBe(201);
    expect((await userInfo(maesn, body.data.accountKey)).status).toBe(200);
    const empty = await call(path, { 'X-API-KEY': maesn.apiKey }, 'POST', {});
    expect([empty.status, empty.body]).toMatchObject([400, { validationErrors: [{ field: 'apiKey' }] }]);
  });

  test.each([
    ['new_key', false],
    ['same_key', true],
  ] as const)('after the end user logs in again is a %s', async (reauthentication, same) => {
    const { maesn } = await maesnFor({ reauthentication });
    const [first, other, second] = [await login(maesn), await login(maesn, '&companyId=2'), await login(maesn)].map(
      keyIn,
    );
    expect([first === second, first === other]).toEqual([same, false]);
  });

  test('dies when the target system’s grant was not used for 30 days, or was revoked', async () => {
    const { maesn, clock } = await maesnFor();
    const key = maesn.authenticate();
    for (const _ of [1, 2]) {
      clock.advance(30 * 86_400_000 - 1);
      expect((await userInfo(maesn, key)).status).toBe(200);
    }
    clock.advance(30 * 86_400_000);
    expect((await userInfo(maesn, key)).status).toBe(401);
    const next = maesn.authenticate();
    expect((await userInfo(maesn, next)).status).toBe(200);
    maesn.revoke('somebody else');
    expect((await userInfo(maesn, next)).status).toBe(200);
    maesn.revoke();
    expect((await userInfo(maesn, next)).status).toBe(401);
  });

  test('is good again where logging in again keeps it', async () => {
    const { maesn } = await maesnFor({ reauthentication: 'same_key' });
    const key = maesn.authenticate();
    maesn.revoke();
    expect(maesn.authenticate()).toBe(key);
    expect((await userInfo(maesn, key)).status).toBe(200);
  });

  test('is gone when the tenant deletes its end user', async () => {
    const { maesn } = await maesnFor();
    const key = maesn.authenticate();
    const headers = { 'X-API-KEY': maesn.apiKey, 'X-ACCOUNT-KEY': key };
    expect((await call(`${maesn.url}/tenants/delete-end-user`, headers, 'DELETE')).status).toBe(200);
    expect((await userInfo(maesn, key)).status).toBe(401);
  });
});

describe('an error', () => {
  test.each([403, 401] as const)('of a wrong X-API-KEY is %i', async (apiKeyStatus) => {
    const { maesn } = await maesnFor({ apiKeyStatus });
    const { status, body } = await userInfo(maesn, maesn.authenticate(), 'guess');
    expect([status, body]).toEqual([
      apiKeyStatus,
      { data: null, errors: [{ message: expect.stringMatching(/valid X-API-KEY/) }], rawData: null },
    ]);
  });

  test('of a wrong X-ACCOUNT-KEY is 401', async () => {
    const { maesn } = await maesnFor();
    expect((await userInfo(maesn, 'guess')).status).toBe(401);
  });

  test.each([
    ['GET', '/accounting/none', 404],
    ['GET', '/auth/NONE?callbackUrl=https://tenant.example/', 405],
    ['POST', '/auth/accounts/NONE', 405],
    ['GET', '/auth/XERO', 400],
    ['GET', '/auth/callback/XERO?state=guess', 400],
  ])('of %s %s is %i', async (method, path, status) => {
    const { maesn } = await maesnFor();
    expect((await call(maesn.url + path, { 'X-API-KEY': maesn.apiKey }, method)).status).toBe(status);
  });

  test.each([true, false])(
    'of the 61st call in a minute is 429 until the minute is over (with Retry-After: %s)',
    async (retryAfter) => {
      const { maesn, clock } = await maesnFor({ retryAfter });
      const [one, other] = [maesn.authenticate('one'), maesn.authenticate('other')];
      for (let calls = 0; calls < 30; calls += 1)
        for (const key of [one, other]) expect((await userInfo(maesn, key)).status).toBe(200);
      const { status, headers } = await userInfo(maesn, one);
      expect([status, headers.get('retry-after')]).toEqual([429, retryAfter ? '30' : null]);
      clock.advance(30_000);
      expect((await userInfo(maesn, one)).status).toBe(200);
    },
  );

  test('of the target system is told in Maesn’s', async () => {
    const { maesn } = await maesnFor();
    const key = maesn.authenticate();
    maesn.next(maesnErrors.downstream, maesnErrors.internal, maesnErrors.inactiveUser, maesnErrors.notSupported);
    expect(await userInfo(maesn, key)).toMatchObject({
      status: 500,
      body: { downstreamErrors: [{ message: 'The referenced GL account is invalid.' }] },
    });
    const internal = await userInfo(maesn, key);
    expect([internal.status, internal.body.downstreamErrors]).toEqual([500, undefined]);
    expect([(await userInfo(maesn, key)).status, (await userInfo(maesn, key)).status]).toEqual([403, 405]);
    expect((await userInfo(maesn, key)).status).toBe(200);
  });
});

test('the ledger tells each call and what was said of it, and no key', async () => {
  const { maesn, clock } = await maesnFor();
  const key = maesn.authenticate();
  await userInfo(maesn, key);
  await userInfo(maesn, 'guess');
  const entry = { at: clock.now(), method: 'GET', path: '/user/user-info' };
  expect(maesn.ledger).toEqual([
    { ...entry, status: 200 },
    { ...entry, status: 401, error: 'Unauthorized' },
  ]);
  expect(JSON.stringify(maesn.ledger)).not.toContain(key);
});
