import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { classify } from '../../shared/domain/classify.ts';
import type { Connection, ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Fence, Generation, GrantId } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import { refreshAtOf } from '../../shared/domain/timing.ts';
import { byName } from '../../shared/providers/by-name.ts';
import { dialectOf } from '../../shared/providers/dialect.ts';
import { profileOf } from '../../shared/providers/profile.ts';
import { destinationsOf, identityOf, resolveProvider } from '../../shared/providers/resolve.ts';
import { newPreset } from './new-preset.ts';

const generic = { token_endpoint: 'https://id.example.com/token' };

function connection(
  provider: string,
  settings: Record<string, unknown>,
  differing: Partial<ConnectionConfig> = {},
  lifetimeSeconds?: number,
): Connection {
  return {
    connection: 'c' as ConnectionName,
    config: { provider, settings, clientId: 'id', renewal: 'always', ...differing },
    createdAt: 0 as EpochMs,
    configuredAt: 0 as EpochMs,
    calls: { day: 0, count: 0, failing: {}, codes: {} },
    state: 'active',
    grant: { id: 'g' as GrantId, at: 0 as EpochMs },
    generation: 1 as Generation,
    fence: 1 as Fence,
    committedFence: 1 as Fence,
    attempts: {},
    slots: 2,
    dueShard: '0',
    ...(lifetimeSeconds === undefined
      ? {}
      : {
          tokens: {
            sealed: 'sealed',
            fence: 1 as Fence,
            type: 'Bearer',
            requestedAt: 1_000_000 as EpochMs,
            receivedAt: 1_000_000 as EpochMs,
            expiresAt: (1_000_000 + lifetimeSeconds * 1_000) as EpochMs,
            renewableAt: 1_000_000 as EpochMs,
            contested: false,
          },
        }),
  };
}

const genericProfile = (settings: Record<string, unknown> = {}, lifetimeSeconds?: number) =>
  profileOf(connection('generic-oauth2', { ...generic, ...settings }, {}, lifetimeSeconds));

