/**
 * Attempts whose outcome is unknown: looking for what they stored, sending once more, and looking at the connection
 * again before a verdict.
 */
import type { EffectOf, Event } from '../domain/steps.ts';
import { plus } from '../domain/time.ts';
import { Unavailable } from '../ports/errors.ts';
import { type Run, seenBy } from './refresh-world.ts';

/** Newest first. One that cannot be read ends the search: adopting an older one would lose it, should it be there. */
export async function lookUp(run: Run, { held, attempts }: EffectOf<'look_up'>): Promise<Event> {
  for (const attempt of attempts) {
    const result = await run.world.refreshTokens.lookUp(run.connection, attempt.slot, attempt.versionId);
    if (result.kind === 'found')
      return { kind: 'looked_up', held, orphan: { attempt, tokens: result.tokens }, unreadable: false };
    if (result.kind === 'unreadable') return { kind: 'looked_up', held, orphan: undefined, unreadable: true };
  }
  return { kind: 'looked_up', held, orphan: undefined, unreadable: false };
}

export async function markSent(run: Run, { held }: EffectOf<'mark_sent'>): Promise<Event> {
  const { clock, store } = run.world;
  try {
    const { applied } = await store.apply(
      run.connection,
      run.protocol.markSent(held, plus(clock.now(), run.protocol.leaseMs)),
    );
    return applied ? { kind: 'send_marked', held } : { kind: 'send_refused' };
  } catch (error) {
    // Perhaps marked, certainly not sent: the entry stays and is looked into by a successor.
    if (error instanceof Unavailable) return { kind: 'send_refused' };
    throw error;
  }
}

export async function reread(run: Run, { held, verdict }: EffectOf<'reread'>): Promise<Event> {
  try {
    const item = await run.world.store.read(run.connection);
    return { kind: 'reread', held, verdict, seen: item && seenBy(run, item) };
  } catch (error) {
    // No verdict on a state that cannot be seen: the attempt stays open, and a successor finds out.
    if (error instanceof Unavailable) return { kind: 'commit_abandoned' };
    throw error;
  }
}
