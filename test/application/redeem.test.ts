import { expect, test } from 'vitest';
import { type RedeemWorld, redeem } from '../../shared/application/redeem.ts';
import { commitSuccess } from '../../shared/domain/commit-writes.ts';
import type { Connection, ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { create, replaceConfig } from '../../shared/domain/grant-writes.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { plus } from '../../shared/domain/time.ts';
import type { Write } from '../../shared/domain/writes.ts';
import { Unavailable } from '../../shared/ports/errors.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { commitOf, profile } from '../contract/worlds.ts';
import { holding } from '../holding.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { memoryGrantClaims } from '../memory/memory-grant-claims.ts';
import { inSecret } from '../plain.ts';
import { now } from '../providers/loopback.ts';

const connection = 'exact-nl' as ConnectionName;
const config: ConnectionConfig = {
  provider: 'exact-online',
  settings: { country: 'nl' },
  clientId: 'app',
  renewal: 'always',
};
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, count: () => undefined };

type Store = ReturnType<typeof memoryConnections>;

/** Logs in; something happens between the look at the connection, once the code was redeemed, and the write. */
async function loggedIn(
  meanwhile: (store: Store, item: Connection) => Promise<void>,
  store: Store = memoryConnections(),
  answer: object = { access_token: 'a', refresh_token: 'r', token_type: 'Bearer', expires_in: 600 },
) {
  const item = {
    ...create(connection, config, '0', now, 'reauthorization_required', { id: 'old' as GrantId, place: undefined }),
    authorization: { id: 'link', grantId: 'old' as GrantId, configuredAt: now, expiresAt: plus(now, 1_000) },
  };
  await store.create(item);
  let sealed = 0;
  const state = { id: 'link', connection, browser: 'browser', codeVerifier: new Secret('v') };
  const stored: string[] = [];
  const asked: number[] = [];
  const world: RedeemWorld = {
    clock: { now: () => now, sleep: async () => undefined },
    chance: { next: () => 0, id: () => 'redeemer', grantId: () => '00000000-0000-4000-8000' as GrantId },
    store,
    claims: memoryGrantClaims(),
    providers: providersFrom(),
    logins: {
      sealLink: async () => 'link',
      openLink: async () => state,
      sealState: async () => ({ text: 'state', codeVerifier: state.codeVerifier }),
      openState: async () => state,
    },
    authorizationServer: {
      obstacleTo: () => undefined,
      authorizeUrl: async () => new URL('https://provider.example'),
      readResponse: (_, parameters) => ({ kind: 'code', parameters: new Secret(parameters) }),
      redeem: async () => ({ kind: 'reply', status: 200, headers: {}, body: JSON.stringify(answer) }),
    },
    refreshTokens: { storeRefreshToken: async (_c, _s, _v, token) => stored.push(token.reveal()) > 0 },
    credentials: { read: async () => undefined },
    accessSealer: {
      ready: async () => undefined,
      open: async () => new Secret(''),
      seal: async () => {
        sealed += 1;
        if (sealed === 1) await meanwhile(store, item);
        return 'sealed';
      },
    },
    queue: { send: async (_, delayMs) => void asked.push(delayMs), sendAll: async () => undefined },
    telemetry: silent,
  };
  const comeBack = () =>
    redeem(
      world,
      {
        parameters: new URLSearchParams({ state: 'state', code: 'c' }),
        at: connection,
        browser: 'browser',
        apiUrl: 'https://broker.example',
      },
      plus(now, 60_000),
    );
  const redemption = await comeBack();
  return { redemption, found: await store.read(connection), sealed, asked, stored, comeBack };
}

test('settings that are put at the very moment of a login are kept, and so is its grant', async () => {
  const changed: ConnectionConfig = { ...config, account: 'Ann', marginSeconds: 20 };
  const { redemption, found, sealed, asked } = await loggedIn(async (store, item) => {
    expect((await store.apply(connection, replaceConfig(item, changed, plus(now, 1)))).applied).toBe(true);
  });
  expect(redemption).toMatchObject({ kind: 'connected', about: { connection } });
  expect(found).toMatchObject({ config: changed, state: 'active', generation: 1 });
  expect(sealed).toBe(2);
  expect(asked).toEqual([0]);
});

test('a login for a connection that was deleted meanwhile is none for the one that was put again under its name', async () => {
  const again = create(connection, config, '0', plus(now, 1), 'active', {
    id: 'new' as GrantId,
    place: inSecret(0, 'v'),
  });
  const { redemption, found, asked } = await loggedIn(async (store) => {
    await store.remove(connection, []);
    await store.create(again);
  });
  expect(redemption).toMatchObject({ kind: 'changed_meanwhile', about: { connection } });
  expect(found).toEqual(again);
  expect(asked).toEqual([]);
});

test('a login goes on when the reply to the write that comes before its code is lost: the code has not left yet', async () => {
  const store = memoryConnections();
  const lost = new Set<Write>();
  const losing: Store = {
    ...store,
    apply: async (name, write) => {
      const result = await store.apply(name, write);
      if (write.name !== 'redeem_authorization' || lost.has(write)) return result;
      lost.add(write);
      throw new Unavailable('table');
    },
  };
  const { redemption, found } = await loggedIn(async () => undefined, losing);
  expect(redemption).toMatchObject({ kind: 'connected' });
  expect(found).toMatchObject({ state: 'active', generation: 1 });
});

test.each([
  ['no access token', { refresh_token: 'r', expires_in: 600 }],
  ['an access token that no header carries', { access_token: 'a\u0000', refresh_token: 'r' }],
  ['an access token that has expired', { access_token: 'a', refresh_token: 'r', expires_at: '2020-01-01T00:00:00Z' }],
  ['an error beside it', { error: 'server_error', refresh_token: 'r' }],
])('the refresh token of a reply with %s is kept: there is no second code', async (_what, answer) => {
  const { redemption, found, stored, asked } = await loggedIn(async () => undefined, memoryConnections(), answer);
  expect(redemption).toMatchObject({ kind: 'connected_unproven', code: expect.any(String) });
  expect(stored).toEqual(['r']);
  expect(found).toMatchObject({ state: 'active', generation: 0, refreshToken: { kind: 'secret', slot: 0 } });
  expect(found).not.toHaveProperty('tokens');
  expect(found?.authorization).toMatchObject({ outcome: { kind: 'connected' } });
  expect(asked).toEqual([0]);
});

test('a browser that loads the page again is told that nothing is proven yet, until a renewal has brought a token', async () => {
  const store = memoryConnections();
  const { comeBack } = await loggedIn(async () => undefined, store, { error: 'server_error', refresh_token: 'r' });
  expect(await comeBack()).toEqual({ kind: 'connected_unproven', about: expect.objectContaining({ connection }) });
  const item = await store.read(connection);
  if (item === undefined) throw new Error('the connection is gone');
  const [commit] = commitSuccess(holding(item, item.fence, profile), commitOf(item.fence + 1));
  const renewed = await store.apply(connection, { name: 'renewed', when: [], set: commit?.set ?? {}, remove: [] });
  expect(renewed).toMatchObject({ applied: true });
  expect(await comeBack()).toEqual({ kind: 'connected', about: expect.objectContaining({ connection }) });
});

test('a reply without any token brings nothing, and the grant that there is stays', async () => {
  const { redemption, found } = await loggedIn(async () => undefined, memoryConnections(), { error: 'invalid_grant' });
  expect(redemption).toMatchObject({ kind: 'refused' });
  expect(found).toMatchObject({ state: 'reauthorization_required', grant: { id: 'old' } });
});
