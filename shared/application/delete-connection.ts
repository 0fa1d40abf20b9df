/**
 * `DELETE /connections/{connection}` marks the connection. The refresh function does the rest, since only it can read
 * the refresh tokens that have to be revoked.
 */

import { openAttempts } from '../domain/attempts.ts';
import { inOrderOfUse, otherSecretAfterCall } from '../domain/client-secrets.ts';
import { type Attempt, type Connection, type GrantEnded, usedSlots } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import {
  asTaken,
  grantEnded,
  isPatient,
  markDeleted,
  noteGrantEnded,
  postponeDeletion,
  takeDeletion,
} from '../domain/deletion-writes.ts';
import type { Destinations } from '../domain/destinations.ts';
import type { Unrevocable } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { Secret } from '../domain/secret.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import type { Announcer } from '../ports/announcer.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionRemoval, ConnectionStore } from '../ports/connections.ts';
import type { CredentialStore, Credentials } from '../ports/credentials.ts';
import { Misdirected, reasonOf, SealBroken, Unavailable } from '../ports/errors.ts';
import type { Providers } from '../ports/providers.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { RefreshTokenStore } from '../ports/refresh-tokens.ts';
import type { Revocation } from '../ports/revocation.ts';
import type { Sealer } from '../ports/sealer.ts';
import type { SecretRemoval } from '../ports/secret-removal.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { type ClaimWorld, claimHeld, giveBack } from './claim-grant.ts';
import { refreshTokenAt } from './load-secrets.ts';
import { forgotten } from './memories.ts';
import { outcomeOf, type RevocationResult, revocationOf } from './outcome-of.ts';
import { reportSecret } from './report.ts';
import { requestRefresh } from './request-refresh.ts';

export interface DeleteWorld {
  readonly clock: Clock;
  readonly store: ConnectionStore;
  readonly queue: RefreshQueue;
  readonly providers: Providers;
  readonly telemetry: Telemetry;
}

export type DeleteResult =
  | { readonly kind: 'not_found' }
  /** `unrevoked`: why the grant is not revoked at the provider, called `title`; undefined if that will be tried. */
  | {
      readonly kind: 'deleting';
      readonly title: string;
      readonly unrevoked: Unrevocable | undefined;
      readonly generation: number;
    };

/** Marks the connection and asks the refresher to finish. Throws `Unavailable` if it could not be marked. */
export async function deleteConnection(world: DeleteWorld, connection: ConnectionName): Promise<DeleteResult> {
  const { clock, store, providers, telemetry } = world;
  const { applied, item } = await store.apply(connection, markDeleted(clock.now()));
  if (item === undefined) return { kind: 'not_found' };
  const { title, revocationObstacle } = providers.of(item.config);
  const kept = [item.refreshToken, item.spare, ...openAttempts(item)].some((one) => one !== undefined);
  if (applied) telemetry.info('deletion_begun', { connection, provider: item.config.provider });
  await requestRefresh(world, connection);
  await forgotten(world, item);
  const unrevoked = kept ? revocationObstacle : 'no_refresh_token';
  return { kind: 'deleting', title, unrevoked, generation: item.generation };
}

export interface FinishDeletionWorld extends Pick<ClaimWorld, 'claims' | 'providers'> {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'id'>;
  readonly store: ConnectionStore & ConnectionRemoval;
  readonly refreshTokens: Pick<RefreshTokenStore, 'read' | 'lookUp'>;
  readonly credentials: Pick<CredentialStore, 'read'>;
  readonly refreshSealer: Sealer;
  readonly revocation: Revocation;
  readonly secretRemoval: SecretRemoval;
  readonly announcer: Announcer;
  readonly telemetry: Telemetry;
}

/** A deletion that this refresher has taken, and the connection as it was then. */
interface Taken {
  readonly item: Connection;
  readonly since: EpochMs;
  readonly owner: string;
  readonly until: EpochMs;
  /** When the function that has taken it ends. */
  readonly deadline: EpochMs;
}

/**
 * Finishes a deletion while no refresh is under way: ends the grant at the provider, then deletes the secrets and,
 * last, the item. Whatever crashes, the item tells what is left to do. A provider that does not answer is tried for a
 * day. What a store out of reach prevents now is left to the planner.
 */
export async function finishDeletion(
  world: FinishDeletionWorld,
  connection: ConnectionName,
  deadline: EpochMs,
): Promise<void> {
  const owner = world.chance.id();
  try {
    const taken = await take(world, connection, owner);
    if (taken !== undefined) await finish(world, { ...taken, deadline });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    world.telemetry.warn('deletion_postponed', { connection, code: 'store_unavailable', store: error.store, error });
    await giveUp(world, connection, owner);
  }
}

