/** Clients that wait at a local broker for a provider that takes its time, or never answers. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import type { LocalBroker } from '../../local/broker.ts';
import { listen } from '../../local/platform/loopback.ts';

/** Each connection's refresh token tells how long the provider takes, in milliseconds, or that it never answers. */
export async function startSlowProvider() {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    const refreshToken = new URLSearchParams(await text(request)).get('refresh_token') ?? '';
    calls.push(refreshToken);
    const afterMs = Number(refreshToken.split(' ')[1]);
    if (Number.isNaN(afterMs)) return;
    await setTimeout(afterMs);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ access_token: refreshToken, token_type: 'Bearer', expires_in: 3_600 }));
  });
  const { url } = await listen(server, 0);
  return {
    tokenEndpoint: `${url}/token`,
    callsOf: (connection: string): number => calls.filter((call) => call.split(' ')[0] === connection).length,
    close(): void {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function waitingClients(broker: LocalBroker, tokenEndpoint: string) {
  /** `served`, `later` with a Retry-After, or what else it is: a bare 503 of the gateway, most of all. */
  async function get(connection: string, waitSeconds: number): Promise<string> {
    const reply = await broker.fetch(`/token/${connection}?wait=${waitSeconds}`);
    const body = await reply.text();
    if (reply.status === 200) return 'served';
    const code = (JSON.parse(body) as { code?: string }).code;
    if (code === 'temporarily_unavailable' && reply.headers.has('retry-after')) return 'later';
    return `${reply.status} ${body}`;
  }
  const atOnce = (clients: number, connection: string, waitSeconds: number): Promise<string[]> =>
    Promise.all(Array.from({ length: clients }, () => get(connection, waitSeconds)));
  return {
    get,
    atOnce,
    /** Puts a connection, and returns the status of the reply. */
    async connect(connection: string, answersAfterMs: number | 'never'): Promise<number> {
      const reply = await broker.fetch(`/connections/${connection}`, {
        method: 'PUT',
        body: JSON.stringify({
          provider: 'generic-oauth2',
          settings: { token_endpoint: tokenEndpoint },
          client: { client_id: 'worker', client_secret: 'a secret of the test' },
          refresh_token: `${connection} ${answersAfterMs}`,
          renewal: 'always',
        }),
      });
      return reply.status;
    },
    /** What 24 clients got that wait for one connection, and what one of another connection got meanwhile. */
    async sideBySide(bad: string, good: string): Promise<{ waiting: string[]; beside: string[] }> {
      let done = false;
      const waiting = atOnce(24, bad, 25).finally(() => {
        done = true;
      });
      const beside: string[] = [];
      while (!done) {
        beside.push(await get(good, 10));
        await setTimeout(100);
      }
      return { waiting: await waiting, beside };
    },
  };
}
