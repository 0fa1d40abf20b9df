import { expect, test } from 'vitest';
import { memoryConnections } from '../../shared/adapters/memory-connections.ts';
import { memoryGrantClaims } from '../../shared/adapters/memory-grant-claims.ts';
import { type RedeemWorld, redeem } from '../../shared/application/redeem.ts';
import { create, replaceConfig } from '../../shared/domain/grant-writes.ts';
import { type ConnectionConfig, type ConnectionName, plus, Secret } from '../../shared/domain/types.ts';
import type { AuthorizationState } from '../../shared/ports/authorization.ts';
import { profileOf } from '../../shared/providers/profile.ts';
import { now } from '../providers/loopback.ts';

const connection = 'exact-nl' as ConnectionName;
const config: ConnectionConfig = { provider: 'exact-online', settings: { country: 'nl' }, clientId: 'app', renewal: 'always' };
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, count: () => undefined };

test('settings that are put at the very moment of a login are kept, and so is its grant', async () => {
  const store = memoryConnections();
  const item = { ...create(connection, config, '0', now, 'reauthorization_required', { grantId: 'old', place: undefined }), authorization: { id: 'link' } };
  await store.create(item);
  const changed: ConnectionConfig = { ...config, account: 'Ann', marginSeconds: 20 };
  let sealed = 0;
  const state: AuthorizationState = {
    id: 'link',
    connection,
    grantId: 'old',
    configuredAt: now,
    redirectUri: 'https://broker.example/oauth/callback',
    codeVerifier: new Secret('v'),
    expiresAt: plus(now, 1_000),
  };
  const tokens = { accessToken: new Secret('a'), refreshToken: new Secret('r'), tokenType: 'Bearer', requestedAt: now, receivedAt: now };
  const asked: number[] = [];
  const world: RedeemWorld = {
    clock: { now: () => now, sleep: async () => undefined },
    chance: { next: () => 0, id: () => 'redeemer', grantId: () => '00000000-0000-4000-8000' },
    store,
    claims: memoryGrantClaims(),
    grantKeyOf: () => undefined,
    states: { open: async () => state, seal: async () => 'state' },
    authorizationServer: {
      newCodeVerifier: () => new Secret('v'),
      authorizeUrl: async () => 'no_login',
      readResponse: (_, parameters) => ({ kind: 'code', parameters: new Secret(parameters) }),
      redeem: async () => ({ kind: 'success', tokens: { ...tokens, expiresAt: plus(now, 600_000) } }),
    },
    refreshTokens: { storeRefreshToken: async () => true },
    credentials: { read: async () => undefined },
    accessSealer: {
      ready: async () => undefined,
      open: async () => new Secret(''),
      // Between the look at the connection and the write.
      seal: async () => {
        sealed += 1;
        if (sealed === 1) expect((await store.apply(connection, replaceConfig(item, changed, plus(now, 1)))).applied).toBe(true);
        return 'sealed';
      },
    },
    profileOf: (seen) => profileOf(seen),
    identityOf: ({ clientId = '' }) => clientId,
    queue: { send: async (_, delayMs) => void asked.push(delayMs), sendAll: async () => undefined },
    telemetry: silent,
  };
  expect(await redeem(world, new URLSearchParams({ state: 'state', code: 'c' }), plus(now, 60_000))).toEqual({ kind: 'connected', connection });
  expect(await store.read(connection)).toMatchObject({ config: changed, state: 'active', generation: 1 });
  expect(sealed).toBe(2);
  expect(asked).toEqual([0]);
});