/**
 * Takes the deletion. Undefined if there is nothing to delete, nothing to do now, or another refresher at work on it.
 */
async function take(
  { clock, store }: FinishDeletionWorld,
  connection: ConnectionName,
  owner: string,
): Promise<Omit<Taken, 'deadline'> | undefined> {
  const write = takeDeletion(owner, clock.now());
  const { applied, item } = await store.apply(connection, write);
  return applied && item.deletion !== undefined
    ? { item, since: item.deletion.since, owner, until: write.until }
    : undefined;
}

/** Gives the deletion back. If that fails too, its time ends by itself. */
async function giveUp({ clock, store }: FinishDeletionWorld, connection: ConnectionName, owner: string): Promise<void> {
  try {
    await store.apply(connection, postponeDeletion(owner, plus(clock.now(), limits.deletionRetryMs)));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
  }
}

async function finish(world: FinishDeletionWorld, taken: Taken): Promise<void> {
  const { connection, config } = taken.item;
  const ended = grantEnded(taken.item) ?? (await endGrant(world, taken));
  if (ended === undefined) return;
  await tell(world, taken, ended.kind === 'revoked');
  if (!(await removed(world, taken))) return;
  const { kind, code } = ended;
  const facts = {
    connection,
    provider: config.provider,
    revoked: kind === 'revoked',
    ...(code !== undefined && { code }),
  };
  if (kind === 'failed') world.telemetry.error('connection_deleted', facts);
  else world.telemetry.info('connection_deleted', facts);
}

/**
 * Tells subscribers, before there is no item left that could tell them. For a day the deletion waits for an event bus
 * that is out of reach.
 */
async function tell(
  { clock, announcer, telemetry }: FinishDeletionWorld,
  taken: Taken,
  revoked: boolean,
): Promise<void> {
  const { item, since } = taken;
  const { connection, config, grant } = item;
  const id = `${grant.id}.deleted.${since}`;
  try {
    await announcer.announce({ id, change: 'deleted', connection, provider: config.provider, at: since, revoked });
  } catch (error) {
    if (!(error instanceof Unavailable) || isPatient(taken, clock.now())) throw error;
    telemetry.warn('not_announced', { connection, change: 'deleted', reason: reasonOf(error) });
  }
}

/**
 * Ends the grant and returns how, once that is written down. Undefined if the deletion has to wait, or has been taken
 * by another refresher.
 */
async function endGrant(world: FinishDeletionWorld, taken: Taken): Promise<Omit<GrantEnded, 'versionId'> | undefined> {
  const { clock, store, telemetry } = world;
  const { item, owner } = taken;
  const { connection, config } = item;
  const result = await revoked(world, taken);
  const now = clock.now();
  if (result.kind === 'failed' && isPatient(taken, now)) {
    telemetry.warn('revocation_failed', { connection, provider: config.provider, code: result.code });
    await store.apply(connection, postponeDeletion(owner, plus(now, limits.backOffMaxMs)));
    return undefined;
  }
  const { applied } = await store.apply(connection, noteGrantEnded(item, owner, result));
  if (applied) return result;
  await lookAgain(world, taken, 'changed_meanwhile');
  return undefined;
}

/**
 * Deletes what is left: the secrets, the item, and the claim of the grant. False if another refresher has taken the
 * deletion, or the connection has changed.
 *
 * Secrets are deleted by name, and a connection that is put again has the same names. It cannot be there before the
 * item is gone, and only the owner removes the item, once none of its secrets is being deleted any more. An owner that
 * was paused on the way finds its time over and stops; one that is paused between that look and the request has been
 * ended by Lambda, at its time-out, before another can have the deletion (`deletionLeaseMs`). Should a request still
 * arrive later than that, the next refresher that reads the secret within seven days restores it.
 */
async function removed(world: FinishDeletionWorld, taken: Taken): Promise<boolean> {
  const { clock, store, claims, providers, secretRemoval } = world;
  const { item, owner, until } = taken;
  const { connection, config } = item;
  const key = providers.of(config).grantKey;
  if (!(await secretRemoval.remove(connection, usedSlots(item), () => clock.now() < until)))
    return lookAgain(world, taken, 'time_over');
  // Read before the item is removed, given back after: a PUT of the same name that comes in between has claimed anew,
  // and keeps its claim.
  const claim = key && (await claimHeld({ claims }, connection, key));
  // A connection that is put again under this name is not to meet a memory of this one.
  await forgotten(world, item);
  if (!(await store.remove(connection, asTaken(item, owner)))) return lookAgain(world, taken, 'changed_meanwhile');
  if (key !== undefined && claim !== undefined) await giveBack(world, key, claim);
  return true;
}

