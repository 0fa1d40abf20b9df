/**
 * `GET /token/{connection}`: serves the token, marks what its use calls for, and waits for a newer one when it must.
 */

import { type Connection, type ServableTokenSet, versionIdOf } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import { limits } from '../domain/limits.ts';
import { redact } from '../domain/redact.ts';
import { arm } from '../domain/schedule-writes.ts';
import { answerToRejection, type Serving, serve } from '../domain/serve.ts';
import { type EpochMs, earliest, latest, plus } from '../domain/time.ts';
import { between } from '../domain/timing.ts';
import { ask, reject, touch } from '../domain/use-writes.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import { reasonOf, SealBroken, Unavailable } from '../ports/errors.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { Opener } from '../ports/sealer.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { type OpenedToken, openedTextOf } from './sealed-token.ts';

export interface TokenWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: ConnectionStore;
  readonly sealer: Opener;
  readonly queue: RefreshQueue;
  readonly telemetry: Telemetry;
  /** Tokens read a moment ago, by connection; lives as long as the execution environment. */
  readonly memory: Map<ConnectionName, Remembered>;
}

export interface Remembered extends OpenedToken {
  readonly item: Connection;
  readonly readAt: EpochMs;
}

export type TokenAnswer =
  | ({
      readonly kind: 'token';
      readonly item: Connection;
      readonly tokens: ServableTokenSet;
      readonly now: EpochMs;
      readonly warning: string | undefined;
    } & OpenedToken)
  | { readonly kind: 'not_found' }
  | { readonly kind: 'refused'; readonly code: 'reauthorization_required' | 'misconfigured'; readonly item: Connection }
  /** There is no token left, and none will come before the connection is resumed. */
  | { readonly kind: 'paused'; readonly item: Connection }
  | { readonly kind: 'unsatisfiable'; readonly lifeMs: number; readonly item: Connection }
  | {
      readonly kind: 'unavailable';
      /** When the next token set can come, if it cannot at any moment. */
      readonly notBefore: EpochMs | undefined;
      readonly retryAt: EpochMs | undefined;
      readonly now: EpochMs;
      readonly item?: Connection;
    };

/**
 * Answers within `waitMs` and a little, whatever happens, and as soon as the renewal that it waits for is late. Never
 * throws for a store that is down: that is `unavailable`.
 */
export async function getToken(
  world: TokenWorld,
  connection: ConnectionName,
  minTtlMs: number | undefined,
  waitMs: number,
): Promise<TokenAnswer> {
  const remembered = recall(world, connection, minTtlMs);
  if (remembered !== undefined) return remembered;
  try {
    return await read(world, connection, minTtlMs, plus(world.clock.now(), waitMs));
  } catch (error) {
    return unavailable(world, connection, error);
  }
}

function recall(
  { clock, memory }: TokenWorld,
  connection: ConnectionName,
  minTtlMs: number | undefined,
): TokenAnswer | undefined {
  const now = clock.now();
  forgetOld(memory, now);
  const remembered = memory.get(connection);
  if (remembered === undefined) return undefined;
  const { answer, memorable } = serve(remembered.item, minTtlMs, now);
  if (!memorable || answer.kind !== 'serve') return undefined;
  const { item, accessToken, companions } = remembered;
  return {
    kind: 'token',
    item,
    tokens: answer.tokens,
    accessToken,
    ...(companions && { companions }),
    now,
    warning: answer.warning,
  };
}

/** Opened tokens stay no longer than they may be served. The oldest entry comes first, so that this looks at few. */
function forgetOld(memory: TokenWorld['memory'], now: EpochMs): void {
  for (const [connection, { readAt }] of memory) {
    if (plus(readAt, limits.memoryMs) > now) return;
    memory.delete(connection);
  }
}

/** The age of a memory counts from before the read: whatever is written after that instant may not be in it. */
function remember({ memory }: TokenWorld, connection: ConnectionName, remembered: Remembered): void {
  memory.delete(connection);
  memory.set(connection, remembered);
}

/** What a client says of a token that the provider refused. */
interface Rejection {
  readonly generation: number;
  readonly status?: number;
  readonly detail?: string;
}

/**
 * `POST /token/{connection}/rejections`: answers with a token newer than the one reported, at once if there is one;
 * else notes the report, asks for a renewal, and waits for it as long as it can come within `waitMs`.
 */
export async function rejectToken(
  world: TokenWorld,
  connection: ConnectionName,
  { generation, status, detail }: Rejection,
  waitMs: number,
): Promise<TokenAnswer | { readonly kind: 'never_issued' }> {
  const { clock, store, telemetry } = world;
  try {
    const item = await store.read(connection);
    if (item === undefined) return { kind: 'not_found' };
    if (generation > item.generation) return { kind: 'never_issued' };
    world.memory.delete(connection);
    const now = clock.now();
    if (generation === item.generation && (await store.apply(connection, reject(item, now))).applied) {
      telemetry.warn('token_rejected', {
        connection,
        provider: item.config.provider,
        generation,
        status,
        ...(detail && { detail: redact(detail, await partsOf(world, item)) }),
      });
    }
    return await read(world, connection, undefined, plus(now, waitMs), generation);
  } catch (error) {
    return unavailable(world, connection, error);
  }
}

