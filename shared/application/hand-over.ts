/**
 * How a refresher hands a connection over: it gives the lease back, tells subscribers what it has changed, and promises
 * a look for when there is something to do.
 */
import { limits } from '../domain/limits.ts';
import type { EffectOf, Event } from '../domain/steps.ts';
import { latest, plus } from '../domain/time.ts';
import { between } from '../domain/timing.ts';
import { reasonOf, Unavailable } from '../ports/errors.ts';
import { looksKept } from './commit-outcome.ts';
import { type Run, seenBy } from './refresh-world.ts';
import { reportBudget, reportHeldUp, reportSecret } from './report.ts';
import { commitUntilDeadline } from './retry-writes.ts';

export async function release(
  run: Run,
  { held, notBefore, wakeAt, called, budgetSpent, refusedAlike, clientSecret }: EffectOf<'release'>,
): Promise<Event> {
  const done = await commitUntilDeadline(
    run.world,
    run.connection,
    run.deadline,
    run.protocol.release(held, notBefore, called, clientSecret),
  );
  if (!called && notBefore !== undefined && done.kind === 'applied')
    run.world.telemetry.count('CallHeldBack', 1, held.seen.item.config.provider);
  const { failure } = held.seen.item;
  if (refusedAlike && done.kind === 'applied')
    reportHeldUp(run.world, done.item, `refused ${failure?.alike} times in a row: ${failure?.code}`);
  if (budgetSpent && done.kind === 'applied') reportBudget(run.world, done.item);
  if (clientSecret !== undefined && done.kind === 'applied') reportSecret(run.world, done.item, clientSecret);
  await looksKept(run, done);
  return done.kind === 'abandoned' ? { kind: 'commit_abandoned' } : { kind: 'released', wakeAt };
}

export async function announce(run: Run, { seen, announcement }: EffectOf<'announce'>): Promise<Event> {
  const { announcer, store, telemetry } = run.world;
  try {
    await announcer.announce(announcement);
    const { item } = await store.apply(run.connection, run.protocol.announced(seen, announcement));
    return { kind: 'announced', seen: item && seenBy(run, item) };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    telemetry.warn('not_announced', {
      connection: run.connection,
      change: announcement.change,
      reason: reasonOf(error),
    });
    return { kind: 'announced', seen };
  }
}

/**
 * Sends the message for `until`, unless one that is not later has been promised. What a wait loses, the planner
 * finds.
 */
export async function promiseWake(run: Run, { until }: EffectOf<'wait'>): Promise<void> {
  const { clock, chance, queue, store, telemetry } = run.world;
  const now = clock.now();
  if (until - now > limits.longestOwnWaitMs) return;
  const from = latest(until, now);
  const wakeAt = plus(from, between(limits.wakeJitterMs, chance.next()));
  try {
    const { applied } = await store.apply(
      run.connection,
      run.protocol.promiseWake(wakeAt, plus(from, limits.wakeJitterMs.to), now),
    );
    if (applied) await queue.send(run.connection, wakeAt - now);
  } catch (error) {
    telemetry.warn('wake_not_sent', { connection: run.connection, reason: reasonOf(error) });
  }
}

export async function rest(run: Run, { seen, dueAt }: EffectOf<'rest'>): Promise<void> {
  await run.world.store.apply(run.connection, run.protocol.rest(seen.item, dueAt));
}