/**
 * Gives the deletion back at once, for a refresher to begin again with what there is then. Harmless if another has it
 * already.
 */
async function lookAgain(
  { clock, store, telemetry }: FinishDeletionWorld,
  { item, owner }: Taken,
  code: string,
): Promise<false> {
  telemetry.warn('deletion_postponed', { connection: item.connection, provider: item.config.provider, code });
  await store.apply(item.connection, postponeDeletion(owner, clock.now()));
  return false;
}

/**
 * Revokes every refresh token that may be in force, side by side, since each may take as long as a call may. Returns
 * the worst result.
 */
async function revoked(world: FinishDeletionWorld, taken: Taken): Promise<RevocationResult> {
  const { item } = taken;
  const { connection } = item;
  // At a provider that rotates, a refresh token that an attempt brought and that was not committed is in force, and the
  // committed one is spent.
  const { destinations } = world.providers.of(item.config);
  const orphans = openAttempts(item).map((attempt) => () => orphanOf(world, connection, attempt, destinations));
  const places = [item.refreshToken, item.spare].flatMap((place) =>
    place === undefined ? [] : [() => refreshTokenAt(world, connection, place, destinations)],
  );
  const ends = await Promise.allSettled([...orphans, ...places].map((read) => revokedOne(world, taken, read)));
  const results = ends.flatMap((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value ?? [];
  });
  const [worst] = (['failed', 'refused', 'revoked'] as const).flatMap((how) =>
    results.filter(({ kind }) => kind === how),
  );
  return worst ?? { kind: 'refused', code: 'no_refresh_token' };
}

/** Undefined if there is nothing to revoke. */
async function revokedOne(
  world: FinishDeletionWorld,
  taken: Taken,
  read: () => Promise<Secret | undefined>,
): Promise<RevocationResult | undefined> {
  const { item, since } = taken;
  const { connection, config } = item;
  try {
    const refreshToken = await read();
    if (refreshToken === undefined) return undefined;
    const { destinations } = world.providers.of(config);
    const stored = config.credentials;
    const credentials = stored && (await world.credentials.read(connection, stored.versionId, destinations));
    return await revokedWith(world, taken, refreshToken, credentials ?? {});
  } catch (error) {
    if (error instanceof Misdirected) return { kind: 'refused', code: 'secret_for_another_endpoint' };
    if (error instanceof SealBroken) return { kind: 'refused', code: 'refresh_token_unreadable' };
    // A refresh token that cannot be read for a day is not waited for either.
    if (error instanceof Unavailable && !isPatient({ since }, world.clock.now()))
      return { kind: 'failed', code: 'store_unavailable' };
    throw error;
  }
}

/** Sends it with the client secret that is in use and, if that is refused, once more with the other one. */
async function revokedWith(
  world: FinishDeletionWorld,
  { item, deadline }: Taken,
  refreshToken: Secret,
  credentials: Credentials,
): Promise<RevocationResult> {
  const { clock, providers, revocation } = world;
  const { rules } = providers.of(item.config);
  const sentAs = async (as: Connection) => {
    const inOrder = inOrderOfUse(as, credentials);
    const requestedAt = clock.now();
    const exchange = await revocation.revoke(item.config, refreshToken, inOrder);
    const result = revocationOf(exchange);
    if (result.kind === 'revoked' || rules === undefined) return { result };
    const times = { requestedAt, receivedAt: clock.now() };
    const outcome = outcomeOf(rules, exchange, times, { credentials: inOrder, others: [refreshToken] });
    return { result, refusal: { code: result.code, other: otherSecretAfterCall(as, outcome, times.receivedAt) } };
  };
  const { result, refusal } = await sentAs(item);
  if (refusal?.other === undefined) return result;
  if (plus(clock.now(), limits.callTimeoutMs + limits.commitReserveMs) > deadline)
    return { kind: 'failed', code: refusal.code };
  reportSecret(world, item, refusal.other);
  return (await sentAs({ ...item, clientSecret: refusal.other })).result;
}

async function orphanOf(
  { refreshTokens }: FinishDeletionWorld,
  connection: ConnectionName,
  { slot, versionId }: Attempt,
  destinations: Destinations,
): Promise<Secret | undefined> {
  const found = await refreshTokens.lookUp(connection, slot, versionId);
  if (found.kind === 'unreadable') throw new Unavailable('secrets');
  if (found.kind === 'absent' || found.tokens.refreshToken === undefined) return undefined;
  return refreshTokens.read(connection, slot, versionId, destinations);
}
