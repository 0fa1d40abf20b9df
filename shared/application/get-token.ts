/** `GET /token/{connection}`: serves the token, marks what its use calls for, and waits for a newer one when it must. */
import { limits } from '../domain/limits.ts';
import { type Serving, serve } from '../domain/serve.ts';
import { between } from '../domain/timing.ts';
import { type Connection, type ConnectionName, type EpochMs, latest, plus, type Secret, versionIdOf } from '../domain/types.ts';
import { arm, ask, touch } from '../domain/writes.ts';
import { type Chance, type Clock, type ConnectionStore, type RefreshQueue, SealBroken, type Sealer, type Telemetry, Unavailable } from '../ports/index.ts';

export interface TokenWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: ConnectionStore;
  readonly sealer: Sealer;
  readonly queue: RefreshQueue;
  readonly telemetry: Telemetry;
  /** Tokens read a moment ago, by connection; lives as long as the execution environment. */
  readonly memory: Map<ConnectionName, Remembered>;
}

export interface Remembered {
  readonly item: Connection;
  readonly accessToken: Secret;
  readonly readAt: EpochMs;
}

export type TokenAnswer =
  | { readonly kind: 'token'; readonly item: Connection; readonly accessToken: Secret; readonly now: EpochMs; readonly warning: string | undefined }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'refused'; readonly code: 'reauthorization_required' | 'misconfigured'; readonly item: Connection }
  | { readonly kind: 'unsatisfiable'; readonly lifeMs: number; readonly item: Connection }
  | { readonly kind: 'unavailable'; readonly retryAt: EpochMs | undefined; readonly now: EpochMs; readonly item?: Connection };

/** Answers within `waitMs` and a little, whatever happens. Never throws for a store that is down: that is `unavailable`. */
export async function getToken(world: TokenWorld, connection: ConnectionName, minTtlMs: number, waitMs: number): Promise<TokenAnswer> {
  const remembered = recall(world, connection, minTtlMs);
  if (remembered !== undefined) return remembered;
  try {
    return await read(world, connection, minTtlMs, plus(world.clock.now(), waitMs));
  } catch (error) {
    if (!(error instanceof Unavailable) && !(error instanceof SealBroken)) throw error;
    world.telemetry.error('token_unavailable', { connection, reason: error.message });
    return { kind: 'unavailable', retryAt: undefined, now: world.clock.now() };
  }
}

function recall({ clock, memory }: TokenWorld, connection: ConnectionName, minTtlMs: number): TokenAnswer | undefined {
  const remembered = memory.get(connection);
  const now = clock.now();
  if (remembered === undefined || plus(remembered.readAt, limits.memoryMs) <= now) return undefined;
  const { answer, memorable } = serve(remembered.item, minTtlMs, now);
  if (!memorable || answer.kind !== 'serve') return undefined;
  return { kind: 'token', item: remembered.item, accessToken: remembered.accessToken, now, warning: answer.warning };
}

async function read(world: TokenWorld, connection: ConnectionName, minTtlMs: number, until: EpochMs): Promise<TokenAnswer> {
  const { clock, chance, store } = world;
  for (;;) {
    const item = await store.read(connection);
    if (item === undefined) return { kind: 'not_found' };
    const now = clock.now();
    const serving = serve(item, minTtlMs, now);
    await mark(world, item, serving, now);
    const { answer } = serving;
    switch (answer.kind) {
      case 'serve': {
        const accessToken = await open(world, item);
        if (serving.memorable) world.memory.set(connection, { item, accessToken, readAt: now });
        return { kind: 'token', item, accessToken, now, warning: answer.warning };
      }
      case 'refuse':
        return { kind: 'refused', code: answer.code, item };
      case 'unsatisfiable':
        return { kind: 'unsatisfiable', lifeMs: answer.lifeMs, item };
      case 'wait': {
        const pauseMs = between(limits.pollMs, chance.next());
        if (latest(plus(now, pauseMs), answer.notBefore ?? now) > until) return { kind: 'unavailable', retryAt: answer.retryAt, now, item };
        await clock.sleep(pauseMs);
      }
    }
  }
}

const open = (world: TokenWorld, item: Connection): Promise<Secret> =>
  world.sealer.open(item.accessToken ?? '', { connection: item.connection, versionId: versionIdOf(item.grantId, item.committedFence) });

/** Leaves the marks. None of them is needed to serve, so a store that fails here fails nobody. */
async function mark(world: TokenWorld, item: Connection, serving: Serving, now: EpochMs): Promise<void> {
  const { store, queue, telemetry } = world;
  const { connection } = item;
  try {
    if (serving.touch) await store.apply(connection, touch(now));
    if (serving.arm) await armed(world, item, now);
    if (serving.ask && (await store.apply(connection, ask(item, now))).applied) await queue.send(connection, 0);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    telemetry.warn('use_not_marked', { connection, reason: error.message });
  }
}

/** Arms what was seen; if a commit came between, what that left, once. A second commit has armed it itself. */
async function armed({ store, clock }: TokenWorld, item: Connection, now: EpochMs): Promise<void> {
  const first = await store.apply(item.connection, arm(item, now));
  if (first.applied || first.item === undefined || !serve(first.item, 0, clock.now()).arm) return;
  await store.apply(item.connection, arm(first.item, now));
}
