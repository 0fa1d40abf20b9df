/** One connection as a client keeps it: its newest token, and the one request that is under way for it. */
import type { BrokerToken, Rejection } from './api.ts';
import { ask, type Door, type Question } from './asking.ts';
import { type Problem, TokenBrokerError } from './errors.ts';
import type { BrokerEvent } from './events.ts';
import type { Meaning } from './replies.ts';
import { pauseMs, timesOf, timing } from './timing.ts';
import { HiddenToken, type TokenBody } from './token.ts';
import { late, pause, within } from './world.ts';

interface Kept {
  readonly token: BrokerToken;
  readonly receivedAt: number;
  /** A caller who asks for no life in particular is given it as long as it has this much. */
  readonly enoughMs: number;
  readonly endsAt: number;
  readonly askAt: number;
}

interface Failure {
  readonly problem: Problem;
  /** Not asked again before. */
  readonly until: number;
}

/** One request that is under way. */
interface Flight {
  /** Never rejects, so that it may be left alone. */
  readonly token: Promise<BrokerToken | undefined>;
  /**
   * From then on it counts no more. A platform that has ended the call which began it, as Workers do, has dropped it
   * together with its timers.
   */
  readonly endsAt: number;
}

/** What is asked for in one way, by any number of callers: at most one request at a time. */
interface Wish {
  readonly question: () => Question;
  /** A token of this generation or an older one does not do. */
  readonly newerThan?: number;
  flight: Flight | undefined;
  /** In a row. */
  failures: number;
  failure: Failure | undefined;
}

/** One connection, by its name. */
export interface Connection {
  readonly name: string;
  readonly door: Door;
  readonly tell: (event: BrokerEvent) => void;
  kept: Kept | undefined;
  /** The newest generation whose report the broker has taken. */
  reported: number;
  /** By what distinguishes them: the life that is asked for, or the generation that was refused. */
  readonly wishes: Map<string, Wish>;
}

export interface Patience {
  /** In milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A connection of which nothing is known yet. */
export const connectionNamed = (name: string, door: Door, tell: Connection['tell']): Connection => ({
  name,
  door,
  tell,
  kept: undefined,
  reported: 0,
  wishes: new Map(),
});

/** Returns the kept token if it will do, and asks for the next one in the background when its time has come. */
export function atHand(connection: Connection, minTtlMs: number | undefined): BrokerToken | undefined {
  const { kept, door } = connection;
  if (kept === undefined) return undefined;
  const now = door.world.now();
  if (kept.endsAt - now < (minTtlMs ?? kept.enoughMs)) return undefined;
  if (now >= kept.askAt) {
    const wish = wishForLife(connection, undefined);
    if ((wish.failure?.until ?? 0) <= now) flightOf(connection, wish, now);
  }
  return kept.token;
}

/** Resolves to a token with this life; rejects with `TokenBrokerError`, or with the signal's reason. */
export function withLife(
  connection: Connection,
  minTtlMs: number | undefined,
  patience: Patience,
): Promise<BrokerToken> {
  return fulfil(
    connection,
    () => wishForLife(connection, minTtlMs),
    {
      atHand: () => atHand(connection, minTtlMs),
      spare: () => (minTtlMs === undefined ? alive(connection)?.token : undefined),
    },
    patience,
  );
}

/** Reports a refused token, once, and resolves to a newer one. Rejects as `withLife` does. */
export function newerThan(connection: Connection, rejection: Rejection, patience: Patience): Promise<BrokerToken> {
  const newer = (): BrokerToken | undefined => {
    const token = alive(connection)?.token;
    return token !== undefined && token.generation > rejection.generation ? token : undefined;
  };
  const wishOf = (): Wish => wishForNewer(connection, rejection);
  return fulfil(connection, wishOf, { atHand: newer, spare: () => undefined }, patience);
}

const alive = ({ kept, door }: Connection): Kept | undefined =>
  kept && kept.endsAt - door.world.now() > timing.leastLifeMs ? kept : undefined;

/** What can be given without the broker: what is wished for, or what is better than nothing. */
interface Stock {
  readonly atHand: () => BrokerToken | undefined;
  readonly spare: () => BrokerToken | undefined;
}

/**
 * Waits for what is wished for, as long as the caller has patience: through refusals that can be repeated, and in one
 * request with all callers who wish for the same. A spare token is given at once where the broker fails, and after half
 * of what is left of it where the broker is slow.
 */
async function fulfil(
  connection: Connection,
  wishOf: () => Wish,
  { atHand, spare }: Stock,
  { timeoutMs, signal }: Patience,
): Promise<BrokerToken> {
  const { world } = connection.door;
  const deadline = world.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    // A caller with another wish may have got it while this one waited.
    const kept = atHand();
    if (kept !== undefined) return kept;
    const now = world.now();
    const wish = wishOf();
    const { failure } = wish;
    if (failure === undefined || failure.until <= now) {
      const enoughMs = spare() === undefined ? timeoutMs : ((connection.kept?.endsAt ?? now) - now) / 2;
      const { token: flown, endsAt } = flightOf(connection, wish, now);
      const patienceMs = Math.min(enoughMs, deadline - now, endsAt - now);
      const landed = await within(world, flown, patienceMs, { signal, awaited: true });
      const token = landed === late ? (atHand() ?? spare()) : landed;
      if (token !== undefined) return token;
      if (landed === late && world.now() >= deadline) throw timedOut(connection.name, timeoutMs, wish.failure);
      continue;
    }
    const token = spare();
    if (token !== undefined) return token;
    if (!failure.problem.retryable || failure.until > deadline) throw errorOf(connection, failure);
    await pause(world, failure.until - now, signal);
  }
}

