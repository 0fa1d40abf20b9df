/** Connections for the bench, put and renewed by the bundles themselves, at a provider that answers after a while. */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../local/platform/loopback.ts';
import { type Environment, eventOf, messageFor, type Stage } from './stage.ts';

interface Provider {
  readonly tokenEndpoint: string;
  close(): Promise<void>;
}

/** So short that the sealing keys, read once an hour, are in memory in most renewals. */
export const lifetimeSeconds = 900;

/** Every reply brings tokens of 40 characters, or an access token of another length. */
export async function startProvider(stage: Stage, answerMs: number, accessTokenLength = 40): Promise<Provider> {
  let issued = 0;
  const token = (kind: string, length = 40): string => `${kind}-${String(++issued).padStart(length - 2, '0')}`;
  const server = createServer(async (request, response) => {
    request.resume();
    await sleep(answerMs);
    const body = {
      access_token: token('a', accessTokenLength),
      refresh_token: token('r'),
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const endpoint = await listen(server);
  const door = await stage.watchProvider(endpoint.url);
  return {
    tokenEndpoint: `${door.url}/token`,
    async close() {
      await door.close();
      await endpoint.close();
    },
  };
}

export const bodyFor = (tokenEndpoint: string) => ({
  provider: 'generic-oauth2',
  settings: { token_endpoint: tokenEndpoint },
  client: { client_id: 'bench', client_secret: 'not much of a secret' },
  refresh_token: 'r'.repeat(40),
  renewal: 'always',
});

/** Puts connections of these names and brings each its first token. */
export async function connect(
  [connections, refresh]: readonly [Environment, Environment],
  tokenEndpoint: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const { statusCode, body } = await connections.invoke(
      eventOf('PUT /connections/{connection}', name, bodyFor(tokenEndpoint)),
    );
    if (statusCode !== 201) throw new Error(`PUT ${name} was answered ${statusCode}: ${body}`);
    await refresh.invoke(messageFor(name));
  }
}

const getEvent = (connection: string) => eventOf('GET /token/{connection}', connection);

/** Asks, and fails unless it is answered 200. */
export async function get(environment: Environment, connection: string): Promise<void> {
  const { statusCode, body } = await environment.invoke(getEvent(connection));
  if (statusCode !== 200) throw new Error(`GET ${connection} was answered ${statusCode}: ${body}`);
}