describe('the profile', () => {
  test('of Exact Online', () => {
    expect(profileOf(connection('exact-online', { country: 'nl' }))).toEqual({
      grant: 'refresh_token',
      marginMs: 30_000,
      minTokenAgeMs: 574_000,
      // Without effect: the least age leaves nothing to spread over.
      spreadShare: 0.1,
      defaultLifetimeMs: 600_000,
      ambiguousRetry: 'after_holder',
      callTimeoutMs: 60_000,
      // 151 renewals a day over secrets that take 90 versions each.
      slots: 2,
      renewal: 'always',
      keepAliveMs: 604_800_000,
      grantIdleMs: 2_592_000_000,
      errorsPerHour: 8,
      callsPerDay: 190,
      firstDelayMs: { default: 5_000, time_out: 1_000, http_429: 60_000, http_500: 15_000 },
    });
  });

  test('of a server of which nothing is said assumes the worst', () => {
    expect(genericProfile()).toMatchObject({
      grant: 'refresh_token',
      ambiguousRetry: 'after_holder',
      minTokenAgeMs: 0,
      marginMs: 30_000,
      callTimeoutMs: 60_000,
      slots: 1,
    });
  });

  test('takes the settings of the connection', () => {
    expect(genericProfile({ min_token_age_seconds: 100, lifetime_seconds: 300 })).toMatchObject({
      minTokenAgeMs: 100_000,
      defaultLifetimeMs: 300_000,
    });
    expect(
      profileOf(connection('generic-oauth2', generic, { marginSeconds: 120, renewal: 'while_used' })),
    ).toMatchObject({
      marginMs: 120_000,
      renewal: 'while_used',
    });
  });

  test('replays at once only where a used refresh token stays good', () => {
    expect(genericProfile({ refresh_token_rotation: 'single_use' }).ambiguousRetry).toBe('after_holder');
    expect(genericProfile({ refresh_token_rotation: 'none' }).ambiguousRetry).toBe('at_once');
    expect(genericProfile({ refresh_token_rotation: 'grace', grace_seconds: 60 }).ambiguousRetry).toBe('at_once');
    expect(genericProfile({ refresh_token_rotation: 'until_successor_used' })).toMatchObject({
      ambiguousRetry: 'at_once',
      predecessorStays: true,
    });
    expect(genericProfile({ refresh_token_rotation: 'none' }).predecessorStays).toBeUndefined();
    expect(genericProfile({ renewal_ends: 'previous_token' }).renewalEndsPrevious).toBe(true);
    expect(genericProfile({ renewal_ends: 'nothing' }).renewalEndsPrevious).toBeUndefined();
    expect(genericProfile({ grant: 'client_credentials' }).ambiguousRetry).toBe('at_once');
  });

  test('spreads renewals, but where one ends the token before', () => {
    expect(genericProfile().spreadShare).toBe(0.1);
    expect(genericProfile({ renewal_ends: 'previous_token' }).spreadShare).toBeUndefined();
  });

  test('waits for an answer no longer than 10 s before the end of a grace period, nor than a minute', () => {
    expect(genericProfile({ refresh_token_rotation: 'grace', grace_seconds: 69 }).callTimeoutMs).toBe(59_000);
    expect(genericProfile({ refresh_token_rotation: 'grace', grace_seconds: 71 }).callTimeoutMs).toBe(
      limits.callTimeoutMs,
    );
  });

  test('keeps no grant alive where there is none', () => {
    expect(genericProfile()).toHaveProperty('keepAliveMs');
    expect(genericProfile({ grant: 'client_credentials' })).not.toHaveProperty('keepAliveMs');
  });

  test('does not let its own margin reach into an age that is too young', () => {
    // 900 − 880 s, and the skew of two clocks.
    expect(genericProfile({ min_token_age_seconds: 880, lifetime_seconds: 900 }).marginMs).toBe(24_000);
  });

  test.each([
    ['as assumed, before the first token', undefined, 1],
    ['one renewal in 960 s: exactly 90 a day', 990, 1],
    ['a second less', 989, 2],
    ['a margin is at most half a life: one renewal in 27.5 s', 55, 35],
    ['a short life', 20, 40],
    ['a token that lives for an instant', 0, 40],
  ])('has a slot for every 90 renewals a day: %s', (_, lifetimeSeconds, slots) => {
    expect(genericProfile({}, lifetimeSeconds).slots).toBe(slots);
  });

  test('has one slot where nothing is ever stored in it, however short the cycle', () => {
    expect(genericProfile({ grant: 'client_credentials' }, 20).slots).toBe(1);
  });

  test('of an unknown provider is an error that names it and the known ones', () => {
    expect(() => profileOf(connection('nobody', {}))).toThrow(/"nobody".*exact-online.*generic-oauth2/);
    expect(() => profileOf(connection('constructor', {}))).toThrow(/unknown provider/);
  });
});

describe('the token endpoint', () => {
  test('has the country in it', () => {
    const endpoint = (settings: Record<string, unknown>) =>
      resolveProvider({ provider: 'exact-online', settings }).tokenEndpoint?.href;
    expect(endpoint({ country: 'co.uk' })).toBe('https://start.exactonline.co.uk/api/oauth2/token');
    expect(endpoint({ country: 'nl', token_endpoint: 'http://127.0.0.1:9/t' })).toBe('http://127.0.0.1:9/t');
    expect(() => endpoint({})).toThrow(/no token endpoint/);
  });

  test('is another one at Zoho in Canada (n8n#26021)', () => {
    const endpoint = (region: string) =>
      resolveProvider({ provider: 'zoho', settings: { region } }).tokenEndpoint?.href;
    expect(endpoint('ca')).toBe('https://accounts.zohocloud.ca/oauth/v2/token');
    expect(endpoint('eu')).toBe('https://accounts.zoho.eu/oauth/v2/token');
  });

  test('is part of what a grant is bound to, as are provider and client', () => {
    const { config } = connection('generic-oauth2', generic);
    expect(
      identityOf({ ...config, renewal: 'while_used', marginSeconds: 60, settings: { ...generic, scope: 'x' } }),
    ).toBe(identityOf(config));
    expect(identityOf({ ...config, clientId: 'other' })).not.toBe(identityOf(config));
    expect(identityOf({ ...config, settings: { token_endpoint: 'https://id.example.com/other' } })).not.toBe(
      identityOf(config),
    );
    expect(identityOf({ ...config, provider: 'gone' })).not.toBe(identityOf(config));
    // Where a grant is revoked does not tell whose it is.
    const revocable = { ...config, settings: { ...generic, revocation_endpoint: 'https://id.example.com/revoke' } };
    expect(identityOf(revocable)).toBe(identityOf(config));
    const { token_endpoint, ...others } = destinationsOf(revocable);
    expect(others).toEqual({ revocation_endpoint: 'https://id.example.com/revoke' });
    expect(destinationsOf(config)).toEqual({ token_endpoint });
    expect(destinationsOf({ provider: 'exact-online', settings: { country: 'nl' } })).toEqual({
      token_endpoint: 'exact-online country=nl',
    });
  });
});

