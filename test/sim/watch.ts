/** Checkers at work: each is told what happens in a world, and says what it finds wrong. */
import type { TokenAnswer } from '../../shared/application/get-token.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import * as announcements from './checkers/announcements.ts';
import * as calls from './checkers/calls.ts';
import type { Checker, Violation } from './checkers/checker.ts';
import * as clients from './checkers/clients.ts';
import * as deletions from './checkers/deletions.ts';
import * as grants from './checkers/grants.ts';
import * as logins from './checkers/logins.ts';
import * as pauses from './checkers/pauses.ts';
import * as planner from './checkers/planner.ts';
import * as secondRefreshers from './checkers/second-refreshers.ts';
import * as secrets from './checkers/secrets.ts';
import type { FaultRates } from './faults.ts';
import { start } from './stores.ts';
import type { World } from './world.ts';

const checkers = [
  announcements,
  calls,
  grants,
  clients,
  logins,
  deletions,
  pauses,
  planner,
  secondRefreshers,
  secrets,
].flatMap((theme) => Object.values(theme));

/** Lets every checker watch the world. Returns what they found so far, and whom to tell of what only a client sees. */
export function watch(world: World, rates: FaultRates) {
  const violations: Violation[] = [];
  const violate = (invariant: string, what: string) => {
    violations.push({ invariant, at: world.time.now() - start, what });
    world.note(`VIOLATION ${invariant}`, what);
  };
  const watching: readonly Checker[] = checkers.map((checker) => checker({ world, rates, violate }));
  const each = (tell: (checker: Checker) => void) => {
    for (const checker of watching) tell(checker);
  };
  world.watcher = {
    onWrite: (name, item, environment) => each(({ onWrite }) => onWrite?.(name, item, environment)),
    onCall: (call) => each(({ onCall }) => onCall?.(call)),
    onReply: (call) => each(({ onReply }) => onReply?.(call)),
    onRedeem: (redemption) => each(({ onRedeem }) => onRedeem?.(redemption)),
    onLogin: (told, environment, link) => each(({ onLogin }) => onLogin?.(told, environment, link)),
    onDeleted: () => each(({ onDeleted }) => onDeleted?.()),
    onRemove: (item) => each(({ onRemove }) => onRemove?.(item)),
    onLog: (event, fields) => each(({ onLog }) => onLog?.(event, fields)),
    onHardStop: (environment) => each(({ onHardStop }) => onHardStop?.(environment)),
  };
  return {
    violations,
    violate,
    answered: (answer: TokenAnswer, minTtlMs: number, askedAt: number) =>
      each(({ onAnswer }) => onAnswer?.(answer, minTtlMs, askedAt)),
    ended: (item: Connection | undefined, answer: TokenAnswer) => each(({ onEnd }) => onEnd?.(item, answer)),
  };
}
