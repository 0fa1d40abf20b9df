/** Kept mistakes in numbers, in how a provider is understood, in the use of stores, and in what a client is told. */

import { protocol as normative, type Protocol } from '../../shared/application/protocol.ts';
import type { SealedTokenSet } from '../../shared/domain/connection.ts';
import type { VersionId } from '../../shared/domain/ids.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { plus } from '../../shared/domain/time.ts';
import type { RefreshTokenStore } from '../../shared/ports/refresh-tokens.ts';
import { type Mutant, serving } from './mutant.ts';

/** An id that no refresher can compute from grant and fence. */
const scrambled = (versionId: VersionId): VersionId => [...versionId].reverse().join('') as VersionId;

const fromArrival = (outcome: Outcome): Outcome => {
  if (outcome.kind !== 'success') return outcome;
  const { requestedAt, receivedAt, expiresAt } = outcome.tokens;
  return {
    kind: 'success',
    tokens: { ...outcome.tokens, requestedAt: receivedAt, expiresAt: plus(receivedAt, expiresAt - requestedAt) },
  };
};

/** A protocol that takes what a call came to for something else. */
const understanding = (change: (outcome: Outcome) => Outcome): Partial<Protocol> => ({
  decide: (event, at) =>
    normative.decide(event.kind === 'answered' ? { ...event, outcome: change(event.outcome) } : event, at),
});

const lasting = ({ endsAtRenewal: _, ...tokens }: SealedTokenSet): SealedTokenSet => tokens;

