/** Kept mistakes in what follows when a reply is lost, and in what a commit does beside committing. */
import { protocol as normative } from '../../shared/application/protocol.ts';
import type { Held } from '../../shared/domain/held.ts';
import type { Write } from '../../shared/domain/writes.ts';
import type { Adapters } from '../sim/stores.ts';
import type { Variant } from '../sim/variant.ts';
import { asIf, type Mutant, writing } from './mutant.ts';

/** As the write of another one, for all that the store can know. */
const another = ({ mine: _, ...write }: Write): Write => write;

/** The table's adapter does not recognise these writes when it has sent them again. */
const forgetting = (...names: readonly string[]): Variant => ({
  adapters: {
    store: (given) => ({
      ...given,
      apply: (connection, write) => given.apply(connection, names.includes(write.name) ? another(write) : write),
    }),
  },
});

const own = 'A refused write is a refused write.';

/** A removal that finds no item was refused. */
const removingOnce: Adapters['store'] = (given) => ({
  ...given,
  remove: async (connection, when) =>
    (await given.read(connection)) !== undefined && (await given.remove(connection, when)),
});

/** As if this write were never made. */
function forgetful(name: string): Variant {
  return {
    tendWorld: (given, world) => ({
      ...given,
      store: {
        ...given.store,
        apply: async (connection, write) =>
          write.name === name
            ? { applied: false, item: await world.store.read(connection) }
            : given.store.apply(connection, write),
      },
    }),
  };
}

/** What the first try to commit under a lease compared its token with counts for all of them. */
function comparingOnce(): Variant {
  const first = new WeakMap<Held['lease'], boolean>();
  return writing({
    commitSuccess: (held, commit) => {
      const again = first.get(held.lease) ?? commit.tokens.again ?? false;
      first.set(held.lease, again);
      return normative.commitSuccess(held, { ...commit, tokens: { ...commit.tokens, again } });
    },
  });
}

export const replies: readonly Mutant[] = [
  {
    name: 'the adapter does not recognise its acquire',
    why: own,
    variant: forgetting('acquire'),
    invariant: 'L2',
    caughtBy: { race: 'reply to the acquire lost, and it is sent again' },
  },
  {
    name: 'the adapter does not recognise its commit',
    why: own,
    variant: forgetting('commit_success'),
    invariant: 'L3',
    caughtBy: { race: 'reply to the commit lost, and it is sent again' },
  },
  {
    name: 'the adapter does not recognise its breaker',
    why: 'The version is another one by now.',
    variant: { adapters: { breakers: (given) => ({ ...given, replace: (breaker) => given.replace({ ...breaker }) }) } },
    invariant: 'L2',
    caughtBy: { race: 'reply to the write of a probe lost, and it is sent again' },
  },
  {
    name: 'the adapter does not recognise its marks',
    why: own,
    variant: forgetting('ask'),
    invariant: 'L2',
    caughtBy: { race: 'reply to the mark that a client asks lost, and it is sent again' },
  },
  {
    name: 'the adapter does not recognise that it redeems a code',
    why: own,
    variant: forgetting('redeem_authorization'),
    invariant: 'S9',
    caughtBy: { race: 'reply to the write before a code lost, and it is sent again' },
  },
  {
    name: 'the adapter does not recognise the deletion that it has taken',
    why: own,
    variant: forgetting('take_deletion'),
    invariant: 'L1',
    caughtBy: { race: 'reply to the taking of a deletion lost, and it is sent again' },
  },
  {
    name: 'the adapter does not recognise its removal',
    why: 'What is not there cannot have been removed.',
    variant: { adapters: { store: removingOnce } },
    invariant: 'L3',
    caughtBy: { race: 'reply to the removal lost, and it is sent again' },
  },
  {
    name: 'an event that is sent again has an id of its own',
    why: 'Every event has one.',
    variant: {
      adapters: {
        announcer: (given) => {
          let sent = 0;
          return {
            announce: (announcement) => given.announce({ ...announcement, id: `${announcement.id} ${sent++}` }),
          };
        },
      },
    },
    invariant: 'L3',
    caughtBy: { race: 'reply to an event lost, and it is sent again' },
  },
  {
    name: 'a message is an order',
    why: 'Whoever sent it has looked already.',
    variant: writing({
      decide: (event, at) =>
        normative.decide(
          event.kind === 'read' || event.kind === 'acquired'
            ? asIf(event, ({ refreshAt: _, ...item }) => ({ ...item, refreshAt: at.now }))
            : event,
          at,
        ),
    }),
    invariant: 'S8',
    caughtBy: { race: 'reply to a message lost, and it is sent again' },
  },
  {
    name: 'the token that comes again is told by what was there before the lease',
    why: 'What a holder has seen stands, since it holds the lease.',
    variant: comparingOnce(),
    invariant: 'S4',
    caughtBy: { race: 'a holder that has seen no token waits while an older one commits the same token' },
  },
  {
    name: 'a commit puts a deletion off, and nothing takes that back',
    why: 'The message that follows the commit goes on with it.',
    variant: forgetful('resume_deletion'),
    invariant: 'L1',
    caughtBy: { race: 'deleted during a renewal, and every message is lost' },
  },
  {
    name: 'a commit puts off what is to be told, and nothing takes that back',
    why: 'The refresher that commits tells it at once.',
    variant: forgetful('look_for_notes'),
    invariant: 'L3',
    caughtBy: { race: 'paused and resumed during a renewal, and the event bus is out of reach' },
  },
];
