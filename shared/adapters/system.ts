/** The real clock and real chance. Nothing else in the product reads the time or draws a number, but for libraries. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { GrantId } from '../domain/ids.ts';
import type { EpochMs } from '../domain/time.ts';
import type { Chance, Clock } from '../ports/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now() as EpochMs,
  sleep: async (ms, signal) => {
    // An abort is a wake-up; the timer has no other way to fail.
    await setTimeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  },
};

/** A UUID without its last group, which `versionIdOf` fills with the fencing token. */
const grantIdLength = 23;

export const systemChance: Chance = {
  next: () => Math.random(),
  grantId: () => randomUUID().slice(0, grantIdLength) as GrantId,
  id: () => randomUUID(),
};
