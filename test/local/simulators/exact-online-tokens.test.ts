/** The token endpoint, quirk by quirk. */
import { describe, expect, test } from 'vitest';
import { mishaps } from '../../../local/simulators/exact-online.ts';
import { fingerprint } from '../../../local/simulators/simulator.ts';
import { exactOnline, me, renew } from './exact.ts';

const oldToken = '{"error":"unauthorized_client","error_description":"Old refresh token used."}';
const tooEarly = '{"error":"access_denied","error_description":"Rate limit exceeded: access_token not expired"}';
const brokenChain =
  '{"error":"invalid_grant","error_description":"Token is not allowed, because of invalid or empty chainId"}';
const longAgo = { secondsAgo: 3_600 };

describe('a renewal', () => {
  test.each([false, true])(
    'brings a new pair, with the lifetime as a text (secret in the header: %s)',
    async (basic) => {
      const { exact } = await exactOnline();
      const { refreshToken } = exact.authorize(longAgo);
      const { status, body } = await renew(exact, refreshToken, { basic });
      expect(status).toBe(200);
      expect(body).toEqual({
        access_token: expect.any(String),
        token_type: 'bearer',
        expires_in: '600',
        refresh_token: expect.any(String),
      });
      expect(body.refresh_token).not.toBe(refreshToken);
      expect((await me(exact, body.access_token)).status).toBe(200);
    },
  );

  test('tells the lifetime by the clock of its caller, and as a number if it is told to', async () => {
    const { exact } = await exactOnline({ expiresIn: 'number' }, 30);
    expect((await renew(exact, exact.authorize(longAgo).refreshToken)).body.expires_in).toBe(20);
  });

  test('is too early 569.999 s after the token was issued, and not at 570 s', async () => {
    const { exact, clock } = await exactOnline();
    const { refreshToken } = exact.authorize();
    clock.advance(569_999);
    const early = await renew(exact, refreshToken);
    expect([early.status, early.text]).toEqual([400, tooEarly]);
    expect(early.headers.get('reason')).toBe('TooEarlyToRefreshTokens: Rate limit exceeded: access_token not expired');
    clock.advance(1);
    expect((await renew(exact, refreshToken)).status).toBe(200);
  });

  test('that is too early leaves the refresh token good, or carries another one', async () => {
    const { exact } = await exactOnline({ tooEarlyCarriesRefreshToken: true });
    const { refreshToken } = exact.authorize();
    const { status, body } = await renew(exact, refreshToken);
    expect([status, body.error]).toEqual([400, 'access_denied']);
    expect([exact.accepts(refreshToken), exact.accepts(body.refresh_token ?? '')]).toEqual([false, true]);
  });

  test('leaves the access token that is not expired good, or ends it', async () => {
    for (const [accessTokenAfterRenewal, status] of [
      ['lives', 200],
      ['dies', 401],
    ] as const) {
      const { exact, clock } = await exactOnline({ accessTokenAfterRenewal });
      const { accessToken, refreshToken } = exact.authorize();
      clock.advance(570_000);
      await renew(exact, refreshToken);
      expect((await me(exact, accessToken)).status).toBe(status);
    }
  });
});

