/** Kept mistakes in logins and deletions. */
import { protocol as normative } from '../../shared/application/protocol.ts';
import type { RedeemWorld } from '../../shared/application/redeem.ts';
import type { TendWorld } from '../../shared/application/tend.ts';
import type { Connection, Grant } from '../../shared/domain/connection.ts';
import { limits } from '../../shared/domain/limits.ts';
import type { Write } from '../../shared/domain/writes.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Credentials } from '../../shared/ports/credentials.ts';
import type { Revocation } from '../../shared/ports/revocation.ts';
import type { Stores } from '../sim/stores.ts';
import type { Variant } from '../sim/variant.ts';
import { always, asIf, deciding, type Mutant, without, writing } from './mutant.ts';

/** The login's commit, changed. */
const committing = (change: (write: Write) => Write): Variant => ({
  redeemWorld: (given) => ({
    ...given,
    store: {
      ...given.store,
      apply: (connection, write) => given.store.apply(connection, write.name === 'authorized' ? change(write) : write),
    },
  }),
});

/** As if the grant were the one that was there when the browser came back. */
function overAnyGrant(given: RedeemWorld): RedeemWorld {
  let grant: Grant | undefined;
  return {
    ...given,
    store: {
      ...given.store,
      read: async (connection) => {
        const item = await given.store.read(connection);
        grant ??= item?.grant;
        return item && grant !== undefined ? { ...item, grant } : item;
      },
      apply: (connection, write) =>
        given.store.apply(connection, write.name === 'authorized' ? without(write, 'grant.id') : write),
    },
  };
}

/** Waits for no memory. Other waits stay: time that stands still would have what tries again try for ever. */
const impatient = (clock: Clock): Clock => ({
  now: () => clock.now(),
  sleep: async (ms) => (ms === limits.memoryMs ? undefined : clock.sleep(ms)),
});

/** Once the grant is revoked, the refresher does not look again at what there is. */
const removingWhatever = (given: TendWorld, world: Stores): TendWorld => ({
  ...given,
  store: {
    ...given.store,
    apply: async (connection, write) => {
      const item = write.name === 'note_grant_ended' ? await world.store.read(connection) : undefined;
      return item === undefined ? given.store.apply(connection, write) : { applied: true, item };
    },
    remove: (connection) => given.store.remove(connection, []),
  },
});

export const people: readonly Mutant[] = [
  {
    name: 'a login commits whatever was committed since it looked',
    why: 'The person is there and waits, so the login goes first.',
    variant: committing((write) => ({ ...write, when: [always] })),
    invariant: 'S9',
    caughtBy: { race: 'two logins commit at the same time' },
  },
  {
    name: 'a login commits over a newer grant',
    why: 'A renewal may have come between, so what was seen is looked up again and written over.',
    variant: { redeemWorld: overAnyGrant },
    invariant: 'S9',
    caughtBy: { race: 'a login whose answer is slow, and a newer one' },
  },
  {
    name: 'a login keeps the old attempts',
    why: 'They are looked into in time, as always.',
    variant: committing(({ set: { attempts: _, committedFence: __, ...set }, ...write }) => ({ ...write, set })),
    invariant: 'S9',
    caughtBy: { race: 'logged in with an orphan left' },
  },
  {
    name: 'a code is sent again when its answer is lost',
    why: 'A network error is repeated, as always.',
    variant: {
      redeemWorld: (given) => ({
        ...given,
        authorizationServer: {
          ...given.authorizationServer,
          redeem: async (...args) => {
            const exchange = await given.authorizationServer.redeem(...args);
            return exchange.kind === 'lost' ? given.authorizationServer.redeem(...args) : exchange;
          },
        },
      }),
    },
    invariant: 'S9',
    caughtBy: { race: 'the answer to a code is lost' },
  },
  {
    name: 'an update brings back a connection that is gone',
    why: 'An update of DynamoDB creates the item if there is none, and nobody thinks of that.',
    variant: {
      redeemWorld: (given, world) => {
        let seen: Connection | undefined;
        return {
          ...given,
          store: {
            ...given.store,
            read: async (connection) => {
              seen = await given.store.read(connection);
              return seen;
            },
            apply: async (connection, write) => {
              const result = await given.store.apply(connection, write);
              if (result.item !== undefined || seen === undefined || !(await world.store.create(seen))) return result;
              world.written(write.name, seen);
              return { applied: true, item: seen };
            },
          },
        };
      },
    },
    invariant: 'S10',
    caughtBy: { race: 'deleted while a link is made' },
  },
  {
    name: 'a deletion does not wait for the lease',
    why: 'It is to be gone, so what is under way does not matter.',
    variant: deciding((effect, event) =>
      effect.do === 'wait' && event.kind === 'read' && event.seen?.item.deletion !== undefined
        ? { do: 'stop', reason: 'deleted' }
        : effect,
    ),
    invariant: 'S10',
    caughtBy: { race: 'deleted while a refresh is in flight' },
  },
  {
    name: 'a grant that its deletion has revoked is called dead',
    why: 'The provider refuses it, and nothing newer is stored.',
    variant: writing({
      decide: (event, at) =>
        normative.decide(event.kind === 'reread' ? asIf(event, ({ deletion: _, ...item }) => item) : event, at),
    }),
    invariant: 'S6',
    caughtBy: { race: 'deleted, and the grant revoked, while a refresher that is about to call is frozen' },
  },
  {
    name: 'only the committed refresh token is revoked',
    why: 'The pointer in the table is the only authority.',
    variant: {
      tendWorld: (given) => ({
        ...given,
        refreshTokens: { ...given.refreshTokens, lookUp: async () => ({ kind: 'absent' }) },
      }),
    },
    invariant: 'S10',
    caughtBy: { race: 'deleted with an orphan left' },
  },
  {
    name: 'a revocation knows one client secret',
    why: 'It is sent once, with what is in use.',
    variant: {
      tendWorld: (given) => {
        let inUse: Credentials | undefined;
        const revoke: Revocation['revoke'] = (config, refreshToken, credentials) => {
          inUse ??= credentials;
          return given.revocation.revoke(config, refreshToken, inUse);
        };
        return { ...given, revocation: { revoke } };
      },
    },
    invariant: 'S10',
    caughtBy: { race: 'deleted after its client secret was replaced' },
  },
  {
    name: 'a removal removes whatever has the name',
    why: 'The connection was deleted, and nothing brings it back.',
    variant: { tendWorld: removingWhatever },
    invariant: 'S10',
    caughtBy: { race: 'a login is committed while its connection is removed' },
  },
  {
    name: 'DELETE is answered at once',
    why: 'The connection is marked, so no function serves it any more.',
    variant: { connectionsWorld: (given) => ({ ...given, clock: impatient(given.clock) }) },
    invariant: 'S10',
    caughtBy: { race: 'deleted while environments remember the token' },
  },
  {
    name: 'a login is answered at once',
    why: 'The new grant is in the table, so no function serves the one before.',
    variant: { redeemWorld: (given) => ({ ...given, clock: impatient(given.clock) }) },
    invariant: 'S10',
    caughtBy: { race: 'logged in while environments remember the token before' },
  },
];
