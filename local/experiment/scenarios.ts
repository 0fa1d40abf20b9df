/** What is compared, as data. */
import type { ExactOnlineFacts } from '../simulators/exact-online.ts';

/**
 * The provider's clock runs so many times as fast as the clock of every worker and of the broker: a token of 600 s
 * lives 20 s, an hour takes two minutes.
 */
export const speed = 30;
/** How often a worker sends a record, by the provider's clock; give or take a fifth. */
export const recordEveryMs = 30_000;

export interface Scenario {
  readonly title: string;
  readonly client:
    | { readonly kind: 'broker' }
    | {
        readonly kind: 'independent';
        readonly refreshes: 'after_401' | 'ahead';
        /** `own`: each keeps its tokens to itself. `shared`: all read and write one file, without a lock. */
        readonly store: 'own' | 'shared';
      };
  readonly facts: Partial<ExactOnlineFacts>;
}

/**
 * The same for all workers: what would limit fifty of them, with the broker or without, and how long the token endpoint
 * takes.
 */
const alike: Partial<ExactOnlineFacts> = {
  callsAMinute: Number.POSITIVE_INFINITY,
  callsADay: Number.POSITIVE_INFINITY,
  answerMs: 500,
};
/** Processes that know nothing of each other could not keep to an earliest renewal. */
const reusable = { ...alike, refreshTokens: 'reusable', minTokenAgeSeconds: 0 } as const;
const endless = { errorsAnHour: Number.POSITIVE_INFINITY } as const;
const lazily = { kind: 'independent', refreshes: 'after_401' } as const;

export const scenarios: readonly Scenario[] = [
  {
    title: 'Each after a 401; old refresh tokens go on working; errors block nobody',
    client: { ...lazily, store: 'own' },
    facts: { ...reusable, ...endless },
  },
  { title: 'Each after a 401; old refresh tokens go on working', client: { ...lazily, store: 'own' }, facts: reusable },
  { title: 'Each after a 401; single use', client: { ...lazily, store: 'shared' }, facts: alike },
  {
    title: 'Each after a 401; single use, and reuse revokes the grant; errors block nobody',
    client: { ...lazily, store: 'shared' },
    facts: { ...alike, ...endless, reuseRevokes: true },
  },
  {
    title: 'Each ahead of expiry; old refresh tokens go on working',
    client: { kind: 'independent', refreshes: 'ahead', store: 'own' },
    facts: reusable,
  },
  {
    title: 'Each ahead of expiry; single use, and reuse revokes the grant',
    client: { kind: 'independent', refreshes: 'ahead', store: 'shared' },
    facts: { ...alike, reuseRevokes: true },
  },
  {
    title: 'The broker; single use, and reuse revokes the grant',
    client: { kind: 'broker' },
    facts: { ...alike, reuseRevokes: true },
  },
];