describe('a used refresh token', () => {
  test.each([401, 400] as const)('is refused with %i, and the new one stays good', async (reuseStatus) => {
    const { exact, clock } = await exactOnline({ reuseStatus });
    const { refreshToken } = exact.authorize(longAgo);
    const { body } = await renew(exact, refreshToken);
    clock.advance(570_000);
    const again = await renew(exact, refreshToken);
    expect([again.status, again.text]).toEqual([reuseStatus, oldToken]);
    expect((await renew(exact, body.refresh_token ?? '')).status).toBe(200);
  });

  test.each([
    ['refresh_token', oldToken],
    ['age', tooEarly],
  ] as const)('that comes too early is told by %s', async (checkedFirst, text) => {
    const { exact } = await exactOnline({ checkedFirst });
    const { refreshToken } = exact.authorize(longAgo);
    await renew(exact, refreshToken);
    expect((await renew(exact, refreshToken)).text).toBe(text);
  });

  test('revokes the grant where reuse does', async () => {
    const { exact, clock } = await exactOnline({ reuseRevokes: true });
    const { refreshToken } = exact.authorize(longAgo);
    const { body } = await renew(exact, refreshToken);
    await renew(exact, refreshToken);
    expect(exact.accepts(body.refresh_token ?? '')).toBe(false);
    clock.advance(570_000);
    expect((await renew(exact, body.refresh_token ?? '')).text).toBe(brokenChain);
  });

  test('goes on working for an app that may reuse it', async () => {
    const { exact, clock } = await exactOnline({ refreshTokens: 'reusable' });
    const { refreshToken } = exact.authorize();
    for (const _ of [1, 2, 3]) {
      clock.advance(570_000);
      expect((await renew(exact, refreshToken)).status).toBe(200);
    }
  });
});

describe('a grant', () => {
  test('lapses when it has not been used for 30 days', async () => {
    const { exact, clock } = await exactOnline();
    const { refreshToken } = exact.authorize();
    clock.advance(30 * 86_400_000 - 1);
    const { status, body } = await renew(exact, refreshToken);
    expect(status).toBe(200);
    clock.advance(30 * 86_400_000);
    const lapsed = await renew(exact, body.refresh_token ?? '');
    const description = 'The refresh token expired at 3/16/2026 12:00:29 PM and it is now 3/16/2026 12:00:29 PM.';
    expect([lapsed.status, lapsed.body]).toEqual([400, { error: 'invalid_request', error_description: description }]);
  });

  test('ends when the same user logs in again, and no other', async () => {
    const { exact } = await exactOnline();
    const [first, other] = [exact.authorize({ ...longAgo, user: 'a' }), exact.authorize({ ...longAgo, user: 'b' })];
    exact.authorize({ user: 'a' });
    const replaced = await renew(exact, first.refreshToken);
    expect([replaced.status, replaced.text]).toEqual([400, brokenChain]);
    expect((await renew(exact, other.refreshToken)).status).toBe(200);
  });

  test('goes on beside a second one, where that only adds', async () => {
    const { exact } = await exactOnline({ secondAuthorization: 'adds' });
    const { refreshToken } = exact.authorize(longAgo);
    exact.authorize();
    expect((await renew(exact, refreshToken)).status).toBe(200);
  });

  test('is not there for a refresh token that nobody issued', async () => {
    const { exact } = await exactOnline();
    expect((await renew(exact, 'guess')).text).toBe(brokenChain);
  });
});

describe('a client', () => {
  test('with another secret, and one of another country', async () => {
    const { exact } = await exactOnline();
    const { refreshToken } = exact.authorize(longAgo);
    const wrong = await renew(exact, refreshToken, { client: { ...exact.client, clientSecret: 'guess' } });
    expect([wrong.status, wrong.text]).toEqual([400, '{"error":"invalid_client"}']);
    const unknown = await renew(exact, refreshToken, { client: { ...exact.client, clientId: 'other' } });
    expect([unknown.status, unknown.text]).toEqual([400, "Client with identifier 'other' not found."]);
    expect((await renew(exact, refreshToken)).status).toBe(200);
  });
});

test('a code brings a pair once, and then a text that is no JSON', async () => {
  const { exact } = await exactOnline();
  const redirectUri = 'http://127.0.0.1:1/callback';
  const { clientId: client_id, clientSecret: client_secret } = exact.client;
  const query = new URLSearchParams({ response_type: 'code', client_id, redirect_uri: redirectUri, state: 's' });
  const page = await fetch(`${exact.authorizationEndpoint}?${query}`, { redirect: 'manual' });
  const code = new URL(page.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    client_id,
    client_secret,
  });
  const redeem = async () => fetch(exact.tokenEndpoint, { method: 'POST', body: form });
  const { access_token, refresh_token } = (await (await redeem()).json()) as {
    access_token: string;
    refresh_token: string;
  };
  expect((await me(exact, access_token)).status).toBe(200);
  expect(exact.accepts(refresh_token)).toBe(true);
  const again = await redeem();
  expect([again.status, await again.text()]).toEqual([400, 'Bad Request']);
});

