/** Tells the breaker of a provider application how its calls end. */
import { afterCall, type Breaker, hasNothingToClear, isAnswer, saysNothingOfProvider } from '../domain/breaker.ts';
import type { Connection } from '../domain/connection.ts';
import { limits } from '../domain/limits.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { BreakerStore } from '../ports/breakers.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { Providers } from '../ports/providers.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { reportBreaker } from './report.ts';

interface HealthWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly breakers: BreakerStore;
  readonly telemetry: Telemetry;
  readonly providers: Providers;
}

/** Tells whether the provider answered; `seen` is the breaker before the call. Never throws: what cannot be told, the next call tells. */
export async function recordOutcome(
  world: HealthWorld,
  item: Connection,
  outcome: Outcome,
  seen: Breaker | undefined,
): Promise<void> {
  if (saysNothingOfProvider(outcome)) return;
  const { breakers, chance, clock, telemetry } = world;
  const { connection } = item;
  const answered = isAnswer(outcome);
  if (answered && hasNothingToClear(seen)) return;
  const sign = {
    application: world.providers.of(item.config).application,
    connection,
    answered,
    ...('retryAt' in outcome && { retryAt: outcome.retryAt }),
  };
  try {
    for (let attempt = 0; attempt < limits.acquiresPerInvocation; attempt += 1) {
      const before = await breakers.read(sign.application);
      const after = afterCall(before, sign, clock.now(), chance.next());
      if (after === undefined) return;
      if (await breakers.replace(after)) return reportBreaker(world, item, before, after);
    }
  } catch {
    telemetry.warn('breaker_not_noted', { connection });
  }
}