function unavailable({ clock, telemetry }: TokenWorld, connection: ConnectionName, error: unknown): TokenAnswer {
  if (!(error instanceof Unavailable) && !(error instanceof SealBroken)) throw error;
  telemetry.error('token_unavailable', { connection, reason: reasonOf(error) });
  return { kind: 'unavailable', notBefore: undefined, retryAt: undefined, now: clock.now() };
}

/** `rejected`: a generation that will not do, however long it lives. */
async function read(
  world: TokenWorld,
  connection: ConnectionName,
  minTtlMs: number | undefined,
  until: EpochMs,
  rejected?: number,
): Promise<TokenAnswer> {
  const { clock, chance, store, sealer } = world;
  for (;;) {
    const readAt = clock.now();
    const [item] = await Promise.all([store.read(connection), sealer.warm()]);
    if (item === undefined) return { kind: 'not_found' };
    const now = clock.now();
    const serving = serve(item, minTtlMs, now);
    await mark(world, item, serving, now);
    const answer = item.generation === rejected ? answerToRejection(item, now) : serving.answer;
    switch (answer.kind) {
      case 'serve': {
        const { tokens, warning, betterUntil } = answer;
        // What was reported is answered with what there is: the client has waited for its refusal already.
        if (betterUntil !== undefined && rejected === undefined) {
          const pauseMs = between(limits.pollMs, chance.next());
          if (plus(now, pauseMs) <= earliest(until, betterUntil)) {
            await clock.sleep(pauseMs);
            break;
          }
        }
        const opened = await open(world, item, tokens);
        if (serving.memorable) remember(world, connection, { item, ...opened, readAt });
        return { kind: 'token', item, tokens, ...opened, now, warning };
      }
      case 'gone':
        return { kind: 'not_found' };
      case 'paused':
        return { kind: 'paused', item };
      case 'refuse':
        return { kind: 'refused', code: answer.code, item };
      case 'unsatisfiable':
        return { kind: 'unsatisfiable', lifeMs: answer.lifeMs, item };
      case 'wait': {
        const pauseMs = between(limits.pollMs, chance.next());
        const { notBefore, retryAt } = answer;
        const waitsUntil = earliest(until, answer.until);
        if (latest(plus(now, pauseMs), notBefore ?? now) <= waitsUntil) await clock.sleep(pauseMs);
        // After a pause of the process, or a read that took long, the token may be there: it is looked for again.
        else if (readAt >= waitsUntil || plus(readAt, limits.memoryMs) > now)
          return { kind: 'unavailable', notBefore, retryAt, now, item };
      }
    }
  }
}

/**
 * The access token that is reported, and its parts between dots, one of which may be quoted alone. Shorter parts than
 * these tell nothing. A token that cannot be opened is not known, and what looks like a secret is taken out all the
 * same.
 */
async function partsOf(world: TokenWorld, item: Connection): Promise<readonly string[]> {
  if (item.tokens?.sealed === undefined) return [];
  try {
    const token = (await open(world, item, item.tokens)).accessToken.reveal();
    return [token, ...token.split('.').filter((part) => part.length >= 3)];
  } catch (error) {
    if (error instanceof Unavailable || error instanceof SealBroken) return [];
    throw error;
  }
}

const open = async (
  { sealer }: TokenWorld,
  { connection, grant }: Connection,
  { sealed, fence }: ServableTokenSet,
): Promise<OpenedToken> =>
  openedTextOf(await sealer.open(sealed, { connection, versionId: versionIdOf(grant.id, fence) }));

/** Leaves the marks. A token is served without them, so a store that fails here fails no client. */
async function mark(world: TokenWorld, item: Connection, serving: Serving, now: EpochMs): Promise<void> {
  const { store, queue, telemetry } = world;
  const { connection } = item;
  try {
    if (serving.touch) await store.apply(connection, touch(now));
    if (serving.arm) await armed(world, item, now);
    if (serving.ask && (await store.apply(connection, ask(item, now, serving.hasten))).applied)
      await queue.send(connection, 0);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    telemetry.warn('use_not_marked', { connection, reason: reasonOf(error) });
  }
}

/** Arms what was seen; if a commit came between, what that left, once. A second commit has armed it itself. */
async function armed({ store, clock }: TokenWorld, item: Connection, now: EpochMs): Promise<void> {
  const first = await store.apply(item.connection, arm(item, now));
  if (first.applied || first.item === undefined || !serve(first.item, 0, clock.now()).arm) return;
  await store.apply(item.connection, arm(first.item, now));
}