test('a provider is added by one record of data', () => {
  const presets = byName([newPreset]);
  const { config, ...item } = connection('new-books', { region: 'test' });
  expect(resolveProvider(config, presets).tokenEndpoint?.href).toBe('https://id.newbooks.test/token');
  expect(profileOf({ ...item, config }, presets)).toMatchObject({
    ambiguousRetry: 'at_once',
    callTimeoutMs: 50_000,
    firstDelayMs: { default: 7_000, http_503: 21_000 },
  });
  const at = { requestedAt: 0 as EpochMs, receivedAt: 1 as EpochMs };
  const dialect = dialectOf(config, presets);
  expect(classify({ kind: 'reply', status: 418, headers: {}, body: '' }, at, [], dialect)).toMatchObject({
    class: 'too_early',
  });
  expect(
    classify(
      { kind: 'reply', status: 200, headers: {}, body: '{"access_token":"a","expires_in":900000}' },
      at,
      [],
      dialect,
    ),
  ).toMatchObject({
    tokens: { expiresAt: 900_000 },
  });
});

describe('docs/operations.md', () => {
  const manual = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
  const number = (text = ''): number => Number(text.replaceAll(',', ''));
  const priced = /^\| ([\d,]+) s(.*?) \| ([\d,]+) s \| ([\d,]+) \| (\d) \+ 1 \| \$(.+) \| \$(.+) \| \$(.+) \|$/gm;
  const rows = [...manual.matchAll(priced)].map(
    ([, lifetime, of, cycle, renewals, slots, secrets, calls, together]) => ({
      lifetime: number(lifetime),
      of: of ?? '',
      said: {
        cycle: number(cycle),
        renewals: number(renewals),
        slots: number(slots),
        secrets: number(secrets),
        calls: number(calls),
        together: number(together),
      },
    }),
  );
  const dollars = (amount: number): number => Math.round(amount * 100) / 100;

  test('has prices of connections', () => expect(rows).toHaveLength(5));

  const [, aMillion] = /renewals a month, \$(\d+) a million/.exec(manual) ?? [];
  test('says what a million renewals cost, and of what that is the sum', () => {
    const [, said, parts = ''] = /A million renewals cost \$(\d+):([^:]+?)\.\n\n/.exec(manual) ?? [];
    const sum = [...parts.matchAll(/\(\$([\d.]+)|\$([\d.]+)\)/g)].reduce((all, [, a, b]) => all + number(a ?? b), 0);
    expect([Math.round(sum), number(said)]).toEqual([number(aMillion), number(aMillion)]);
  });

  test.each(rows)('says what a connection costs whose token lives $lifetime s$of', ({ lifetime, of, said }) => {
    const profile = of.includes('Exact Online')
      ? profileOf(connection('exact-online', { country: 'nl' }))
      : genericProfile(of.includes('no refresh token') ? { grant: 'client_credentials' } : {}, lifetime);
    const start = 0 as EpochMs;
    const tokens = { requestedAt: start, receivedAt: start, expiresAt: plus(start, lifetime * 1_000) };
    const cycle = refreshAtOf(tokens, profile, 0.5) / 1_000;
    const renewals = Math.round((30 * 86_400) / cycle);
    // Nothing is ever stored in the slot of a grant without refresh tokens.
    const slots = profile.grant === 'refresh_token' ? profile.slots : 0;
    const secrets = dollars((slots + 1) * 0.4);
    const calls = dollars((renewals * number(aMillion)) / 1_000_000);
    expect(said).toEqual({ cycle, renewals, slots, secrets, calls, together: dollars(secrets + calls) });
  });
});
