/** `DELETE /connections/{connection}`, and what follows from it: only the refresh function can read what has to be revoked. */
import { markDeleted, postponeDeletion } from '../domain/deletion-writes.ts';
import { limits } from '../domain/limits.ts';
import { unresolved } from '../domain/rules.ts';
import { type Attempt, type Connection, type ConnectionName, type Place, plus, type Secret } from '../domain/types.ts';
import type { Revocation, RevocationResult } from '../ports/authorization.ts';
import {
  type Clock,
  type ConnectionStore,
  type CredentialStore,
  type RefreshQueue,
  type RefreshTokenStore,
  SealBroken,
  type Sealer,
  type Telemetry,
  Unavailable,
} from '../ports/index.ts';
import { askToLook } from './ask-to-look.ts';
import { type ClaimWorld, claimHeld, type GrantKeyOf, giveBack } from './claim-grant.ts';

export interface DeleteWorld {
  readonly clock: Clock;
  readonly store: ConnectionStore;
  readonly queue: RefreshQueue;
  readonly telemetry: Telemetry;
}

/** Marks the connection; the rest follows by itself. False if there is none. Throws `Unavailable` if it could not be marked. */
export async function deleteConnection(world: DeleteWorld, connection: ConnectionName): Promise<boolean> {
  const { clock, store, telemetry } = world;
  const { applied, item } = await store.apply(connection, markDeleted(clock.now()));
  if (item === undefined) return false;
  if (applied) telemetry.info('deletion_begun', { connection, provider: item.config.provider });
  await askToLook(world, connection);
  return true;
}

export interface ForgetWorld extends Pick<ClaimWorld, 'claims'> {
  readonly clock: Clock;
  /** `remove` forgets the connection as it was seen; false if a commit came between, or another connection has the name. */
  readonly store: ConnectionStore & { remove(seen: Connection): Promise<boolean> };
  readonly refreshTokens: Pick<RefreshTokenStore, 'read' | 'lookUp'>;
  readonly credentials: Pick<CredentialStore, 'read'>;
  readonly refreshSealer: Sealer;
  readonly revocation: Revocation;
  readonly grantKeyOf: GrantKeyOf;
  /** Deletes all of a connection's secrets. Throws `Unavailable`. */
  readonly removeSecrets: (connection: ConnectionName) => Promise<void>;
  readonly telemetry: Telemetry;
}

/**
 * Revokes the grant of a connection that was deleted and that nobody refreshes, then removes its secrets and, last, its item: whatever
 * crashes, the item tells that there is more to do. Two may be at it, one of them late: each removes only what it has seen. A provider
 * that cannot be told is tried for a day. Throws `Unavailable`: the planner comes back.
 */
export async function forget(world: ForgetWorld, connection: ConnectionName): Promise<void> {
  const { clock, store, telemetry } = world;
  const item = await store.read(connection);
  const now = clock.now();
  if (item?.deletion === undefined || item.deletion.notBefore > now) return;
  const { provider } = item.config;
  const result = await revoked(world, item);
  if (result.kind === 'failed' && now < plus(item.deletion.since, limits.revocationMs)) {
    await store.apply(connection, postponeDeletion(plus(now, limits.backOffMaxMs)));
    telemetry.warn('revocation_failed', { connection, provider, code: result.code });
    return;
  }
  // A slow provider leaves time for much: what was committed meanwhile is not revoked, and the name may be another connection's by now.
  const since = await store.read(connection);
  if (since?.grantId !== item.grantId || since.committedFence !== item.committedFence) return;
  await world.removeSecrets(connection);
  const key = world.grantKeyOf(item.config);
  const claim = key && (await claimHeld(world, connection, key));
  if (!(await store.remove(item))) return;
  if (key !== undefined && claim !== undefined) await giveBack(world, key, claim);
  const facts = { connection, provider, revoked: result.kind === 'revoked', ...('code' in result && { code: result.code }) };
  if (result.kind === 'failed') telemetry.error('connection_deleted', facts);
  else telemetry.info('connection_deleted', facts);
}

/** Revokes all that may be in force, side by side, since each may take as long as a call may. The worst that comes of it is how it went. */
async function revoked(world: ForgetWorld, item: Connection): Promise<RevocationResult> {
  // At a provider that rotates, what an attempt has brought and nobody committed is in force, and the committed refresh token is spent.
  const orphans = unresolved(item).map((attempt) => () => orphanOf(world, item.connection, attempt));
  const places = [item.refreshToken, item.spare].flatMap((place) => (place === undefined ? [] : [() => refreshTokenAt(world, item.connection, place)]));
  const results = (await Promise.all([...orphans, ...places].map((read) => revokedOne(world, item, read)))).filter((result) => result !== undefined);
  const worst = (['failed', 'refused', 'revoked'] as const).map((how) => results.find(({ kind }) => kind === how));
  return worst.find((result) => result !== undefined) ?? { kind: 'refused', code: 'no_refresh_token' };
}

/** Undefined if there is nothing to revoke. */
async function revokedOne(
  { credentials, revocation }: ForgetWorld,
  { connection, config }: Connection,
  read: () => Promise<Secret | undefined>,
): Promise<RevocationResult | undefined> {
  try {
    const refreshToken = await read();
    if (refreshToken === undefined) return undefined;
    const stored = config.credentials && (await credentials.read(connection, config.credentials.versionId));
    return await revocation.revoke(config, refreshToken, stored ?? {});
  } catch (error) {
    if (error instanceof SealBroken) return { kind: 'refused', code: 'refresh_token_unreadable' };
    if (error instanceof Unavailable) return { kind: 'failed', code: 'store_unavailable' };
    throw error;
  }
}

async function orphanOf({ refreshTokens }: ForgetWorld, connection: ConnectionName, { slot, versionId }: Attempt): Promise<Secret | undefined> {
  const found = await refreshTokens.lookUp(connection, slot, versionId);
  if (found.kind === 'unreadable') throw new Unavailable('secrets');
  return found.kind === 'found' ? found.tokens.refreshToken : undefined;
}

async function refreshTokenAt({ refreshTokens, refreshSealer }: ForgetWorld, connection: ConnectionName, place: Place): Promise<Secret | undefined> {
  const { versionId, slot = 0, sealed } = place;
  return sealed === undefined ? refreshTokens.read(connection, slot, versionId) : refreshSealer.open(sealed, { connection, versionId });
}
