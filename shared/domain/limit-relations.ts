/** What must hold among the limits, each relation with its reason. */
import { type Limits, limits } from './limits.ts';

/** A relation, and whether it holds. */
type Relation = readonly [holds: boolean, rule: string];

/** A renewal and its call. */
const ofRenewing = (limits: Limits): readonly Relation[] => [
  [limits.heartbeatMs * 3 <= limits.leaseMs, 'heartbeat × 3 ≤ lease: two lost heartbeats do not lose the lease'],
  [
    limits.leaseMs + limits.oneRefreshMs <= limits.marginMs,
    'lease + one refresh ≤ margin: a killed refresher is taken over before expiry',
  ],
  [
    limits.callTimeoutMs + limits.persistBudgetMs + limits.commitReserveMs < limits.refreshTimeoutMs,
    'call time-out + persist budget + commit reserve < function time-out: an answer can always be kept',
  ],
  [
    limits.leaseMs - limits.heartbeatMs > 2 * limits.skewMs,
    'lease − heartbeat > 2 × skew: clocks do not end a live lease',
  ],
  [
    limits.probeWaitMs.to < limits.marginMs,
    'longest wait for a probe < margin: a provider that is back is called again before tokens expire',
  ],
  [
    limits.probeTurnMs < limits.probeMaxMs,
    'turn of the others < longest time between probes: the connection that probed last comes to its turn',
  ],
  [
    limits.skewMs + limits.wakeJitterMs.to <= limits.renewLeastMs,
    'skew + longest jitter ≤ least age of a token: a look at its renewal is promised once',
  ],
  [limits.grantUsedShare.late + limits.grantEndsAheadShare < 1, 'late use + announcement < 1: no end is told in vain'],
  [
    2 * limits.skewMs < limits.assertionSetBackMs,
    '2 × skew < set-back of an assertion: no server takes it for one of the future',
  ],
  [
    limits.assertionSetBackMs + limits.callTimeoutMs + 2 * limits.skewMs < limits.assertionLifeMs,
    'set-back + call time-out + 2 × skew < life of an assertion: it does not end while it is sent',
  ],
];

/** A client, a browser or an operator that waits. */
const ofServing = (limits: Limits): readonly Relation[] => [
  [2 * limits.skewMs < limits.minTtlMs.least, '2 × skew < least min_ttl: no expired token is served by a slow clock'],
  [
    limits.callbackWaitMs + limits.memoryMs < limits.tokenTimeoutMs,
    'wait of a callback + memory < time-out of API Gateway: the browser gets its page',
  ],
  [limits.waitMs.most < limits.tokenTimeoutMs, 'longest wait < time-out of the token function'],
  [
    limits.pollMs.to < limits.lateMs.least,
    'longest poll < least late: a client looks again before it gives a renewal up',
  ],
  [
    limits.lateMs.most <= limits.waitMs.default,
    'most late ≤ default wait: a client that does not say gives up only a renewal that is late',
  ],
  [
    limits.askedMs + limits.lateRetryMs.to < limits.askedAnewMs,
    'asked + longest retry of a late renewal < asked anew: clients that come again when told do not begin a new wait',
  ],
  [limits.tokenTimeoutMs < 30_000, 'time-out of the token function < integration time-out of an HTTP API (30 s)'],
];

/** Plans, messages, deletions and stores. */
const ofWorking = (limits: Limits): readonly Relation[] => [
  [
    limits.discoveryTimeoutMs * 2 + limits.verifyWaitMs + limits.memoryMs < limits.tokenTimeoutMs,
    'discovery × 2 + verification + memory < time-out of the connections function: what was found is written, and ' +
      'the PUT answered',
  ],
  [
    limits.tokenTimeoutMs + 2 * limits.skewMs < limits.claimMs,
    'time-out of the connections function + 2 × skew < claim: no claim is taken from one who can still write',
  ],
  [
    limits.refreshTimeoutMs + 2 * limits.skewMs < limits.deletionLeaseMs,
    'time-out of the refresh function + 2 × skew < lease of a deletion: no refresher deletes secrets of a ' +
      'connection that another one has removed',
  ],
  [
    limits.slotVersionsPerDay <= limits.versionsKept,
    'versions of a slot in a day ≤ versions kept: what a day brings stays',
  ],
  [
    limits.slotVersionsPerDay <= limits.secretVersionsPerDay * (1 - limits.spreadShare),
    'versions of a slot ≤ versions of a secret × (1 − spread share): a day of early renewals still has room',
  ],
  [limits.planIntervalMs < limits.lineAgainMs, 'plan interval < again in line: no plan repeats the one before'],
  [limits.planIntervalMs < limits.planHorizonMs, 'plan interval < plan horizon: successive plans overlap'],
  [
    limits.planIntervalMs + limits.refreshTimeoutMs + 2 * limits.skewMs < limits.overdueAfterMs,
    'plan interval + time-out of the refresh function + 2 × skew < overdue: a renewal that is under way is not overdue',
  ],
  [
    limits.planHorizonMs <= limits.longestOwnWaitMs,
    'plan horizon ≤ longest own wait: each instant is left to the planner or to a refresher',
  ],
  [limits.longestOwnWaitMs <= limits.messageDelayMaxMs, 'longest own wait ≤ longest message delay'],
  [
    limits.deliveries * limits.visibilityTimeouts * limits.refreshTimeoutMs < limits.messageRetentionMs,
    'deliveries × visibility < retention: a message that fails becomes a dead letter, and is not dropped',
  ],
];

/** Returns what must hold among the numbers. */
export const relationsOf = (limits: Limits): readonly Relation[] => [
  ...ofRenewing(limits),
  ...ofServing(limits),
  ...ofWorking(limits),
];

/**
 * Throws one error that lists every relation that does not hold. Called at synth, and by each function before it does
 * anything.
 */
export function assertRelations(of: Limits = limits): void {
  const broken = relationsOf(of).flatMap(([holds, rule]) => (holds ? [] : [rule]));
  if (broken.length > 0) throw new Error(`limits contradict each other: ${broken.join('; ')}`);
}
