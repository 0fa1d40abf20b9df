/** Kept mistakes in what is decided. */
import { protocol as normative, type Protocol } from '../../shared/application/protocol.ts';
import { secretEndOf } from '../../shared/domain/client-secrets.ts';
import type { FailureCommit } from '../../shared/domain/commit-writes.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { Sign } from '../../shared/domain/signs.ts';
import { plus } from '../../shared/domain/time.ts';
import type { Variant } from '../sim/variant.ts';
import { asIf, deciding, type Mutant, verdict, without, writing } from './mutant.ts';

const acquireWhatever: Protocol['acquire'] = (...args) => without(normative.acquire(...args), 'generation');

/** As if what the acquiring write returned were due for sure. */
const decideOnce: Protocol['decide'] = (event, at) =>
  normative.decide(
    event.kind === 'acquired' ? asIf(event, ({ notBefore: _, refreshAt: __, ...item }) => item) : event,
    at,
  );

/** What a failure says of a stranger, where it says nothing. */
const signing = (sign: Sign, isSuch: (commit: FailureCommit) => boolean): Variant =>
  deciding((effect) =>
    effect.do === 'commit_failure' && isSuch(effect.commit)
      ? { ...effect, commit: { ...effect.commit, sign } }
      : effect,
  );

const revived = (item: Connection): Connection =>
  item.state === 'reauthorization_required' ? { ...item, state: 'active' } : item;

