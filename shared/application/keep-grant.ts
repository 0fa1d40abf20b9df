/** Keeps the grant that a login brought. */
import { authorized } from '../domain/authorization-writes.ts';
import {
  type Connection,
  type Grant,
  type PendingAuthorization,
  type PlaceInSecret,
  versionIdOf,
} from '../domain/connection.ts';
import { firstPlace } from '../domain/grant-writes.ts';
import { type GrantId, nextFence } from '../domain/ids.ts';
import { limits } from '../domain/limits.ts';
import type { Secret } from '../domain/secret.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import type { TokenSet } from '../domain/token-set.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import { Unavailable } from '../ports/errors.ts';
import type { Provider, Providers } from '../ports/providers.ts';
import type { ImportedRefreshTokens } from '../ports/refresh-tokens.ts';
import type { Sealer } from '../ports/sealer.ts';
import { sealedTextOf } from './sealed-token.ts';

export interface KeepWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: ConnectionStore;
  readonly providers: Providers;
  readonly refreshTokens: ImportedRefreshTokens;
  readonly accessSealer: Sealer;
}

/** What the code brought, and what the grant belongs to. */
interface Redeemed {
  /** Undefined where nothing of the reply could be used but its refresh token. */
  readonly tokens: TokenSet | undefined;
  readonly refreshToken: Secret | undefined;
  readonly identity: Provider['identity'];
  readonly values: Grant['values'];
  /** The link that led here, with its redeemer. */
  readonly authorization: PendingAuthorization;
}

/**
 * Stores the refresh token, then puts the grant in the place of the one there is. Retries until shortly before the
 * deadline: there is no second code. Throws `Unavailable` if that was not enough.
 */
export async function keepGrant(
  world: KeepWorld,
  before: Connection,
  redeemed: Redeemed,
  deadline: EpochMs,
): Promise<'connected' | 'no_refresh_token' | 'changed_meanwhile'> {
  const { connection } = before;
  const { refreshToken } = redeemed;
  if (refreshToken === undefined) return 'no_refresh_token';
  const grantId = world.chance.grantId();
  const place = firstPlace(grantId);
  const { destinations } = world.providers.of(before.config);
  const isFirst = before.generation === 0 && before.refreshToken === undefined;
  await patiently(world, deadline, () =>
    world.refreshTokens.storeRefreshToken(connection, place.slot, place.versionId, refreshToken, destinations, isFirst),
  );
  for (;;) {
    const committed = await patiently(world, deadline, () => commit(world, before, { ...redeemed, grantId, place }));
    if (committed === 'applied') return 'connected';
    if (committed === 'another') return 'changed_meanwhile';
    // A renewal of the old grant came between the look and the write; there are only so many of them.
    if (plus(world.clock.now(), limits.commitReserveMs) > deadline) throw new Unavailable('table');
  }
}

type New = Redeemed & { readonly grantId: GrantId; readonly place: PlaceInSecret };

async function commit(
  world: KeepWorld,
  before: Connection,
  { grantId, place, tokens, identity, values, authorization }: New,
): Promise<'applied' | 'lost' | 'another'> {
  const { clock, store, accessSealer, providers } = world;
  const item = await store.read(before.connection);
  if (item?.grant.id === grantId) return 'applied';
  // Deleted, or put to use with another client: the grant is not one for it. Or another login, or an import, came
  // meanwhile, if not another connection under the name: it is the newer one, and where a provider knows only one grant
  // it has ended this one.
  if (item === undefined || item.deletion !== undefined || item.grant.id !== before.grant.id) return 'another';
  const provider = providers.of(item.config);
  if (provider.rules === undefined || provider.identity !== identity) return 'another';
  const binding = { connection: item.connection, versionId: versionIdOf(grantId, nextFence(item.fence)) };
  const first = tokens && { tokens, sealedAccessToken: await accessSealer.seal(sealedTextOf(tokens), binding) };
  const write = authorized(
    { item, profile: provider.rules.profile(item) },
    { grantId, place, first, authorization, ...(values && { values }) },
    clock.now(),
  );
  return (await store.apply(item.connection, write)).applied ? 'applied' : 'lost';
}

async function patiently<T>({ clock, chance }: KeepWorld, deadline: EpochMs, act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const pauseMs = limits.commitRetryMs * (1 + chance.next());
      if (!(error instanceof Unavailable) || plus(clock.now(), pauseMs + limits.commitReserveMs) > deadline)
        throw error;
      await clock.sleep(pauseMs);
    }
  }
}
