/** One request to the broker, from the signature to what its reply means. */
import type { TokenBrokerOptions } from './api.ts';
import { authorize, type UnsignedRequest } from './credentials.ts';
import { type Problem, TokenBrokerError } from './errors.ts';
import { type Meaning, meaningOf } from './replies.ts';
import { timing } from './timing.ts';
import { late, type World, within } from './world.ts';

export interface Door extends Pick<TokenBrokerOptions, 'credentials' | 'region' | 'waitUntil'> {
  /** The broker's URL, without a slash at the end. */
  readonly url: string;
  readonly world: World;
  /** How far this machine's time of day is ahead of the broker's, in milliseconds; found out when it matters. */
  aheadMs: number;
}

export interface Question {
  readonly connection: string;
  readonly method: 'GET' | 'POST';
  /** Below the broker's URL. */
  readonly path: string;
  readonly body?: string;
}

/** A signature is good for five minutes; a clock that is less wrong is no reason for a refusal. */
const clockToleranceMs = 120_000;

const failed = (problem: Problem): Meaning => ({ kind: 'problem', problem, retryAfterMs: undefined, ofBroker: false });

/** Resolves within `timing.attemptTimeoutMs`, and never rejects. */
export async function ask(door: Door, question: Question): Promise<Meaning> {
  const ended = new AbortController();
  const asked = exchange(door, question, ended.signal);
  const meaning = await within(door.world, asked, timing.attemptTimeoutMs, { awaited: false });
  if (meaning !== late) return meaning;
  ended.abort();
  return failed({
    code: 'timed_out',
    message: `The broker at ${door.url} did not answer within ${timing.attemptTimeoutMs / 1_000} s.`,
    retryable: true,
  });
}

/** Sends it a second time where the clock of this machine was the reason for a refusal. */
async function exchange(door: Door, question: Question, signal: AbortSignal): Promise<Meaning> {
  for (let corrected = false; ; corrected = true) {
    const { meaning, aheadMs } = await send(door, question, signal);
    const refused = meaning.kind === 'problem' && meaning.problem.status === 403 && !meaning.ofBroker;
    if (!refused || corrected || Math.abs(aheadMs - door.aheadMs) < clockToleranceMs) return meaning;
    door.aheadMs = aheadMs;
  }
}

async function send(
  { url: base, credentials, region, world, aheadMs: known }: Door,
  { connection, method, path, body }: Question,
  signal: AbortSignal,
): Promise<{ readonly meaning: Meaning; readonly aheadMs: number }> {
  const url = `${base}${path}`;
  const request: UnsignedRequest = { method, url, ...(body !== undefined && { body }) };
  try {
    const headers = await authorize(request, { credentials, region, timeOfDay: world.timeOfDay() - known });
    const response = await world.fetch(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
      signal,
      redirect: 'manual',
    });
    const date = Date.parse(response.headers.get('date') ?? '');
    const aheadMs = Number.isNaN(date) ? 0 : world.timeOfDay() - date;
    const reply = {
      status: response.status,
      header: (name: string) => response.headers.get(name),
      body: await response.text(),
    };
    return { meaning: meaningOf(reply, { connection, call: `${method} ${path}`, origin: base, aheadMs }), aheadMs };
  } catch (error) {
    return { meaning: failed(problemOf(error, base)), aheadMs: known };
  }
}

/** A request that brought no reply. What `fetch` throws tells nothing of the request's headers. */
function problemOf(error: unknown, base: string): Problem {
  if (error instanceof TokenBrokerError) return error;
  const { code } = ((error as { cause?: unknown } | undefined)?.cause ?? {}) as { code?: unknown };
  const why = typeof code === 'string' ? ` (${code})` : '';
  return {
    code: 'unreachable',
    message: `${base} cannot be reached, or the connection was lost${why}: check the URL and the network.`,
    retryable: true,
    cause: error,
  };
}
