/**
 * The protocol as one value: its decisions, its writes, and how long it holds and waits. A test may put a wrong one in
 * place of any of them (test/mutants).
 */
import { announced } from '../domain/announcements.ts';
import { commitFailure, commitSuccess, keepSpare } from '../domain/commit-writes.ts';
import { decide } from '../domain/decide.ts';
import { acquire, markSent, release, renewLease } from '../domain/lease-writes.ts';
import { type Limits, limits } from '../domain/limits.ts';
import { promiseWake, rest } from '../domain/schedule-writes.ts';

const { leaseMs, persistBudgetMs }: Limits = limits;

export const protocol = {
  leaseMs,
  persistBudgetMs,
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
