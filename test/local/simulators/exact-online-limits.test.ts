/** What Exact Online bears, and what it does beyond: both sides of each limit. */
import { describe, expect, test } from 'vitest';
import { exactOnline, me, renew } from './exact.ts';

const hourMs = 3_600_000;

describe('errors', () => {
  test('ten in an hour are borne; the eleventh blocks the key for an hour, on every endpoint', async () => {
    const { exact, clock } = await exactOnline();
    const { accessToken, refreshToken } = exact.authorize({ secondsAgo: 580 });
    for (let error = 1; error <= 10; error += 1) expect((await me(exact, 'stale')).status).toBe(401);
    expect((await me(exact, accessToken)).status).toBe(200);
    expect((await me(exact, 'stale')).status).toBe(401);
    const blockedAt = clock.now();
    expect((await me(exact, accessToken)).status).toBe(429);
    expect((await renew(exact, refreshToken)).status).toBe(429);
    clock.advance(hourMs - 1);
    expect((await renew(exact, refreshToken)).status).toBe(429);
    clock.advance(1);
    expect((await renew(exact, refreshToken)).status).toBe(200);
    expect(exact.blockedMs(blockedAt, clock.now())).toBe(hourMs);
    expect(exact.blockedMs(blockedAt + 1_000, blockedAt + 3_000)).toBe(2_000);
  });

  test('are forgotten after an hour', async () => {
    const { exact, clock } = await exactOnline({ errorsAnHour: 1 });
    const { accessToken } = exact.authorize();
    await me(exact, 'stale');
    clock.advance(hourMs);
    await me(exact, 'stale');
    clock.advance(hourMs - 1);
    expect((await me(exact, 'stale')).status).toBe(401);
    expect((await me(exact, accessToken)).status).toBe(429);
  });

  test('are counted apart for each endpoint and user', async () => {
    const { exact, clock } = await exactOnline({ errorsAnHour: 1 });
    const [a, b] = [exact.authorize({ user: 'a' }), exact.authorize({ user: 'b' })];
    clock.advance(569_000);
    await renew(exact, a.refreshToken);
    await renew(exact, b.refreshToken);
    clock.advance(31_000);
    expect((await me(exact, a.accessToken)).status).toBe(401);
    expect((await me(exact, b.accessToken)).status).toBe(401);
    expect((await renew(exact, b.refreshToken)).status).toBe(200);
    await me(exact, a.accessToken);
    expect((await me(exact, b.accessToken)).status).toBe(429);
  });

  test('that go on after a block bring a longer one, until a day has been quiet', async () => {
    const { exact, clock } = await exactOnline({ errorsAnHour: 0 });
    const nextBlockHours = async () => {
      await me(exact, 'stale');
      return exact.blockedMs(clock.now(), clock.now() + 100 * hourMs) / hourMs;
    };
    expect(await nextBlockHours()).toBe(1);
    clock.advance(hourMs);
    expect(await nextBlockHours()).toBe(2);
    clock.advance(26 * hourMs - 1);
    expect(await nextBlockHours()).toBe(3);
    clock.advance(27 * hourMs);
    expect(await nextBlockHours()).toBe(1);
  });

  test.each([400, 401, 404])('%i counts', async (status) => {
    const { exact } = await exactOnline({ errorsAnHour: 0 });
    const { accessToken, refreshToken } = exact.authorize();
    if (status === 400) await renew(exact, refreshToken);
    if (status === 401) await me(exact, 'stale');
    if (status === 404) await fetch(`${exact.url}/api/v1/nothing`);
    expect((await me(exact, accessToken)).status).toBe(429);
  });
});

describe('calls', () => {
  test('sixty in a minute are answered; then 429 until the next minute, with the minutely headers only', async () => {
    const { exact, clock } = await exactOnline();
    const { accessToken } = exact.authorize();
    for (let call = 1; call < 60; call += 1) await me(exact, accessToken);
    const last = await me(exact, accessToken);
    expect([
      last.status,
      last.headers.get('x-ratelimit-minutely-remaining'),
      last.headers.get('x-ratelimit-remaining'),
    ]).toEqual([200, '0', '4940']);
    const refused = await me(exact, accessToken);
    expect([refused.status, refused.text]).toEqual([429, '']);
    // It is 30 s past the minute.
    expect(refused.headers.get('x-ratelimit-minutely-reset')).toBe(String(clock.now() + 30_000));
    expect([refused.headers.get('x-ratelimit-reset'), refused.headers.get('retry-after')]).toEqual([null, null]);
    clock.advance(29_999);
    expect((await me(exact, accessToken)).status).toBe(429);
    clock.advance(1);
    expect((await me(exact, accessToken)).status).toBe(200);
  });

  test('so many in a day, with the daily headers only', async () => {
    const { exact, clock } = await exactOnline({ callsADay: 2, lifetimeSeconds: 100_000 });
    const { accessToken } = exact.authorize();
    for (const _ of [1, 2]) expect((await me(exact, accessToken)).status).toBe(200);
    const refused = await me(exact, accessToken);
    expect([refused.status, refused.headers.get('x-ratelimit-minutely-reset')]).toEqual([429, null]);
    const reset = Number(refused.headers.get('x-ratelimit-reset'));
    clock.advance(reset - clock.now() - 1);
    expect((await me(exact, accessToken)).status).toBe(429);
    clock.advance(1);
    expect((await me(exact, accessToken)).status).toBe(200);
  });

  test('of the token endpoint have a daily limit of their own, if they have one', async () => {
    const { exact } = await exactOnline({ tokenCallsADay: 1, minTokenAgeSeconds: 0 });
    const { refreshToken } = exact.authorize();
    const { status, body } = await renew(exact, refreshToken);
    expect(status).toBe(200);
    expect((await renew(exact, body.refresh_token ?? '')).status).toBe(429);
    expect(exact.accepts(body.refresh_token ?? '')).toBe(true);
  });
});
