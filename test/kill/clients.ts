/** Clients that want a token all the time, and remember every answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import type { SignedFetch } from '../../local/platform/signed-fetch.ts';

/** What a client got, and when. */
export interface Answer {
  readonly at: number;
  /** 0 if no answer came. */
  readonly status: number;
  readonly retryAfter?: string;
  readonly token?: { readonly generation: number; readonly expiresIn: number; readonly expiresAt: number };
  /** Of a problem. */
  readonly cause?: string;
}

export const minTtlSeconds = 5;
const waitSeconds = 10;
const everyMs = 500;
/** Longer than the gateway lets a client wait. */
const patienceMs = 35_000;

const Token = v.object({ generation: v.number(), expires_in: v.number(), expires_at: v.string() });
const Problem = v.object({ cause: v.optional(v.string()) });

/** Asks once, and waits for a first token longer than later ones need. Never rejects. */
export async function ask(fetch: SignedFetch, connection: string, wait = waitSeconds): Promise<Answer> {
  try {
    const reply = await fetch(`/token/${connection}?min_ttl=${minTtlSeconds}&wait=${wait}`, {
      signal: AbortSignal.timeout(patienceMs),
    });
    const [at, { status }, body] = [Date.now(), reply, await reply.json()];
    if (reply.ok) {
      const { generation, expires_in, expires_at } = v.parse(Token, body);
      return { at, status, token: { generation, expiresIn: expires_in, expiresAt: Date.parse(expires_at) } };
    }
    const [retryAfter, { cause }] = [reply.headers.get('retry-after'), v.parse(Problem, body)];
    return { at, status, ...(retryAfter !== null && { retryAfter }), ...(cause !== undefined && { cause }) };
  } catch {
    return { at: Date.now(), status: 0 };
  }
}

/** Starts two of them on a connection. `answers` grows until they are stopped; `stop` resolves when they have. */
export function startClients(
  fetch: SignedFetch,
  connection: string,
): { readonly answers: readonly Answer[]; stop(): Promise<void> } {
  const answers: Answer[] = [];
  let stopped = false;
  const client = async (firstMs: number) => {
    await sleep(firstMs);
    while (!stopped) {
      answers.push(await ask(fetch, connection));
      await sleep(everyMs);
    }
  };
  const clients = [client(0), client(everyMs / 2)];
  return {
    answers,
    async stop() {
      stopped = true;
      await Promise.all(clients);
    },
  };
}
