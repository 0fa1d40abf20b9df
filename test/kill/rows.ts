/** What is done to refreshers, and what is promised for each. */
import { type Blow, freeze, killAfter, killBefore, outage } from './blows.ts';
import type { Moment } from './moments.ts';

/**
 * `in_time`: a new token is served before the old one expires, and no client is turned away meanwhile.
 * `in_time_but_away`: likewise, but clients get 503 while the broker cannot reach its table. `after_holder`: the grant
 * is kept, but the same refresh token may only be sent again when the holder cannot answer any more; until then, or
 * until it thaws and commits, 503. `lost_in_doubt`: the provider has spent the only refresh token, and its successor
 * died with the process: it cannot be recovered, and the broker must say so.
 */
export type Promised = 'in_time' | 'in_time_but_away' | 'after_holder' | 'lost_in_doubt';

/**
 * `strict`: oidc-provider, where a second use of a refresh token revokes the grant. `replay`: an old one goes on
 * working.
 */
export type ProviderKind = 'strict' | 'replay';

export interface Trial {
  readonly provider: ProviderKind;
  readonly at: Moment;
  readonly blow: Blow;
  readonly promised: Promised;
  /** Token sets that the provider issued and no client will ever use. */
  readonly unused: number;
}

/** A trial as a row of the table. */
export interface Row extends Trial {
  readonly step: string;
  readonly what: string;
}

type Each = Readonly<Record<ProviderKind, readonly [Promised, unused: number]>>;

const both = (step: string, what: string, at: Moment, blow: Blow, each: Each): Row[] =>
  (['strict', 'replay'] as const).map((provider) => {
    const [promised, unused] = each[provider];
    return { step, what, provider, at, blow, promised, unused };
  });

const frozenMs = 25_000;
const awayMs = 10_000;

/** Dealt at the same time, each to a connection of its own. */
export const blows: readonly Row[] = [
  ...both('1', 'killed with the lease, before the call', 'acquire', killAfter, {
    strict: ['after_holder', 0],
    replay: ['in_time', 0],
  }),
  ...both('2', 'killed in flight, never reached the provider', 'call', killBefore, {
    strict: ['after_holder', 0],
    replay: ['in_time', 0],
  }),
  ...both('2\\*', 'killed in flight, carried out by the provider', 'call', killAfter, {
    strict: ['lost_in_doubt', 1],
    replay: ['in_time', 1],
  }),
  ...both('3', 'killed with the reply, secret not written', 'persist', killBefore, {
    strict: ['lost_in_doubt', 1],
    replay: ['in_time', 1],
  }),
  ...both('4', 'killed with the secret written, not committed', 'commit', killBefore, {
    strict: ['in_time', 0],
    replay: ['in_time', 0],
  }),
  ...both('5', 'killed after the commit', 'commit', killAfter, { strict: ['in_time', 0], replay: ['in_time', 0] }),
  ...both('3', 'frozen for 25 s with the reply, secret not written', 'persist', freeze(frozenMs), {
    strict: ['after_holder', 0],
    replay: ['in_time', 1],
  }),
  ...both('4', 'frozen for 25 s with the secret written, not committed', 'commit', freeze(frozenMs), {
    strict: ['in_time', 0],
    replay: ['in_time', 0],
  }),
];

const away = (step: string, what: string, at: Moment, blow: Blow, promised: Promised): Row => ({
  step,
  what,
  provider: 'strict',
  at,
  blow,
  promised,
  unused: 0,
});

/**
 * They concern every connection there is, so they come one after another. Nothing is sent twice: the strict provider
 * tells all.
 */
export const outages: readonly Row[] = [
  away('2–5', 'DynamoDB away for 10 s during the call', 'call', outage('dynamoDb', awayMs), 'in_time_but_away'),
  away('2–5', 'Secrets Manager away for 10 s during the call', 'call', outage('secretsManager', awayMs), 'in_time'),
  away('0', 'SQS away for 10 s when the refresh is asked for', 'ask', outage('sqs', awayMs), 'in_time'),
];
