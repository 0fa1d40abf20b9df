/** Breakers in memory, for scenarios and the simulation. */
import type { Breaker } from '../../shared/domain/breaker.ts';
import type { BreakerStore } from '../../shared/ports/breakers.ts';

export function memoryBreakers(): BreakerStore {
  const breakers = new Map<string, Breaker>();
  return {
    read: async (application) => breakers.get(application),
    async replace(breaker) {
      const there = breakers.get(breaker.application);
      if (there !== undefined && there.version !== breaker.version - 1) return there === breaker;
      breakers.set(breaker.application, breaker);
      return true;
    },
  };
}
