/**
 * Every number that the broker chose, in one place, the unit last in the name. What must hold among them stands in
 * `limit-relations.ts`. What a format or a service lays down stands where it is used, and so does how much of a text is
 * searched.
 */
import { dayMs, hourMs } from './time.ts';

export const limits = {
  // The lease and its heartbeat. Short, so that a killed refresher is taken over inside the margin.
  leaseMs: 18_000,
  heartbeatMs: 5_000,
  /** What one refresh takes when nothing is wrong. */
  oneRefreshMs: 10_000,
  /** Clocks of two environments differ by at most this. */
  skewMs: 2_000,

  // The call.
  callTimeoutMs: 60_000,
  /** How long one address of a host is tried before the next one is; Node.js's own is a quarter of a second. */
  connectAttemptMs: 3_000,
  /** Less time than this cuts many token endpoints off, and each time a refresh token is in doubt. */
  leastCallMs: 10_000,
  /** A provider with a grace period must have answered this long before the period ends. */
  graceReserveMs: 10_000,
  /** The store of secrets gets this long to take a new refresh token; then it is sealed into the commit. */
  persistBudgetMs: 2_000,
  /** Commits are retried until this long before the function is killed. */
  commitReserveMs: 3_000,
  commitRetryMs: 250,
  refreshTimeoutMs: 80_000,
  /** Reads and decisions of one invocation; more would mean a loop. */
  stepsPerInvocation: 40,
  acquiresPerInvocation: 3,

  // Signs of a second refresher.
  /** A grant that is refused this soon after a success leaves a hint. */
  refusedSoonMs: 120_000,
  /** So many generations in a row have to be reported as refused. */
  rejectionsForAHint: 3,
  /** A sign counts for so long. */
  signsLastMs: 7 * dayMs,

  // Waiting and waking.
  wakeJitterMs: { from: 100, to: 600 },
  /** A wait longer than this is left to the planner. */
  longestOwnWaitMs: 120_000,
  /** After a look-up that could not be made. */
  lookUpRetryMs: { from: 3_000, to: 6_000 },
  planHorizonMs: 90_000,
  planIntervalMs: 60_000,
  dueShards: 8,
  /** How many batches of messages the planner sends at the same time. */
  batchesAtOnce: 8,
  /** At most this many connections of a shard in one plan; the soonest first, the rest in the next. */
  duePerShard: 2_000,
  /** So many overdue connections are named in the log, those that wait longest. */
  overdueNamed: 10,
  /** A connection this late is counted as overdue; a renewal that is merely under way is not. */
  overdueAfterMs: 150_000,
  /**
   * More overdue connections than this wait in line for refreshers, as after an outage: then each of them is sent
   * another message only after so long, and not every minute.
   */
  overdueInLine: 1_000,
  lineAgainMs: 300_000,

  /**
   * No token is renewed sooner after it came, however short it lives: a look that is promised for within a clock
   * difference does not count as promised, so that each refresher that waits would promise another.
   */
  renewLeastMs: 2_600,

  /**
   * So long after its latest end an access token that a server hands out once more is believed to live longer; until
   * then it asks again.
   */
  sameTokenMs: 5_000,
  sameTokenRetryMs: 5_000,
  /**
   * A refresh token whose end was told is used when so much of the time to its end is over; the second, where that ends
   * an access token which may still be in use.
   */
  grantUsedShare: { usual: 0.5, late: 0.65 },
  /** An end of a grant that a renewal moves by less is one that no renewal moves. */
  grantEndMovesMs: 60_000,

  // Back-off.
  /** By failure code, after what integration platforms advise, where a preset has no delays of its own. */
  firstDelaysSeconds: { default: 5, time_out: 1, http_429: 60, http_500: 15 },
  backOffMaxMs: 900_000,
  /** Chance stretches a delay up to so many times, so that connections do not come back in step. */
  backOffStretch: 1.25,
  /**
   * A refusal by a name that no rule knows is asked for more and more seldom from so many in a row on that are the
   * same; up to so long apart.
   */
  sameRefusals: 9,
  sameRefusalMaxMs: 4 * hourMs,
  /** An instant that a provider tells is obeyed, but not one that is further away; and with a little chance added. */
  toldDelayMaxMs: dayMs,
  /** Nor, with each failure in a row, one that is as near: at least the first, doubling up to the second. */
  toldDelayLeastMs: { from: 1_000, to: 60_000 },
  toldDelayJitterMs: { from: 0, to: 1_000 },
  /**
   * From so many failures in a row on a connection counts as failing, and operators are told; one or two pass by
   * themselves.
   */
  failingAfterFailures: 3,
  /**
   * After a client's report that the provider refused a token, by how many generations in a row were reported: doubles
   * up to `backOffMaxMs`.
   */
  rejectionCoolDownMs: 10_000,
  tooEarlyFirstMs: 5_000,
  tooEarlyMaxMs: 60_000,
  tooEarlyInDoubtFirstMs: 60_000,

  // Replies.
  /** A longer life is taken for this one: "never" as a number, or nonsense. Renewing once a year does no harm. */
  lifetimeMaxMs: 366 * dayMs,
  /** An end of a grant that is nearer is a mistake: its refresh token would be used at once, and at once again. */
  grantEndLeastMs: 20_000,
  /** An end of a grant that is further away is not noted: it is too far off for an operator to act on. */
  grantEndMaxMs: 20 * 366 * dayMs,
  /** Longer tokens fit into no request, and into no item of the table. */
  tokenCharacters: 65_536,

  // The breaker of a provider application.
  /** Opens when so many different connections in a row got no answer; one alone has its own back-off. */
  breakerConnections: 3,
  probeFirstMs: 5_000,
  probeMaxMs: 60_000,
  /** For how long the connection that probed last lets other connections probe first. */
  probeTurnMs: 10_000,
  /** How soon the refreshers that wait look again while a probe is on its way. */
  probeWaitMs: { from: 10_000, to: 20_000 },

  // Refusals of many living grants of one application.
  /**
   * So many are believed at once; one more within the window is withheld, if less than half as many token sets were
   * granted meanwhile.
   */
  refusalsBelieved: 3,
  refusalWindowMs: 600_000,
  /** How long refusals are withheld before one connection asks once more. */
  withholdMs: 180_000,
  /** For how long refusals are believed after that one was refused, too. */
  believeMs: hourMs,
  /** At most so many connections are named. */
  refusalsNamed: 50,

  // Two client secrets, one of which replaces the other.
  /** Both are wrong if the provider refuses the second one so soon after the first. */
  bothSecretsRefusedMs: 60_000,

  // Announcements.
  /** A grant's end is announced so long ahead, or this share of its limit if that is shorter. */
  grantEndsAheadMs: 14 * dayMs,
  grantEndsAheadShare: 0.25,
  /** The end of a client's secret is announced so long ahead: it is often another team's to renew. */
  secretEndsAheadMs: 30 * dayMs,

  // Serving.
  marginMs: 30_000,
  /** At most this share of a token's life is margin. */
  marginShare: 0.5,
  /** Renewals are spread over this share of a life that is longer than a token's whole margin. */
  spreadShare: 0.1,
  minTtlMs: { least: 5_000, default: 10_000, most: hourMs },
  waitMs: { default: 10_000, most: 25_000 },
  pollMs: { from: 150, to: 400 },
  /** An environment answers from memory for so long after a read; a request that ends a grant waits for as long. */
  memoryMs: 1_000,
  askedMs: 5_000,
  /** An ask that comes so long after the one before begins anew, and so does the wait for it. */
  askedAnewMs: 60_000,
  /**
   * A renewal is late, and no client waits for it any longer, after twice the time of the last one and `lateSpareMs`;
   * within these bounds, and after `unknown` while nothing is known of one.
   */
  lateMs: { least: 2_000, unknown: 5_000, most: 10_000 },
  lateSpareMs: 1_000,
  /** After this share of its age, clients ask again for a renewal that is late. */
  lateRetryShare: 0.5,
  lateRetryMs: { from: 1_000, to: 15_000 },
  /** A client waits for a renewal that cannot begin yet only if it can so soon. */
  aheadMs: 2_000,
  usedWithinMs: hourMs,
  touchEveryMs: 300_000,
  retryAfterSeconds: { least: 1, unavailable: 5, most: 60 },
  tokenTimeoutMs: 29_000,

  // Connecting by login.
  /** How long a link is good. */
  authorizationMs: { least: 60_000, default: 600_000, most: 7 * dayMs },
  /** How long a login may last that began while its link was good. */
  loginMs: 600_000,
  /** A callback that comes again waits so long for what came of the first. */
  callbackWaitMs: 20_000,
  callbackPollMs: { from: 300, to: 700 },
  /** For how long a provider that cannot be told of a deletion is tried. */
  revocationMs: dayMs,

  // Deleting.
  /** A refresher that takes a deletion has it so long: its function has ended by then. */
  deletionLeaseMs: 90_000,
  /** After a store was out of reach. */
  deletionRetryMs: 60_000,
  /** How many secrets are deleted at the same time. */
  secretsAtOnce: 4,

  /** Who claimed a grant for a connection that is not there by now will not write it any more. */
  claimMs: 60_000,
  /** After two connections kept claiming one grant from each other. */
  claimRetryMs: 1_000,
  /** An authorization server that is asked for its metadata, at up to two places, while a caller waits. */
  discoveryTimeoutMs: 8_000,

  // Assertions of clients.
  /** An assertion is used at once. Long enough for clocks that differ, short enough to be worth nothing in a log. */
  assertionLifeMs: 300_000,
  /** It begins so long ago: less than any server takes for too old. */
  assertionSetBackMs: 10_000,

  // Input and output.
  bodyBytes: 16_384,
  replyBytes: 65_536,
  listPage: 100,
  descriptionLength: 300,
  marginSeconds: { least: 10, most: 3_600 },
  accountCharacters: 128,
  clientIdCharacters: 1_024,
  clientSecretCharacters: 4_096,
  /** Of a refresh token, and of a secret among the settings. */
  credentialCharacters: 8_192,
  settingCharacters: 1_024,
  endpointCharacters: 2_048,

  // Stores.
  /** Secrets Manager keeps so many versions of a secret in a day, and takes no more. */
  secretVersionsPerDay: 100,
  slotVersionsPerDay: 90,
  /** No token whose life leaves time to use it needs more slots; each slot is a secret that costs money. */
  slots: 40,
  /**
   * Put, create or restore, put again. More are needed only while other functions keep creating and deleting the same
   * secret.
   */
  secretPuts: 3,
  storeConnectMs: 1_000,
  storeRequestMs: 2_000,
  messageDelayMaxMs: 900_000,

  // Old versions in the table of secrets.
  /** So many of the newest stay, however old they are, and each stays so long, however many follow. */
  versionsKept: 100,
  versionsKeptMs: dayMs,
  /**
   * They are looked for after every 61st lease. A prime, so that each slot has its turn, also where slot and fencing
   * token go up in step.
   */
  pruneEveryFence: 61,
  /** Pages have up to 1 MB, and a slot usually has one. What lies beyond is found once these have become fewer. */
  prunePages: 8,
  /** One pruning takes no longer. The next one does what is left. */
  pruneMs: 3_000,

  // Keys.
  /**
   * How long a rotated key may go unnoticed where no text is opened that names it. Each read is paid for, and an
   * environment of a small fleet would read its keys for every renewal if it did so more often.
   */
  keyRereadMs: hourMs,
  /** How long made-up key ids can keep a new key from being seen. */
  keyLookAgainMs: 10_000,
  keySecretCharacters: 32,

  // The queue.
  /**
   * How often a message is delivered before it counts as dead. A delivery that finds no concurrency counts, though no
   * code has run: three would be dead letters without a fault.
   */
  deliveries: 10,
  /**
   * A delivery that was not confirmed is repeated after so many time-outs of the refresh function, as Lambda advises.
   */
  visibilityTimeouts: 6,
  /** A message that is older is dropped: after an outage of the function, the planner has asked again by then. */
  messageRetentionMs: 2 * hourMs,

  // PUT.
  /** How often a PUT looks again at a connection that refreshers keep changing. */
  putTries: 5,
  /** How often it looks again at a claim that another connection may be making. */
  claimTries: 3,
  /** How long a PUT that is to be verified waits for the first renewal. */
  verifyWaitMs: 10_000,
  /** How long the deletion of a connection usually takes at most: what a PUT that waits for it is told. */
  deletionMs: 10_000,

  /**
   * The canary: how long its access tokens live, how late a late reply is, and how often there is a fault. API Gateway
   * waits 30 s for its function.
   */
  canary: { lifetimeMs: 600_000, slowMs: 20_000, timeoutMs: 29_000, faultEveryMs: 2 * hourMs, tries: 5 },
} as const;

/** The numbers as a type of their own, for the relations of altered ones. */
export type Limits = Numbers<typeof limits>;

type Numbers<T> = { readonly [K in keyof T]: T[K] extends number ? number : Numbers<T[K]> };
