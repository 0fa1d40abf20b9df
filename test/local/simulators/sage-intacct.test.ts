/** Sage Intacct's REST API, quirk by quirk. */
import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  mishaps,
  type SageIntacct,
  type SageIntacctFacts,
  startSageIntacct,
} from '../../../local/simulators/sage-intacct.ts';
import { manualClock } from './manual-clock.ts';

const redirectUri = 'http://127.0.0.1:1/oauth/callback';
const dayMs = 86_400_000;

/** A simulator for one test, at a clock that stands still. */
async function sageIntacct(facts: Partial<SageIntacctFacts> = {}, speed = 1) {
  const clock = manualClock(speed);
  const sage = await startSageIntacct({ clock, facts });
  onTestFinished(() => sage.close());
  return { clock, sage };
}

async function post(url: string, form: Readonly<Record<string, string>>) {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text.startsWith('{') ? JSON.parse(text) : {},
  };
}

const asClient = ({ client }: SageIntacct) => ({ client_id: client.clientId, client_secret: client.clientSecret });
const renew = (sage: SageIntacct, refreshToken: string, more: object = {}) =>
  post(sage.tokenEndpoint, { ...asClient(sage), grant_type: 'refresh_token', refresh_token: refreshToken, ...more });
const forUser = (sage: SageIntacct, username: string) =>
  post(sage.tokenEndpoint, { ...asClient(sage), grant_type: 'client_credentials', username });

async function vendors(sage: SageIntacct, accessToken: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(sage.apiEndpoint, { headers: { authorization: `Bearer ${accessToken}`, ...headers } });
  return { status: response.status, body: await response.json() };
}