describe('a mishap', () => {
  test('a fault before rotating leaves the refresh token good, one after it does not', async () => {
    for (const [mishap, good] of [
      [mishaps.faultBeforeRotating, true],
      [mishaps.faultAfterRotating, false],
    ] as const) {
      const { exact } = await exactOnline();
      const { refreshToken } = exact.authorize(longAgo);
      exact.next(mishap);
      const { status, body } = await renew(exact, refreshToken);
      expect([status, body]).toMatchObject([
        500,
        { fault: { detail: { errorcode: 'steps.extractvariables.ExecutionFailed' } } },
      ]);
      expect(exact.accepts(refreshToken)).toBe(good);
    }
  });

  test('a slow answer comes 35 s after the token was rotated', async () => {
    const { exact, clock } = await exactOnline();
    const { refreshToken } = exact.authorize(longAgo);
    exact.next(mishaps.slowAfterRotating);
    let answeredAt = 0;
    const answer = renew(exact, refreshToken).finally(() => {
      answeredAt = clock.now();
    });
    const askedAt = clock.now();
    await expect.poll(() => clock.sleeping).toBe(1);
    expect(exact.accepts(refreshToken)).toBe(false);
    clock.advance(34_999);
    expect(clock.sleeping).toBe(1);
    clock.advance(1);
    expect((await answer).status).toBe(200);
    expect(answeredAt - askedAt).toBe(35_000);
  });

  test('a firewall answers with a page for people, and is no error of Exact’s count', async () => {
    const { exact } = await exactOnline({ errorsAnHour: 0 });
    const { refreshToken } = exact.authorize(longAgo);
    exact.next(mishaps.firewall);
    const { status, headers, text } = await renew(exact, refreshToken);
    expect([status, headers.get('content-type')]).toEqual([403, 'text/html']);
    expect(text).toMatch(/^<html>/);
    expect((await renew(exact, refreshToken)).status).toBe(200);
  });

  test('a lost reply has rotated', async () => {
    const { exact } = await exactOnline();
    const { refreshToken } = exact.authorize(longAgo);
    exact.next(mishaps.replyLost);
    await expect(renew(exact, refreshToken)).rejects.toThrow();
    expect(exact.accepts(refreshToken)).toBe(false);
  });

  test('the API may refuse a token that is good', async () => {
    const { exact } = await exactOnline();
    const { accessToken } = exact.authorize();
    exact.nextAtApi({ answer: { status: 401 } });
    expect((await me(exact, accessToken)).status).toBe(401);
    expect((await me(exact, accessToken)).status).toBe(200);
  });
});

test('the ledger tells each call, and no secret', async () => {
  const { exact, clock } = await exactOnline();
  const { refreshToken } = exact.authorize(longAgo);
  const at = clock.now();
  await renew(exact, refreshToken);
  clock.advance(1_000);
  await renew(exact, refreshToken);
  exact.next(mishaps.replyLost);
  await renew(exact, refreshToken).catch(() => {});
  const call = { method: 'POST', path: '/api/oauth2/token', refreshToken: fingerprint(refreshToken) };
  expect(exact.ledger).toEqual([
    { ...call, at, status: 200 },
    { ...call, at: at + 1_000, status: 401, error: 'unauthorized_client' },
    { ...call, at: at + 1_000, status: 0 },
  ]);
  expect(JSON.stringify(exact.ledger)).not.toContain(refreshToken);
});
