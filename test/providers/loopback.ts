/** A provider on the loopback interface that answers as told, and the tokens that a connection gets of it. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach } from 'vitest';
import { listen } from '../../local/platform/loopback.ts';
import { httpTokenEndpoint } from '../../shared/adapters/oauth/token-endpoint.ts';
import { obtain as obtainTokens } from '../../shared/application/obtain.ts';
import { seenBy } from '../../shared/application/refresh-world.ts';
import type { Connection, ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';

interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Starts it; `seen` is what it was asked. It is stopped after the test. */
export async function startLoopback(status: number, body: string, type = 'application/json') {
  const seen: Received[] = [];
  const server = createServer(async (request, response) => {
    seen.push({ url: request.url ?? '', headers: request.headers, body: await text(request) });
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  const { url, close } = await listen(server);
  closing.push(close);
  return { seen, url };
}

export const now = Date.parse('2026-03-01T12:00:00Z') as EpochMs;
const clock = { now: () => now, sleep: async () => undefined };

/** What a connection of this provider obtains, with these secrets. */
export function obtain(
  provider: string,
  settings: ConnectionConfig['settings'],
  secrets: Readonly<Record<string, string>>,
  { at = now, clientId }: { readonly at?: EpochMs; readonly clientId?: string } = {},
): Promise<Outcome> {
  const config: ConnectionConfig = {
    provider,
    settings,
    renewal: 'always',
    ...(clientId !== undefined && { clientId }),
  };
  const item = { connection: 'c' as ConnectionName, config } as Connection;
  const surroundings = {
    clock: { ...clock, now: () => at },
    chance: { id: () => 'b2c5f1d0-0000-4000-8000-000000000001' },
  };
  const tokenEndpoint = httpTokenEndpoint({ allowLoopback: true }, surroundings);
  const credentials = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)]));
  const telemetry = { info: () => {}, warn: () => {}, error: () => {}, count: () => {} };
  const world = { clock: surroundings.clock, providers: providersFrom(), tokenEndpoint, telemetry };
  return obtainTokens(world, seenBy({ world }, item), { credentials });
}

export function tokensOf(outcome: Outcome) {
  if (outcome.kind !== 'success') throw new Error(`no token set: ${JSON.stringify(outcome)}`);
  return outcome.tokens;
}
