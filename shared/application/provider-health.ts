/** Notes for the breaker of a provider application how its calls end. */
import {
  afterCall,
  type Breaker,
  type CallResult,
  isNoNews,
  signOf,
  toldOf,
  untoldRefusals,
  withheldUntil,
} from '../domain/breaker.ts';
import { otherSecretAfterCall } from '../domain/client-secrets.ts';
import type { Connection } from '../domain/connection.ts';
import { limits } from '../domain/limits.ts';
import type { Outcome } from '../domain/outcome.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import { between } from '../domain/timing.ts';
import type { Announcer } from '../ports/announcer.ts';
import type { BreakerStore } from '../ports/breakers.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import { reasonOf } from '../ports/errors.ts';
import type { Providers } from '../ports/providers.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { reportBreaker } from './report.ts';

interface HealthWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly announcer: Announcer;
  readonly breakers: BreakerStore;
  readonly telemetry: Telemetry;
  readonly providers: Providers;
}

/**
 * Notes what a call came to; `seen` is the breaker before the call. Returns until when a refusal is withheld, or
 * undefined if the outcome counts as it is. Never throws: what cannot be noted, the next call tells; and while nothing
 * is known of the application, no refusal of a living grant is believed.
 */
export async function recordOutcome(
  world: HealthWorld,
  item: Connection,
  outcome: Outcome,
  seen: Breaker | undefined,
): Promise<EpochMs | undefined> {
  const now = world.clock.now();
  // One of two client secrets is refused: that says nothing of the grant, nor of the application as it is.
  const sign = otherSecretAfterCall(item, outcome, now) === undefined ? signOf(outcome) : 'answered';
  const living = item.generation > 0;
  if (sign === undefined || isNoNews(seen, { sign, living })) return undefined;
  const { breakers, chance, clock, telemetry } = world;
  const { connection } = item;
  const result: CallResult = {
    application: world.providers.of(item.config).application,
    connection,
    sign,
    living,
    ...('retryAt' in outcome && { retryAt: outcome.retryAt }),
  };
  try {
    for (let attempt = 0; attempt < limits.acquiresPerInvocation; attempt += 1) {
      const before = await breakers.read(result.application);
      const after = afterCall(before, result, clock.now(), chance.next());
      if (after === undefined) return withheldUntil(before, result);
      if (!(await breakers.replace(after))) continue;
      reportBreaker(world, item, before, after);
      await tellOfRefusals(world, item, after);
      return withheldUntil(after, result);
    }
  } catch {
    // As where other refreshers were quicker each time: it is told below.
  }
  telemetry.warn('breaker_not_noted', { connection });
  return sign === 'refused' && living ? plus(clock.now(), between(limits.lookUpRetryMs, chance.next())) : undefined;
}

/**
 * Tells subscribers once that refusals of an application are withheld. Never throws: a later refresher of the
 * application tells it.
 */
export async function tellOfRefusals(
  world: HealthWorld,
  item: Connection,
  breaker: Breaker | undefined,
): Promise<void> {
  const connections = untoldRefusals(breaker);
  if (breaker?.open === undefined || connections === undefined) return;
  const { connection, config } = item;
  const at = world.clock.now();
  try {
    await world.announcer.announce({
      id: `${connection}.refusals_withheld.${breaker.open.until}`,
      change: 'refusals_withheld',
      connection,
      provider: config.provider,
      connections,
      at,
    });
    await world.breakers.replace(toldOf(breaker));
  } catch (error) {
    world.telemetry.warn('not_announced', { connection, change: 'refusals_withheld', reason: reasonOf(error) });
  }
}