export const surroundings: readonly Mutant[] = [
  {
    name: 'call time-out of 10 s',
    why: 'Nobody waits longer than that for a web server.',
    variant: { profile: { callTimeoutMs: 10_000 } },
    invariant: 'S5',
    caughtBy: { race: 'slow answer, and then the end of its token' },
  },
  {
    name: 'call time-out of 30 s',
    why: 'Nobody waits longer than that for a token.',
    variant: { profile: { callTimeoutMs: 30_000 } },
    invariant: 'S5',
    caughtBy: { race: 'slow answer, and then the end of its token' },
  },
  {
    name: 'replay at once whatever the provider',
    why: 'A network error is repeated, as always.',
    variant: { profile: { ambiguousRetry: 'at_once' } },
    invariant: 'S2',
    caughtBy: { race: 'paused before persist at a revoking provider' },
  },
  {
    name: 'least token age forgotten',
    why: 'The margin says when to renew.',
    variant: { profile: { minTokenAgeMs: 0 } },
    invariant: 'S8',
    caughtBy: { race: 'slow request at Exact Online' },
  },
  {
    name: 'no budget of errors',
    why: 'The back-off is slow enough.',
    variant: { profile: { errorsPerHour: 1_000 } },
    invariant: 'S8',
    caughtBy: { race: 'Exact Online says too early for an hour' },
  },
  {
    name: 'persist budget of 40 s',
    why: 'The secret must be stored, whatever it takes.',
    variant: { protocol: { persistBudgetMs: 40_000 } },
    invariant: 'S5',
    caughtBy: { race: 'secrets hang at persist, and the process dies ten seconds later' },
  },
  {
    name: 'expiry from arrival',
    why: 'The token is new when it arrives.',
    variant: {
      protocol: understanding(fromArrival),
    },
    invariant: 'S4',
    caughtBy: { race: 'slow answer, and then the end of its token' },
  },
  {
    name: 'an end that a reply tells is not kept',
    why: 'The margin says when to renew, and an unused connection needs no token.',
    variant: {
      protocol: understanding((outcome) => {
        if (outcome.kind !== 'success') return outcome;
        const { grantEndsAt: _, ...tokens } = outcome.tokens;
        return { ...outcome, tokens };
      }),
    },
    invariant: 'S5',
    caughtBy: { race: 'the end of the grant is told' },
  },
  {
    name: 'persist after commit',
    why: 'The table first, it is what the clients read.',
    variant: {
      tendWorld: (given) => {
        let later: Parameters<RefreshTokenStore['persist']> | undefined;
        return {
          ...given,
          refreshTokens: {
            ...given.refreshTokens,
            persist: async (...args) => {
              later = args;
              return true;
            },
          },
          store: {
            ...given.store,
            apply: async (connection, write) => {
              const result = await given.store.apply(connection, write);
              if (write.name === 'commit_success' && result.applied && later !== undefined)
                await given.refreshTokens.persist(...later).catch(() => false);
              return result;
            },
          },
        };
      },
    },
    invariant: 'S3',
    caughtBy: { withinSeeds: 10 },
  },
  {
    name: 'a new refresh token is tried before it is stored',
    why: 'What the provider has just given may not work, so it is tried first.',
    variant: {
      tendWorld: (given) => ({
        ...given,
        tokenEndpoint: {
          request: async (request) => {
            const first = await given.tokenEndpoint.request(request);
            const body = first.kind === 'reply' && first.status === 200 ? JSON.parse(first.body) : {};
            return typeof body.refresh_token === 'string'
              ? given.tokenEndpoint.request({ ...request, refreshToken: new Secret(body.refresh_token) })
              : first;
          },
        },
      }),
    },
    invariant: 'S3',
    caughtBy: { withinSeeds: 10 },
  },
  {
    name: 'look-up error taken as absence',
    why: 'The secret could not be read, so there is none.',
    variant: {
      tendWorld: (given) => ({
        ...given,
        refreshTokens: {
          ...given.refreshTokens,
          lookUp: async (...args) => {
            const found = await given.refreshTokens.lookUp(...args);
            return found.kind === 'unreadable' ? { kind: 'absent' } : found;
          },
        },
      }),
    },
    invariant: 'S2',
    caughtBy: { race: 'secrets throttled from the look-up until after the holder is gone' },
  },
  {
    name: 'a version id for each try',
    why: 'The SDK makes one up if none is given.',
    variant: {
      protocol: {
        decide: (event, at) =>
          normative.decide(
            event.kind === 'persisted' && event.place?.kind === 'secret'
              ? { ...event, place: { ...event.place, versionId: scrambled(event.place.versionId) } }
              : event,
            at,
          ),
      },
      tendWorld: (given) => ({
        ...given,
        refreshTokens: {
          ...given.refreshTokens,
          persist: (connection, slot, versionId, ...what) =>
            given.refreshTokens.persist(connection, slot, scrambled(versionId) as VersionId, ...what),
        },
      }),
    },
    invariant: 'S2',
    caughtBy: { race: 'two doubts in a row' },
  },
  {
    name: 'secrets read by newest',
    why: 'AWSCURRENT is the current one.',
    variant: {
      tendWorld: (given, world) => ({
        ...given,
        refreshTokens: {
          ...given.refreshTokens,
          read: (connection, slot, versionId, destinations) => {
            const newest = [...world.secrets.keys()].findLast((name) => name.startsWith(`${slot}/`));
            return given.refreshTokens.read(
              connection,
              slot,
              (newest?.slice(newest.indexOf('/') + 1) ?? versionId) as VersionId,
              destinations,
            );
          },
        },
      }),
    },
    invariant: 'S2',
    caughtBy: { race: 'older answer over newer, then the next renewal' },
  },
  {
    name: 'a valid token refused after a failed renewal',
    why: 'The connection is in trouble, so say so.',
    variant: serving((item) => {
      if (item.failure === undefined) return item;
      const { tokens: _, ...refused } = item;
      return refused;
    }),
    invariant: 'S4',
    caughtBy: { race: 'busy provider, and the old token is still valid' },
  },
  {
    name: 'a renewal that ends the token before is made like any other',
    why: 'A token lives until it expires.',
    variant: { profile: { renewalEndsPrevious: false } },
    invariant: 'S8',
    caughtBy: { withinSeeds: 20 },
  },
  {
    name: 'a token that a renewal has ended is remembered',
    why: 'Nothing is due yet, so the memory is as good as the table.',
    variant: serving(({ tokens, ...item }) => ({ ...item, ...(tokens && { tokens: lasting(tokens) }) })),
    invariant: 'S4',
    caughtBy: { race: 'a renewal ends a token that an environment remembers' },
  },
  {
    name: 'a renewal under way is not told of',
    why: 'Until the next token is committed, the one before is the newest.',
    variant: serving((item) => ({ ...item, attempts: {} })),
    invariant: 'S4',
    caughtBy: { race: 'a renewal that ends the token before is slow to answer' },
  },
  {
    name: 'the same token again is taken for a new one',
    why: 'A reply with a token in it brings a token.',
    variant: {
      protocol: {
        commitSuccess: (held, commit) =>
          normative.commitSuccess(held, { ...commit, tokens: { ...commit.tokens, again: false } }),
      },
    },
    invariant: 'S4',
    caughtBy: { withinSeeds: 10 },
  },
  {
    name: 'only invalid_grant with a 400 is a refusal',
    why: 'That is what RFC 6749 says.',
    variant: {
      protocol: understanding((outcome) =>
        outcome.kind === 'failure' &&
        outcome.class === 'dead_grant' &&
        !(outcome.status === 400 && outcome.code === 'invalid_grant')
          ? { ...outcome, class: 'transient' }
          : outcome,
      ),
    },
    invariant: 'L1',
    caughtBy: { race: 'a lost reply, and a refusal in other words' },
  },
  {
    name: 'too_early counted as a failure',
    why: 'A 400 is a 400.',
    variant: {
      protocol: understanding((outcome) =>
        outcome.kind === 'failure' && outcome.class === 'too_early' ? { ...outcome, class: 'transient' } : outcome,
      ),
    },
    invariant: 'S8',
    caughtBy: { race: 'lost reply, provider checks age first' },
  },
];
