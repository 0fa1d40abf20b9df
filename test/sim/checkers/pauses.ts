/** What must hold of a connection that an operator has paused (S4, S8). All of it holds under every fault. */
import type { Connection } from '../../../shared/domain/connection.ts';
import { limits } from '../../../shared/domain/limits.ts';
import type { Checker, Watched } from './checker.ts';

/** A refresher that took the lease before the pause may go on; one that took it since sends nothing. */
export const pausedConnectionsRest = ({ world, violate }: Watched): Checker => {
  const tookLeaseAt = new Map<number, number>();
  return {
    onWrite(name, _item, environment) {
      if (name === 'acquire' && environment !== undefined) tookLeaseAt.set(environment, world.time.now());
    },
    onCall({ environment }) {
      const { from, until } = world.pause;
      if (until > world.time.now() && (tookLeaseAt.get(environment) ?? until) > from)
        violate('S8', `environment ${environment} sent a request though the connection is paused`);
    },
  };
};

/** A pause is begun and ended by operators alone: a login, an import and a PUT leave it. */
export const pausesAreWished = ({ violate }: Watched): Checker => {
  let last: Connection | undefined;
  return {
    onWrite(name, item) {
      const [was, is] = [last?.paused !== undefined, item.paused !== undefined];
      if (is && !was && name !== 'pause') violate('S8', `${name} paused the connection`);
      if (was && !is && name !== 'resume') violate('S8', `${name} ended a pause`);
      last = item;
    },
    onRemove() {
      last = undefined;
    },
  };
};

/**
 * What is left of the token is served, with a warning; then clients are told of the pause, and not to come again soon.
 */
export const pausesAreTold = ({ world, violate }: Watched): Checker => ({
  onAnswer(answer, minTtlMs, askedAt) {
    const item = 'item' in answer ? answer.item : undefined;
    if (item === undefined) return;
    const { from, until } = world.pause;
    const on = until > world.time.now() && item.state === 'active' && item.deletion === undefined;
    if (on && from <= askedAt && answer.kind === 'unavailable')
      violate('S4', 'a client of a paused connection was told that a token will come');
    // An environment may have read it before.
    if (on && from <= askedAt - limits.memoryMs && answer.kind === 'token' && answer.warning === undefined)
      violate('S4', 'the token of a paused connection was served without a warning');
    if (answer.kind !== 'paused') return;
    if (until < askedAt) violate('S4', `a client was told of a pause that was over ${askedAt - until} ms before`);
    const reported = item.rejected?.generation === item.generation;
    const lifeMs = (item.tokens?.expiresAt ?? 0) - world.time.now();
    if (item.tokens?.sealed !== undefined && !reported && lifeMs >= minTtlMs + 2 * limits.skewMs)
      violate('S4', `a valid token with ${lifeMs} ms left was refused for a pause`);
  },
});
