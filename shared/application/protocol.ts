/** The protocol's decisions and writes as one value. A test may put a wrong one in place of any of them (test/mutants). */
import { decide } from '../domain/decide.ts';
import { acquire, commitFailure, commitSuccess, keepSpare, markSent, promiseWake, release, renewLease, rest } from '../domain/writes.ts';

export const protocol = { decide, acquire, renewLease, markSent, commitSuccess, commitFailure, keepSpare, release, promiseWake, rest };

export type Protocol = typeof protocol;
