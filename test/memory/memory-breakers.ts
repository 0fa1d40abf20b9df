/** Breakers in memory, for scenarios and the simulation. */
import type { Breaker } from '../../shared/domain/breaker.ts';
import type { BreakerStore } from '../../shared/ports/breakers.ts';

export function memoryBreakers(): BreakerStore {
  const breakers = new Map<string, Breaker>();
  return {
    read: async (application) => breakers.get(application),
    async replace(breaker) {
      const version = breakers.get(breaker.application)?.version ?? breaker.version - 1;
      if (version !== breaker.version - 1) return false;
      breakers.set(breaker.application, breaker);
      return true;
    },
  };
}
