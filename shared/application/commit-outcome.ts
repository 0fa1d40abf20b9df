/**
 * Keeping what a call came to: first the refresh token, wherever it can be kept, then everything else in one commit.
 */

import { lookForNotes } from '../domain/announcements.ts';
import type { Commit } from '../domain/commit-writes.ts';
import { type Connection, inSecret, versionIdOf } from '../domain/connection.ts';
import { resumeDeletion } from '../domain/deletion-writes.ts';
import type { Held } from '../domain/held.ts';
import type { EffectOf, Event } from '../domain/steps.ts';
import type { Received } from '../domain/token-set.ts';
import { SealBroken, Unavailable } from '../ports/errors.ts';
import { type Run, seenBy } from './refresh-world.ts';
import { type Committed, reportFailure, reportSuccess } from './report.ts';
import { commitUntilDeadline, withRetries } from './retry-writes.ts';
import { openedTextOf, sealedRefreshToken, sealedTextOf } from './sealed-token.ts';

/** The store of secrets gets its budget; then the token is sealed, to travel with the commit. */
export async function persist(run: Run, { held, outcome, tokens, refreshToken }: EffectOf<'persist'>): Promise<Event> {
  const { world, connection } = run;
  const { slot, versionId } = held.attempt;
  const stored = await storeWithin(run, run.protocol.persistBudgetMs, held, tokens);
  if (stored) return { kind: 'persisted', held, outcome, place: inSecret(slot, versionId) };
  world.telemetry.count('RefreshTokenSealed', 1, held.seen.item.config.provider);
  const { destinations } = world.providers.of(held.seen.item.config);
  const text = sealedRefreshToken(refreshToken, destinations);
  const sealed = await world.refreshSealer.seal(text, { connection, versionId });
  return { kind: 'persisted', held, outcome, place: { kind: 'sealed', versionId, sealed } };
}

async function storeWithin(
  { world, connection }: Run,
  budgetMs: number,
  held: Held,
  tokens: Received,
): Promise<boolean> {
  const { clock, refreshTokens, providers } = world;
  const { destinations } = providers.of(held.seen.item.config);
  const { slot, versionId } = held.attempt;
  const over = new AbortController();
  const store = refreshTokens.persist(connection, slot, versionId, tokens, destinations).catch(() => false);
  const stored = await Promise.race([store, clock.sleep(budgetMs, over.signal).then(() => false)]);
  over.abort('over');
  return stored;
}

export async function commitSuccess(run: Run, effect: EffectOf<'commit_success'>): Promise<Event> {
  const { held, place, adoptedFence } = effect;
  const adopted = adoptedFence !== undefined;
  const committed = await commitOver(run, held, effect);
  reportSuccess(run.world, held, committed, adopted);
  const done = await looksKept(run, committed);
  if (done.kind === 'refused') return { kind: 'success_refused', held, place };
  return done.kind === 'applied'
    ? { kind: 'success_committed', adopted, seen: seenBy(run, done.item) }
    : { kind: 'commit_abandoned' };
}

/**
 * Adds what a reply leaves out and the token set before has: where to call the API, which some servers tell at a login
 * only; and whether its access token is the same. What cannot be opened is not missed.
 */
async function withWhatStays({ world, connection }: Run, item: Connection, tokens: Received) {
  const { tokens: current, grant } = item;
  if (current?.sealed === undefined || tokens.accessToken === undefined) return tokens;
  try {
    const versionId = versionIdOf(grant.id, current.fence);
    const before = openedTextOf(await world.accessSealer.open(current.sealed, { connection, versionId }));
    const endpoint = tokens.companions?.endpoint ?? before.companions?.endpoint;
    return {
      ...tokens,
      ...(endpoint !== undefined && { companions: { ...tokens.companions, endpoint } }),
      again: !tokens.expiryAssumed && before.accessToken.reveal() === tokens.accessToken.reveal(),
    };
  } catch (error) {
    if (error instanceof Unavailable || error instanceof SealBroken) return tokens;
    throw error;
  }
}

/**
 * Commits over what was seen; over what an older holder has committed meanwhile, if that is what refused it. What stays
 * of the token set before, and whether it comes again, is told by the one that is replaced.
 */
async function commitOver(run: Run, held: Held, effect: Omit<EffectOf<'commit_success'>, 'do'>): Promise<Committed> {
  const { seen, lease } = held;
  const { place, contested, adoptedFence, overtaken, spread } = effect;
  const tokens = await withWhatStays(run, seen.item, effect.tokens);
  const sealed = await sealedFor(run, held, tokens);
  if (sealed === 'unavailable') return { kind: 'abandoned' };
  const { sealedAccessToken } = sealed;
  const commit: Commit = { tokens, sealedAccessToken, place, contested, adoptedFence, overtaken, spread };
  const writes = run.protocol.commitSuccess(held, commit);
  const done = await commitUntilDeadline(run.world, run.connection, run.deadline, writes);
  const now = done.kind === 'refused' ? done.item : undefined;
  const older =
    now !== undefined &&
    now.grant.id === seen.item.grant.id &&
    now.generation > seen.item.generation &&
    now.committedFence < lease.fence;
  if (!older) return done;
  return commitOver(run, { ...held, seen: { ...seen, item: now } }, { ...effect, overtaken: now.refreshToken });
}

async function sealedFor({ world, connection }: Run, { seen: { item }, attempt: { fence } }: Held, tokens: Received) {
  if (tokens.accessToken === undefined) return { sealedAccessToken: undefined };
  try {
    const binding = { connection, versionId: versionIdOf(item.grant.id, fence) };
    return { sealedAccessToken: await world.accessSealer.seal(sealedTextOf(tokens), binding) };
  } catch (error) {
    if (error instanceof Unavailable) return 'unavailable';
    throw error;
  }
}

export async function commitFailure(run: Run, { held, commit }: EffectOf<'commit_failure'>): Promise<Event> {
  const write = run.protocol.commitFailure(held, commit);
  const committed = await commitUntilDeadline(run.world, run.connection, run.deadline, [write]);
  reportFailure(run.world, held, committed, commit);
  const done = await looksKept(run, committed);
  switch (done.kind) {
    case 'applied':
      return { kind: 'failure_committed', notBefore: commit.notBefore, seen: seenBy(run, done.item) };
    case 'refused':
      return { kind: 'failure_refused', held, place: commit.place };
    case 'abandoned':
      return { kind: 'commit_abandoned' };
  }
}

/**
 * What came during the call is due at once, and not with the next renewal: a deletion, or a change that subscribers are
 * to be told of. Never throws: the message that follows is enough, unless it is lost.
 */
export async function looksKept({ world, connection }: Run, done: Committed): Promise<Committed> {
  if (done.kind !== 'applied') return done;
  const { deletion } = done.item;
  const write = deletion === undefined ? lookForNotes(done.item) : resumeDeletion(deletion, world.clock.now());
  if (write === undefined) return done;
  try {
    const { applied, item } = await withRetries(world, () => world.store.apply(connection, write));
    return applied ? { kind: 'applied', item } : done;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return done;
  }
}

export async function keepSpare(run: Run, { held, place }: EffectOf<'keep_spare'>): Promise<Event> {
  const done = await commitUntilDeadline(run.world, run.connection, run.deadline, [
    run.protocol.keepSpare(held, place),
  ]);
  return done.kind === 'abandoned' ? { kind: 'commit_abandoned' } : { kind: 'spare_kept' };
}