/** Opens the login page; returns the query that the browser brings back. */
async function opened(sage: SageIntacct, more: Readonly<Record<string, string>> = {}): Promise<URLSearchParams> {
  const url = new URL(sage.authorizationEndpoint);
  const parameters = {
    response_type: 'code',
    client_id: sage.client.clientId,
    redirect_uri: redirectUri,
    state: 'x y',
    scope: 'offline_access',
    ...more,
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const response = await fetch(url, { redirect: 'manual' });
  expect(response.status).toBe(302);
  const back = new URL(response.headers.get('location') ?? '');
  expect([back.origin + back.pathname, back.searchParams.get('state')]).toEqual([redirectUri, 'x y']);
  return back.searchParams;
}

const redeem = (sage: SageIntacct, code: string | null, more: object = {}) =>
  post(sage.tokenEndpoint, {
    ...asClient(sage),
    grant_type: 'authorization_code',
    code: code ?? '',
    redirect_uri: redirectUri,
    ...more,
  });

describe('a login', () => {
  test('brings a code, which brings tokens once', async () => {
    const { sage } = await sageIntacct();
    const code = (await opened(sage)).get('code');
    const { status, body } = await redeem(sage, code);
    expect([status, body]).toEqual([
      200,
      { token_type: 'Bearer', access_token: expect.any(String), expires_in: 43_200, refresh_token: expect.any(String) },
    ]);
    expect((await vendors(sage, body.access_token)).status).toBe(200);
    expect((await renew(sage, body.refresh_token)).status).toBe(200);
    expect(await redeem(sage, code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('without offline_access brings no refresh token', async () => {
    const { sage } = await sageIntacct();
    const { body } = await redeem(sage, (await opened(sage, { scope: 'openid' })).get('code'));
    expect(Object.keys(body)).toEqual(['token_type', 'access_token', 'expires_in']);
  });

  test('with a challenge needs its verifier', async () => {
    const { sage } = await sageIntacct();
    const code_challenge = createHash('sha256').update('verifier').digest('base64url');
    const withChallenge = async () =>
      (await opened(sage, { code_challenge, code_challenge_method: 'S256' })).get('code');
    expect((await redeem(sage, await withChallenge(), { code_verifier: 'another' })).status).toBe(400);
    expect((await redeem(sage, await withChallenge())).status).toBe(400);
    expect((await redeem(sage, await withChallenge(), { code_verifier: 'verifier' })).status).toBe(200);
    expect((await opened(sage, { code_challenge: 'verifier', code_challenge_method: 'plain' })).get('error')).toBe(
      'invalid_request',
    );
  });

  test('is only good in time, and at the same address', async () => {
    const { sage, clock } = await sageIntacct();
    const codes = await Promise.all([opened(sage), opened(sage), opened(sage)]);
    clock.advance(299_999);
    expect((await redeem(sage, codes[0].get('code'))).status).toBe(200);
    expect((await redeem(sage, codes[1].get('code'), { redirect_uri: `${redirectUri}/` })).status).toBe(400);
    clock.advance(1);
    expect((await redeem(sage, codes[2].get('code'))).status).toBe(400);
  });

  test('can be denied, and is not offered to another client', async () => {
    const { sage } = await sageIntacct();
    sage.person({ user: 'owner', answer: 'deny' });
    expect((await opened(sage)).get('error')).toBe('access_denied');
    const other = await fetch(`${sage.authorizationEndpoint}?client_id=other&redirect_uri=${redirectUri}`, {
      redirect: 'manual',
    });
    expect(other.status).toBe(400);
  });

  test.each([
    ['replaces', 400],
    ['adds', 200],
  ] as const)('of the same user %s the one before', async (secondAuthorization, status) => {
    const { sage } = await sageIntacct({ secondAuthorization });
    const [first, other] = [sage.authorize('a'), sage.authorize('b')];
    sage.authorize('a');
    expect((await renew(sage, first.refreshToken)).status).toBe(status);
    expect((await renew(sage, other.refreshToken)).status).toBe(200);
  });
});

describe('a renewal', () => {
  test.each([
    ['single_use', 400],
    ['reusable', 200],
  ] as const)('brings another refresh token; the used one is %s', async (refreshTokens, again) => {
    const { sage } = await sageIntacct({ refreshTokens });
    const { refreshToken } = sage.authorize();
    const { body } = await renew(sage, refreshToken);
    expect(body.refresh_token).not.toBe(refreshToken);
    expect((await renew(sage, refreshToken)).status).toBe(again);
    expect((await renew(sage, body.refresh_token)).status).toBe(200);
  });

  test('may bring none, and leave the old one good', async () => {
    const { sage } = await sageIntacct({ renewalBringsRefreshToken: false });
    const { refreshToken } = sage.authorize();
    for (const _ of [1, 2]) {
      const { status, body } = await renew(sage, refreshToken);
      expect([status, body.refresh_token]).toEqual([200, undefined]);
    }
  });

  test('of a used one may revoke the grant', async () => {
    const { sage } = await sageIntacct({ reuseRevokes: true });
    const { refreshToken } = sage.authorize();
    const { body } = await renew(sage, refreshToken);
    await renew(sage, refreshToken);
    expect(sage.accepts(body.refresh_token)).toBe(false);
  });

  test('is refused after 90 days without one', async () => {
    const { sage, clock } = await sageIntacct();
    const { refreshToken } = sage.authorize();
    clock.advance(90 * dayMs - 1);
    const { status, body } = await renew(sage, refreshToken);
    expect(status).toBe(200);
    clock.advance(90 * dayMs);
    expect((await renew(sage, body.refresh_token)).status).toBe(400);
  });

  test('tells the lifetime by the clock of its caller, or not at all', async () => {
    const { sage } = await sageIntacct({ lifetimeSeconds: 600 }, 30);
    expect((await renew(sage, sage.authorize().refreshToken)).body.expires_in).toBe(20);
    const { sage: silent } = await sageIntacct({ expiresIn: 'absent' });
    expect((await renew(silent, silent.authorize().refreshToken)).body).not.toHaveProperty('expires_in');
  });
});

describe('a refusal', () => {
  const described = {
    code: 'operationFailed',
    message: 'The token is invalid',
    errorId: 'REST-2102',
    additionalInfo: {},
    supportId: 'Kxi78',
  };
  test.each<[Partial<SageIntacctFacts>, number, object]>([
    [{}, 400, { error: 'invalid_grant' }],
    [{ deadGrantToldAs: 'invalid_client', refusalStatus: 401 }, 401, { error: 'invalid_client' }],
    [{ deadGrantToldAs: 'REST-2102' }, 400, { 'ia::result': { 'ia::error': described } }],
    [{ deadGrantToldAs: 'REST-2102', envelope: 'ia::error' }, 400, { 'ia::error': described }],
    [{ deadGrantToldAs: 'REST-2102', envelope: 'error' }, 400, { error: described }],
  ])('of a dead grant is told as %j', async (facts, status, body) => {
    const { sage } = await sageIntacct(facts);
    expect(await renew(sage, 'guess')).toMatchObject({ status, body });
  });

  test.each(['REST-1216', 'invalid_client'] as const)(
    'of a wrong client, or one that the company has not authorized, is told as %s',
    async (wrongClientToldAs) => {
      const { sage } = await sageIntacct({ wrongClientToldAs });
      const { refreshToken } = sage.authorize();
      expect((await renew(sage, refreshToken, { client_secret: 'guess' })).text).toContain(wrongClientToldAs);
      sage.allowClient(false);
      expect((await renew(sage, refreshToken)).text).toContain(wrongClientToldAs);
      sage.allowClient(true);
      expect((await renew(sage, refreshToken)).status).toBe(200);
    },
  );

  test('of a request that is too soon says when, in one of its headers', async () => {
    const { sage } = await sageIntacct();
    const { refreshToken } = sage.authorize();
    sage.next(mishaps.throttled('7'), mishaps.throttledWithoutHeader);
    const first = await renew(sage, refreshToken);
    expect([first.status, first.headers.get('x-ia-minute-rate-limit-retry-after')]).toEqual([429, '7']);
    expect(first.text).toContain('GW-0010');
    expect((await renew(sage, refreshToken)).headers.has('x-ia-minute-rate-limit-retry-after')).toBe(false);
    expect((await renew(sage, refreshToken)).status).toBe(200);
  });
});

describe('client credentials', () => {
  test('are for the user that is bound to the client, at an entity or not', async () => {
    const { sage } = await sageIntacct();
    const { status, body } = await forUser(sage, `${sage.username}|E100`);
    expect([status, Object.keys(body)]).toEqual([200, ['token_type', 'access_token', 'expires_in']]);
    expect((await vendors(sage, body.access_token)).status).toBe(200);
    expect((await forUser(sage, 'another@northwind')).text).toContain('REST-1216');
  });

  test('leave earlier tokens, and other grants, as they were', async () => {
    const { sage } = await sageIntacct();
    const { refreshToken } = sage.authorize(sage.username);
    const { body } = await forUser(sage, sage.username);
    await forUser(sage, sage.username);
    expect((await vendors(sage, body.access_token)).status).toBe(200);
    expect(sage.accepts(refreshToken)).toBe(true);
  });
});

describe('an access token', () => {
  test('is good until it expires, and names the entity that was asked for', async () => {
    const { sage, clock } = await sageIntacct();
    const { accessToken } = sage.authorize();
    clock.advance(43_200_000 - 1);
    const { status, body } = await vendors(sage, accessToken, { 'X-IA-API-Param-Entity': 'E100' });
    expect([status, body]).toMatchObject([200, { 'ia::result': [{ entity: 'E100' }] }]);
    clock.advance(1);
    expect(await vendors(sage, accessToken)).toMatchObject({
      status: 401,
      body: { 'ia::result': { 'ia::error': { errorId: 'GW-0040' } } },
    });
  });

  test('that is no good may be told as an invalid one', async () => {
    const { sage } = await sageIntacct({ badTokenToldAs: 'REST-1206' });
    expect(await vendors(sage, 'guess')).toMatchObject({
      status: 400,
      body: { 'ia::result': { 'ia::error': { errorId: 'REST-1206' } } },
    });
  });

  test('lives on after a renewal, or ends with it', async () => {
    for (const [accessTokenAfterRenewal, status] of [
      ['lives', 200],
      ['dies', 401],
    ] as const) {
      const { sage } = await sageIntacct({ accessTokenAfterRenewal });
      const { accessToken, refreshToken } = sage.authorize();
      await renew(sage, refreshToken);
      expect((await vendors(sage, accessToken)).status).toBe(status);
    }
  });
});

test('a revocation ends all that the user has, and nothing of others', async () => {
  const { sage } = await sageIntacct({ secondAuthorization: 'adds' });
  const [one, two, other] = [sage.authorize('a'), sage.authorize('a'), sage.authorize('b')];
  expect((await post(sage.revocationEndpoint, { ...asClient(sage), token: one.refreshToken })).status).toBe(200);
  expect([one, two, other].map(({ refreshToken }) => sage.accepts(refreshToken))).toEqual([false, false, true]);
  expect((await vendors(sage, two.accessToken)).status).toBe(401);
  expect((await vendors(sage, other.accessToken)).status).toBe(200);
});

test('an answer that is lost behind the gateway has rotated, one of a gateway that is down has not', async () => {
  for (const [mishap, status, good] of [
    [mishaps.gatewayTimeOut, 504, false],
    [mishaps.down, 503, true],
  ] as const) {
    const { sage } = await sageIntacct();
    const { refreshToken } = sage.authorize();
    sage.next(mishap);
    expect((await renew(sage, refreshToken)).status).toBe(status);
    expect(sage.accepts(refreshToken)).toBe(good);
  }
});

test('the ledger tells each call, with the error of every envelope, and no secret', async () => {
  const { sage } = await sageIntacct({ deadGrantToldAs: 'REST-2102', envelope: 'error' });
  const { refreshToken } = sage.authorize();
  await renew(sage, refreshToken);
  await renew(sage, refreshToken);
  expect(sage.ledger.map(({ status, error }) => [status, error])).toEqual([
    [200, undefined],
    [400, 'REST-2102'],
  ]);
  expect(JSON.stringify(sage.ledger)).not.toContain(refreshToken);
});
