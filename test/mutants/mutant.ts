/** What a kept mistake is, and the few tools to make one out of the right thing. */
import { protocol as normative, type Protocol } from '../../shared/application/protocol.ts';
import type { Attempt, Connection, Seen } from '../../shared/domain/connection.ts';
import type { Held } from '../../shared/domain/held.ts';
import type { Circumstances, Effect, Event } from '../../shared/domain/steps.ts';
import type { Clause, Write } from '../../shared/domain/writes.ts';
import type { Variant } from '../sim/variant.ts';

/** How many random seeds, from 1 on, show the mistake at least once; or the rare race that does. */
export type CaughtBy = { readonly withinSeeds: number } | { readonly race: string };

export interface Mutant {
  readonly name: string;
  /** Why a programmer would make the mistake. */
  readonly why: string;
  readonly variant: Variant;
  /** Which invariant breaks. */
  readonly invariant: string;
  readonly caughtBy: CaughtBy;
  /** Where two rules back each other up and the mistake leaves out both: either alone, which no race shows. */
  readonly harmlessAlone?: readonly Variant[];
}

/** The right decision, changed. */
export const deciding = (change: (effect: Effect, event: Event, at: Circumstances) => Effect): Variant => ({
  protocol: { decide: (event, at) => change(normative.decide(event, at), event, at) },
});

export const writing = (protocol: Partial<Protocol>): Variant => ({ protocol });

/** Holds of no connection. */
export const impossible: Clause = { absent: 'connection' };
/** Holds of every connection. */
export const always: Clause = { present: 'connection' };

const isAbout = (clause: Clause, path: string): boolean =>
  ('path' in clause && clause.path === path) ||
  ('present' in clause && clause.present === path) ||
  ('absent' in clause && clause.absent === path) ||
  ('any' in clause && clause.any.some((one) => 'path' in one && one.path === path));

/** The write without its conditions on this attribute. */
export const without = <W extends Write>(write: W, path: string): W => ({
  ...write,
  when: write.when.filter((clause) => !isAbout(clause, path)),
});

/** The write that leaves these attributes as they are. */
export function omit(write: Write, ...paths: (keyof Write['set'])[]): Write {
  return {
    ...write,
    set: Object.fromEntries(Object.entries(write.set).filter(([path]) => !paths.some((one) => one === path))),
  };
}

/** The acquiring write with another entry for its attempt. */
export function withAttempt(
  seen: Seen,
  args: Parameters<Protocol['acquire']>,
  change: (attempt: Attempt) => Partial<Attempt>,
): ReturnType<Protocol['acquire']> {
  const write = normative.acquire(...args);
  const attempt: Attempt = { ...write.attempt, ...change(write.attempt) };
  return { ...write, set: { ...write.set, [`attempts.${seen.item.fence + 1}`]: attempt }, attempt };
}

/** The event as if the connection were another. */
export function asIf(event: Event, change: (item: Connection) => Connection): Event {
  const changed = (seen: Seen): Seen => ({ ...seen, item: change(seen.item) });
  if (event.kind === 'read' || event.kind === 'acquire_refused' || event.kind === 'reread')
    return { ...event, seen: event.seen && changed(event.seen) };
  if (event.kind === 'acquired') return { ...event, held: { ...event.held, seen: changed(event.held.seen) } };
  return event;
}

/** A verdict at this instant. */
export const verdict = (held: Held, at: Circumstances): Effect => ({
  do: 'commit_failure',
  held,
  commit: {
    failure: { class: 'dead_grant', code: 'in_doubt', at: at.now, count: 1, fence: held.attempt.fence },
    notBefore: undefined,
    state: 'reauthorization_required',
    cause: 'refresh_in_doubt',
    suspect: false,
  },
});

/** Clients are answered from another connection than the table has. */
export const serving = (change: (item: Connection) => Connection): Variant => ({
  tokenWorld: (given) => ({
    ...given,
    store: {
      ...given.store,
      read: async (connection) => {
        const item = await given.store.read(connection);
        return item && change(item);
      },
    },
  }),
});
