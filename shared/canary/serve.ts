/** What the canary's function does: the token endpoint, and what the schedule and operators order. */
import { limits } from '../domain/limits.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import {
  answerTo,
  beginGrant,
  type Canary,
  type CanaryAnswer,
  type CanaryReport,
  type CanaryRequest,
  disturb,
  type Fresh,
  reportOf,
} from './authorization-server.ts';
import { type CanaryConnection, connectionTo } from './connection.ts';

/** Keeps the state. Both throw if it is out of reach. */
export interface CanaryStore {
  read(): Promise<Canary | undefined>;
  /** Returns false if another write came first. */
  replace(state: Canary): Promise<boolean>;
}

export interface CanaryWorld {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'id'>;
  readonly store: CanaryStore;
  /** Where it is reached. */
  readonly tokenEndpoint: string;
}

/** `grant`: a new grant, as the PUT that connects it. `disturb`: the next fault. `report`: what was counted. */
export type CanaryOrder =
  | { readonly order: 'grant'; readonly lifetimeSeconds?: number }
  | { readonly order: 'disturb' }
  | { readonly order: 'report' };

/** Returns what was asked for; undefined where there is nothing to tell. Throws if the state cannot be changed. */
export async function obey(
  world: CanaryWorld,
  order: CanaryOrder,
): Promise<CanaryConnection | CanaryReport | undefined> {
  switch (order.order) {
    case 'grant': {
      const { lifetimeSeconds = limits.canary.lifetimeMs / 1_000 } = order;
      const lifetimeMs = lifetimeSeconds * 1_000;
      return changed(world, (state, fresh) => {
        const begun = beginGrant(state, { now: world.clock.now(), lifetimeMs, fresh });
        return { state: begun.state, result: connectionTo(world.tokenEndpoint, lifetimeMs, fresh, begun.refreshToken) };
      });
    }
    case 'disturb':
      return changed(world, (state) => ({ state: state && disturb(state), result: undefined }));
    case 'report': {
      const state = await world.store.read();
      return state && reportOf(state);
    }
  }
}

/** Returns the answer to a token request when it is time to send it. Throws if the state cannot be changed. */
export async function answered(world: CanaryWorld, request: CanaryRequest): Promise<CanaryAnswer> {
  const answer = await changed(world, (state, fresh) => {
    const result = answerTo(state, request, { now: world.clock.now(), fresh });
    return { state: result.state, result };
  });
  if (answer.late) await world.clock.sleep(limits.canary.slowMs);
  return answer;
}

/** Decides on the newest state, and again if another write came first. */
async function changed<T>(
  { store, chance }: CanaryWorld,
  decide: (state: Canary | undefined, fresh: Fresh) => { readonly state: Canary | undefined; readonly result: T },
): Promise<T> {
  const text = (): string => `${chance.id()}${chance.id()}`;
  for (let tries = 0; tries < limits.canary.tries; tries += 1) {
    const fresh = { client: chance.id(), secret: text(), refresh: text(), access: text() };
    const { state, result } = decide(await store.read(), fresh);
    if (state === undefined || (await store.replace(state))) return result;
  }
  throw new Error('the canary’s state kept changing; nothing was changed by this call');
}