const errorOf = ({ name, door }: Connection, { problem, until }: Failure): TokenBrokerError =>
  new TokenBrokerError(problem, name, problem.retryable ? until - door.world.now() : undefined);

function timedOut(name: string, timeoutMs: number, failure: Failure | undefined): TokenBrokerError {
  const before = failure ? `; before that: ${failure.problem.message}` : '.';
  const message = `The broker gave no token of connection "${name}" within ${timeoutMs / 1_000} s${before}`;
  return new TokenBrokerError({ ...failure?.problem, code: 'timed_out', message, retryable: true }, name);
}

function wish({ wishes }: Connection, key: string, made: Pick<Wish, 'question' | 'newerThan'>): Wish {
  const known = wishes.get(key);
  if (known) return known;
  const wished: Wish = { ...made, flight: undefined, failures: 0, failure: undefined };
  wishes.set(key, wished);
  return wished;
}

function wishForLife(connection: Connection, minTtlMs: number | undefined): Wish {
  const query = minTtlMs === undefined ? '' : `?min_ttl=${Math.ceil(minTtlMs / 1_000)}`;
  const path = `/token/${connection.name}${query}`;
  return wish(connection, path, { question: () => ({ connection: connection.name, method: 'GET', path }) });
}

/** The broker takes no longer words of a refusal. */
const mostDetailCharacters = 300;

function wishForNewer(connection: Connection, { generation, status, detail }: Rejection): Wish {
  const { name } = connection;
  const path = `/token/${name}/rejections`;
  const body = JSON.stringify({ generation, status, ...(detail && { detail: detail.slice(0, mostDetailCharacters) }) });
  return wish(connection, `${path}/${generation}`, {
    // A report that was taken is not repeated: the broker renews, and the newer token can be asked for.
    question: () =>
      connection.reported < generation
        ? { connection: name, method: 'POST', path, body }
        : { connection: name, method: 'GET', path: `/token/${name}` },
    newerThan: generation,
  });
}

/** The request for a wish that is under way, or a new one. */
function flightOf(connection: Connection, wish: Wish, startedAt: number): Flight {
  if (wish.flight && wish.flight.endsAt > startedAt) return wish.flight;
  const question = wish.question();
  const flight: Flight = {
    token: ask(connection.door, question).then((meaning) => {
      // What is no longer waited for may bring a token, and nothing else.
      if (wish.flight === flight) wish.flight = undefined;
      else if (meaning.kind === 'problem') return undefined;
      return land(connection, wish, { question, meaning, startedAt });
    }),
    endsAt: startedAt + timing.flightEndsMs,
  };
  wish.flight = flight;
  connection.door.waitUntil?.(flight.token);
  return flight;
}

interface Landed {
  readonly question: Question;
  readonly meaning: Meaning;
  readonly startedAt: number;
}

function land(connection: Connection, wish: Wish, { question, meaning, startedAt }: Landed): BrokerToken | undefined {
  const { name, door, wishes, tell } = connection;
  const tookMs = door.world.now() - startedAt;
  if (question.method === 'POST' && (meaning.kind === 'token' || meaning.ofBroker)) {
    connection.reported = Math.max(connection.reported, wish.newerThan ?? 0);
    tell({ kind: 'token_reported', connection: name, generation: connection.reported });
  }
  if (meaning.kind === 'problem') {
    // Deleted: what is kept of it may be used by no client any more.
    if (meaning.problem.code === 'connection_not_found') connection.kept = undefined;
    return fail(connection, wish, meaning, tookMs);
  }
  const token = keep(connection, meaning.body, startedAt);
  if (wish.newerThan !== undefined && token.generation <= wish.newerThan)
    return fail(connection, wish, { problem: notYetNewer(name), retryAfterMs: undefined }, tookMs);
  for (const [key, each] of wishes) if (each === wish) wishes.delete(key);
  const { generation, expiresAt, warning } = token;
  tell({ kind: 'token_received', connection: name, generation, expiresAt, tookMs, warning });
  return token;
}

function fail(
  connection: Connection,
  wish: Wish,
  { problem, retryAfterMs }: { readonly problem: Problem; readonly retryAfterMs: number | undefined },
  tookMs: number,
): undefined {
  const { world } = connection.door;
  wish.failures += 1;
  const { failures } = wish;
  const waitMs = pauseMs(failures, { retryable: problem.retryable, retryAfterMs }, world.chance());
  wish.failure = { problem, until: world.now() + waitMs };
  const error = errorOf(connection, wish.failure);
  connection.tell({ kind: 'ask_failed', connection: connection.name, error, tookMs, failures, pauseMs: waitMs });
  return undefined;
}

/** Keeps the token, unless a newer one came meanwhile, and returns the one that is kept. */
function keep(connection: Connection, body: TokenBody, startedAt: number): BrokerToken {
  const { world } = connection.door;
  const now = world.now();
  const kept = alive(connection);
  if (kept && body.generation < kept.token.generation && startedAt < kept.receivedAt + timing.memoryMs)
    return kept.token;
  const times = timesOf(body, { startedAt, now, chance: world.chance() });
  const token = new HiddenToken(body, Math.round(world.timeOfDay() + times.endsAt - now));
  connection.kept = { token, receivedAt: now, ...times };
  return token;
}

const notYetNewer = (connection: string): Problem => ({
  code: 'temporarily_unavailable',
  message: `Connection "${connection}" has no newer token yet than the one that was refused.`,
  retryable: true,
});