export const decisions: readonly Mutant[] = [
  {
    name: 'never replay',
    why: 'A refresh token whose fate is unknown is taken for spent, and the grant is given up.',
    variant: deciding((effect, event, at) =>
      effect.do === 'mark_sent' && event.kind === 'looked_up' ? verdict(effect.held, at) : effect,
    ),
    invariant: 'S5',
    caughtBy: { withinSeeds: 10 },
  },
  {
    name: 'no sealed fallback',
    why: 'A refresh token that Secrets Manager does not take is an error like any other.',
    variant: deciding((effect, event, at) =>
      event.kind === 'persisted' && event.place?.kind === 'sealed'
        ? normative.decide(
            {
              kind: 'persisted',
              held: event.held,
              outcome: { kind: 'failure', class: 'in_doubt', code: 'not_stored' },
              place: undefined,
            },
            at,
          )
        : effect,
    ),
    invariant: 'S5',
    caughtBy: { race: 'secrets hang at persist, and the process dies ten seconds later' },
  },
  {
    name: 'only the previous attempt looked up',
    why: 'The last attempt is thought to have looked for those before it.',
    variant: deciding((effect) =>
      effect.do === 'look_up'
        ? { ...effect, attempts: effect.attempts.filter(({ fence }) => fence === effect.held.attempt.fence - 1) }
        : effect,
    ),
    invariant: 'S2',
    caughtBy: { race: 'two doubts in a row' },
  },
  {
    name: 'a client is called wrong for the first of its two secrets',
    why: 'invalid_client is invalid_client.',
    variant: deciding((effect, _, at) => {
      if (effect.do !== 'release' || effect.clientSecret === undefined) return effect;
      const { fence } = effect.held.attempt;
      const cause = 'invalid_client';
      const failure = { class: 'misconfigured', code: cause, cause, status: 401, at: at.now, count: 1, fence } as const;
      const commit = { failure, notBefore: undefined, state: 'misconfigured', cause, suspect: false } as const;
      return { do: 'commit_failure', held: effect.held, commit };
    }),
    invariant: 'S5',
    caughtBy: { withinSeeds: 10 },
  },
  {
    name: 'too_early literal',
    why: 'The next attempt is when the token we know of is old enough, though that may be long ago.',
    variant: deciding((effect) => {
      if (effect.do !== 'commit_failure' || effect.commit.failure.class !== 'too_early') return effect;
      const { item, profile } = effect.held.seen;
      return {
        ...effect,
        commit: { ...effect.commit, notBefore: plus(item.tokens?.receivedAt ?? item.createdAt, profile.minTokenAgeMs) },
      };
    }),
    invariant: 'S8',
    caughtBy: { race: 'lost reply, provider checks age first' },
  },
  {
    name: 'no re-read before a verdict',
    why: 'The provider said invalid_grant; what more is there to know?',
    variant: deciding((effect, _, at) => (effect.do === 'reread' ? verdict(effect.held, at) : effect)),
    invariant: 'S5',
    caughtBy: { race: 'a spare is noted while the provider calls the grant dead' },
  },
  {
    name: 'verdict at once',
    why: 'An earlier holder who can still answer is not waited for.',
    variant: deciding((effect) =>
      effect.do === 'commit_failure' && effect.commit.suspect
        ? {
            ...effect,
            commit: {
              ...effect.commit,
              notBefore: undefined,
              state: 'reauthorization_required',
              cause: 'refresh_in_doubt',
              suspect: false,
            },
          }
        : effect,
    ),
    invariant: 'S5',
    caughtBy: { race: 'the earlier holder answers after the provider called the grant dead' },
  },
  {
    name: 'acquired whatever the generation, and not decided again',
    why: 'The fence and the lease are as read, so the rest is taken to be as read too.',
    variant: writing({ acquire: acquireWhatever, decide: decideOnce }),
    invariant: 'S8',
    caughtBy: { race: 'commit between a look and the acquire' },
    harmlessAlone: [writing({ acquire: acquireWhatever }), writing({ decide: decideOnce })],
  },
  {
    name: 'every refusal is believed',
    why: 'The provider said invalid_grant, and it must know.',
    variant: writing({
      decide: (event, at) => {
        if (event.kind !== 'answered') return normative.decide(event, at);
        const { withheldUntil: _, ...believed } = event;
        return normative.decide(believed, at);
      },
    }),
    invariant: 'S5',
    caughtBy: { withinSeeds: 40 },
  },
  {
    name: 'what a provider refuses alike is asked for as an outage is',
    why: 'What no rule knows may pass at any moment.',
    variant: deciding((effect) => {
      if (effect.do !== 'commit_failure') return effect;
      const { alike: _, ...failure } = effect.commit.failure;
      return { ...effect, commit: { ...effect.commit, failure } };
    }),
    invariant: 'S8',
    caughtBy: { race: 'refused for hours by a name that no rule knows, and resumed' },
  },
  {
    name: 'one spare for all that is overtaken',
    why: 'One place is enough for what is hardly ever needed.',
    variant: deciding((effect, event) =>
      event.kind === 'success_refused' && event.place !== undefined
        ? { do: 'keep_spare', held: event.held, place: event.place }
        : effect,
    ),
    invariant: 'S3',
    caughtBy: { race: 'two successes are overtaken, and the newest is not the last to say so' },
  },
  {
    name: 'a dead grant is tried again',
    why: 'Perhaps the provider changes its mind.',
    variant: writing({
      decide: (event, at) => normative.decide(asIf(event, revived), at),
      acquire: (...args) => without(normative.acquire(...args), 'state'),
    }),
    invariant: 'S8',
    caughtBy: { race: 'a request that timed out is processed after its replay' },
  },
  {
    name: 'what the provider calls used was used by a stranger',
    why: 'The provider says so, and the refresher knows of no call but its own.',
    variant: signing('refresh_token_reused', ({ state }) => state === 'reauthorization_required'),
    invariant: 'S11',
    caughtBy: { race: 'a refresher dies with the reply, and the provider calls the refresh token used' },
  },
  {
    name: 'what is too early was renewed by a stranger',
    why: 'The refresher waits until the token that it knows of is old enough.',
    variant: signing('renewed_elsewhere', ({ failure }) => failure.class === 'too_early'),
    invariant: 'S11',
    caughtBy: { race: 'a refresher dies with the reply, and the provider calls the refresh token used' },
  },
  {
    name: 'a client secret that has ended is not sent',
    why: 'The provider would refuse it, and an error counts.',
    variant: deciding((effect, _event, { now }) =>
      effect.do === 'acquire' && (secretEndOf(effect.seen.item) ?? now) < now
        ? { do: 'rest', seen: effect.seen, dueAt: undefined }
        : effect,
    ),
    invariant: 'L1',
    caughtBy: { race: 'a client secret has ended by what an operator told, and is good' },
  },
  {
    name: 'a sign of a stranger is not written down',
    why: 'The failure says all that the next refresher has to know.',
    variant: writing({ commitFailure: (held, { sign: _sign, ...commit }) => normative.commitFailure(held, commit) }),
    invariant: 'S11',
    caughtBy: { race: 'a stranger renews a moment before the broker' },
  },
];
