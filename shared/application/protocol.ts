/**
 * The protocol's decisions and writes as one value. A test may put a wrong one in place of any of them (test/mutants).
 */
import { announced } from '../domain/announcements.ts';
import { commitFailure, commitSuccess, keepSpare } from '../domain/commit-writes.ts';
import { decide } from '../domain/decide.ts';
import { acquire, markSent, release, renewLease } from '../domain/lease-writes.ts';
import { promiseWake, rest } from '../domain/schedule-writes.ts';

export const protocol = {
  decide,
  acquire,
  renewLease,
  markSent,
  commitSuccess,
  commitFailure,
  keepSpare,
  release,
  promiseWake,
  rest,
  announced,
};

export type Protocol = typeof protocol;
