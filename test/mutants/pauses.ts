/** Kept mistakes in how a connection is paused, and how it goes on. */
import { protocol as normative } from '../../shared/application/protocol.ts';
import { inDoubt } from '../../shared/domain/attempts.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import { replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { Write } from '../../shared/domain/writes.ts';
import type { Variant } from '../sim/variant.ts';
import { asIf, type Mutant, omit, serving, without, writing } from './mutant.ts';

const unpaused = ({ paused: _, ...item }: Connection): Connection => item;

/** The write that an operator's wish comes to, changed. */
const wishing = (name: 'pause' | 'resume', change: (write: Write) => Write): Variant => ({
  connectionsWorld: (given) => ({
    ...given,
    store: {
      ...given.store,
      apply: (connection, write) => given.store.apply(connection, write.name === name ? change(write) : write),
    },
  }),
});

export const pauses: readonly Mutant[] = [
  {
    name: 'a paused connection is renewed',
    why: 'A pause is for the planner.',
    variant: writing({ decide: (event, at) => normative.decide(asIf(event, unpaused), at) }),
    invariant: 'S8',
    caughtBy: { withinSeeds: 20 },
  },
  {
    name: 'a pause is forgotten by the refresher that takes over',
    why: 'What is in doubt is settled whatever comes, and there is no other way to settle it.',
    variant: writing({
      decide: (event, at) =>
        normative.decide(
          asIf(event, (item) => (inDoubt(item).length > 0 ? unpaused(item) : item)),
          at,
        ),
    }),
    invariant: 'S8',
    caughtBy: { race: 'paused after a lost reply' },
  },
  {
    name: 'a pause is looked for before the lease is taken, and not again',
    why: 'The refresher has just read that the connection is not paused.',
    variant: writing({
      decide: (event, at) => normative.decide(event.kind === 'acquired' ? asIf(event, unpaused) : event, at),
    }),
    invariant: 'S8',
    caughtBy: { race: 'paused between a look and the acquire' },
  },
  {
    name: 'a pause takes the lease away',
    why: 'A paused connection is at rest, and what rests needs no lease.',
    variant: wishing('pause', (write) => ({ ...write, remove: [...write.remove, 'lease'] })),
    invariant: 'S1',
    caughtBy: { race: 'paused and resumed during a call' },
  },
  {
    name: 'a resume forgets what is in doubt',
    why: 'A connection that is resumed begins afresh.',
    variant: wishing('resume', (write) => ({
      ...write,
      set: { ...write.set, attempts: {} },
      remove: [...write.remove, 'lease'],
    })),
    invariant: 'S2',
    caughtBy: { withinSeeds: 30 },
  },
  {
    name: 'a resume does not make it due',
    why: 'The resume sends a message for a refresher.',
    variant: wishing('resume', (write) => omit(write, 'dueAt')),
    invariant: 'L3',
    caughtBy: { withinSeeds: 20 },
  },
  {
    name: 'a resume leaves what was refused alike as it is',
    why: 'The failure is told in the status, so it stays until the next success.',
    variant: wishing('resume', (write) => ({ ...write, remove: write.remove.filter((path) => path !== 'failure') })),
    invariant: 'L1',
    caughtBy: { race: 'refused for hours by a name that no rule knows, and resumed' },
  },
  {
    name: 'a resume ends what the provider told to wait, too',
    why: 'The operator knows that the provider is back.',
    variant: wishing('resume', (write) => ({
      ...write,
      remove: [...new Set([...write.remove, 'notBefore' as const])],
    })),
    invariant: 'S8',
    caughtBy: { race: 'told when to come back, paused, and resumed before' },
  },
  {
    name: 'resting takes away what the planner is to look at',
    why: 'No client has asked since, so there is nothing to look at.',
    variant: writing({ rest: (...args) => without(without(normative.rest(...args), 'dueAt'), 'paused') }),
    invariant: 'L3',
    caughtBy: { race: 'resumed while a refresher lets it rest, and the message is lost' },
  },
  {
    name: 'a new grant ends the pause',
    why: 'What is imported anew begins anew.',
    variant: {
      replaceGrant: (...args) => {
        const write = replaceGrant(...args);
        return { ...write, remove: [...write.remove, 'paused'] };
      },
    },
    invariant: 'S8',
    caughtBy: { withinSeeds: 20 },
  },
  {
    name: 'a client of a paused connection waits as every other',
    why: 'To a client a pause is one more renewal that is late.',
    variant: serving(unpaused),
    invariant: 'S4',
    caughtBy: { withinSeeds: 20 },
  },
];
