/**
 * What people and alarms are told of a commit. State changes are counted once, by the refresher whose write made them.
 */
import { type Breaker, untoldRefusals } from '../domain/breaker.ts';
import type { FailureCommit } from '../domain/commit-writes.ts';
import type { ClientSecretInUse, Connection } from '../domain/connection.ts';
import type { Held } from '../domain/held.ts';
import { limits } from '../domain/limits.ts';
import { type EpochMs, iso, plus } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';

export type Committed =
  | { readonly kind: 'applied'; readonly item: Connection }
  | { readonly kind: 'refused'; readonly item: Connection | undefined }
  | { readonly kind: 'abandoned' };

interface Reporting {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

export function reportSuccess({ clock, telemetry }: Reporting, held: Held, done: Committed, adopted: boolean): void {
  const { connection, config } = held.seen.item;
  const facts = { connection, provider: config.provider, fence: held.attempt.fence, adopted };
  if (done.kind !== 'applied') {
    telemetry.warn(done.kind === 'refused' ? 'refresh_overtaken' : 'commit_abandoned', facts);
    return;
  }
  const { generation, tokens, refreshAt } = done.item;
  telemetry.info('refresh_succeeded', {
    ...facts,
    generation,
    expiresAt: iso(tokens?.expiresAt),
    refreshAt: iso(refreshAt),
  });
  telemetry.count(adopted ? 'OrphanAdopted' : 'RefreshSucceeded', 1, config.provider);
  telemetry.count('RefreshDurationMs', clock.now() - held.attempt.startedAt, config.provider);
}

/** A commit that has begun a suspicion: told once, and again only after the signs were long ago. */
function reportSuspicion({ telemetry }: Reporting, { connection, config, secondRefresher }: Connection, at: EpochMs) {
  if (secondRefresher?.suspectedAt !== at) return;
  const signs = Object.keys(secondRefresher.signs);
  telemetry.error('second_refresher_suspected', { connection, provider: config.provider, signs });
  telemetry.count('SecondRefresherSuspected', 1, config.provider);
}

export function reportFailure(reporting: Reporting, held: Held, done: Committed, commit: FailureCommit): void {
  const { telemetry } = reporting;
  const { connection, config } = held.seen.item;
  const { class: kind, code, status, count, description } = commit.failure;
  const facts = {
    connection,
    provider: config.provider,
    fence: held.attempt.fence,
    class: kind,
    code,
    status,
    count,
    description,
    state: commit.state,
    cause: commit.cause,
  };
  if (done.kind !== 'applied') {
    telemetry.warn('failure_not_committed', facts);
    return;
  }
  reportSuspicion(reporting, done.item, commit.failure.at);
  if (commit.state === 'reauthorization_required') {
    telemetry.error('reauthorization_required', facts);
    telemetry.count('ReauthorizationRequired', 1, config.provider);
    if (commit.cause === 'refresh_in_doubt') telemetry.count('GrantLost', 1, config.provider);
  } else if (commit.state === 'misconfigured') {
    telemetry.error('misconfigured', facts);
    telemetry.count('Misconfigured', 1, config.provider);
  } else {
    telemetry.warn('refresh_failed', {
      ...facts,
      notBefore: iso(commit.notBefore),
      suspect: commit.suspect,
      ...(commit.withheld && { withheld: true }),
    });
    // "Too early" leaves a good token in place; it is a wrong clock or a second refresher, and is in the log.
    if (kind === 'too_early') return;
    telemetry.count('RefreshFailed', 1, config.provider);
    if (count >= limits.failingAfterFailures) telemetry.count('RefreshFailing', 1, config.provider);
  }
}

/**
 * A renewal is due and no call is made: a store of ours is out of reach, or the provider has refused it alike too
 * often. Of one that is late by then operators are told as of one that fails: it is looked at again and again, and so
 * is never overdue.
 */
export function reportHeldUp({ clock, telemetry }: Reporting, item: Connection, reason: string): void {
  const { connection, config, refreshAt, grant } = item;
  const { provider } = config;
  telemetry.warn('renewal_held_up', { connection, provider, reason });
  if (plus(refreshAt ?? grant.at, limits.overdueAfterMs) <= clock.now()) telemetry.count('RefreshFailing', 1, provider);
}

export function reportBudget({ telemetry }: Reporting, { connection, config, notBefore }: Connection): void {
  telemetry.error('budget_spent', { connection, provider: config.provider, until: iso(notBefore) });
  telemetry.count('BudgetSpent', 1, config.provider);
}

/** Neither a failed renewal nor a verdict: the other secret is sent next. */
export function reportSecret(
  { telemetry }: Pick<Reporting, 'telemetry'>,
  { connection, config }: Connection,
  { inUse }: ClientSecretInUse,
): void {
  telemetry.warn('client_secret_refused', { connection, provider: config.provider, nowInUse: inUse });
}

/**
 * A provider that stops answering (told again after each probe that fails), or answers again: told by the refresher
 * whose write made it so.
 */
export function reportBreaker(
  { telemetry }: Reporting,
  { connection, config }: Connection,
  before: Breaker | undefined,
  after: Breaker,
): void {
  const facts = { connection, provider: config.provider, application: after.application };
  if (after.open === undefined) {
    if (before?.open !== undefined)
      telemetry.info(before.open.reason === 'refused' ? 'refusals_settled' : 'provider_answers', {
        ...facts,
        ...(before.open.reason === 'refused' && { believed: after.believedUntil !== undefined }),
      });
    return;
  }
  if (after.open.reason === 'refused') {
    if (before?.open?.reason === 'refused') return;
    telemetry.error('refusals_withheld', {
      ...facts,
      until: iso(after.open.until),
      connections: untoldRefusals(after),
    });
    telemetry.count('RefusalsWithheld', 1, config.provider);
    return;
  }
  telemetry.error('provider_down', { ...facts, until: iso(after.open.until), probes: after.open.probes });
  telemetry.count('ProviderDown', 1, config.provider);
}
