/** One trial: a fresh grant at a provider of its own, two clients, one blow, and what came of it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { limits } from '../../shared/domain/limits.ts';
import { type RealServer, startNodeOauth2Server, startOidcProvider } from '../end-to-end/authorization-servers.ts';
import { type Answer, ask, startClients } from './clients.ts';
import type { ProviderKind, Trial } from './rows.ts';
import type { Stage } from './stage.ts';

export interface Observed {
  readonly trial: Trial;
  readonly struckAt: number;
  /** When the token expires that was served at the blow. */
  readonly oldExpiresAt: number;
  readonly answers: readonly Answer[];
  readonly calls: RealServer['calls'];
  readonly end: { readonly state: string; readonly cause?: string | undefined; readonly generation: number };
}

interface Conditions {
  readonly directory: string;
  readonly accessTokenSeconds: number;
  /** Until which generation it is watched: 2 is the renewal that was struck, 3 shows that the grant is alive. */
  readonly lastGeneration: number;
  /**
   * A client reports its first token as refused, so that the renewal does not wait for the margin but comes 10 s after
   * that token.
   */
  readonly hurried?: true;
}

/** From when a successor may send the same refresh token again where that could revoke the grant. */
export const holderGoneMs = limits.refreshTimeoutMs + 2 * limits.skewMs;
/** For the verdict after that, or the next renewal. */
const afterwardsMs = 60_000;

const Description = v.object({ state: v.string(), cause: v.optional(v.string()), generation: v.number() });

const startProvider: Readonly<
  Record<ProviderKind, (directory: string, accessTokenSeconds: number) => Promise<RealServer>>
> = {
  strict: startOidcProvider,
  replay: (_, accessTokenSeconds) => startNodeOauth2Server(accessTokenSeconds, 'good'),
};

/** Runs a trial to its end. Rejects if the blow could not be dealt, or if nothing came of it within bounds. */
export async function observe(
  stage: Stage,
  connection: string,
  trial: Trial,
  conditions: Conditions,
): Promise<Observed> {
  const directory = join(conditions.directory, connection);
  mkdirSync(directory);
  const server = await startProvider[trial.provider](directory, conditions.accessTokenSeconds);
  try {
    await connect(stage, connection, trial.provider, server);
    const strike = stage.strike(connection, trial.at, trial.blow);
    const clients = startClients(stage.fetch, connection);
    try {
      if (conditions.hurried) await reject(stage, connection);
      const struckAt = await within(2_000 * conditions.accessTokenSeconds, strike.dealt, `the moment ${trial.at}`);
      const oldExpiresAt = Math.max(...clients.answers.map(({ token }) => token?.expiresAt ?? 0));
      await untilSettled(clients.answers, conditions.lastGeneration);
      const missed = await within(1_000, strike.over, 'the end of the blow');
      if (missed !== undefined) throw missed;
      await clients.stop();
      const end = v.parse(Description, await (await stage.fetch(`/connections/${connection}`)).json());
      return { trial, struckAt, oldExpiresAt, answers: clients.answers, calls: server.calls, end };
    } finally {
      await clients.stop();
    }
  } finally {
    await server.close();
  }
}

async function connect(stage: Stage, connection: string, kind: ProviderKind, server: RealServer): Promise<void> {
  const reply = await stage.fetch(`/connections/${connection}`, {
    method: 'PUT',
    body: JSON.stringify({
      provider: 'generic-oauth2',
      settings: {
        token_endpoint: await stage.door(connection, server.tokenEndpoint),
        refresh_token_rotation: kind === 'strict' ? 'single_use' : 'none',
      },
      client: server.client,
      refresh_token: server.firstRefreshToken,
      renewal: 'always',
    }),
  });
  if (reply.status !== 201)
    throw new Error(`PUT /connections/${connection} answered ${reply.status}: ${await reply.text()}`);
  const first = await ask(stage.fetch, connection, 25);
  if (first.status !== 200) throw new Error(`the first GET /token/${connection} answered ${first.status}`);
}

async function reject(stage: Stage, connection: string): Promise<void> {
  const reply = await stage.fetch(`/token/${connection}/rejections?wait=0`, {
    method: 'POST',
    body: JSON.stringify({ generation: 1 }),
  });
  if (reply.status !== 503)
    throw new Error(`POST /token/${connection}/rejections answered ${reply.status}: ${await reply.text()}`);
}

/**
 * Until a client got a token of that generation, or clients have been told for a while that a person has to authorize
 * again.
 */
async function untilSettled(answers: readonly Answer[], generation: number): Promise<void> {
  const until = Date.now() + holderGoneMs + afterwardsMs;
  while (Date.now() < until) {
    if (answers.some(({ token }) => (token?.generation ?? 0) >= generation)) return;
    if (answers.filter(({ status }) => status === 409).length >= 10) return;
    await sleep(200);
  }
  throw new Error('neither a new generation nor a verdict came');
}

async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  const late = new AbortController();
  const timedOut = sleep(ms, undefined, { signal: late.signal }).then(() => {
    throw new Error(`${what} did not come within ${ms / 1_000} s`);
  });
  try {
    return await Promise.race([promise, timedOut]);
  } finally {
    late.abort();
    timedOut.catch(() => undefined);
  }
}
