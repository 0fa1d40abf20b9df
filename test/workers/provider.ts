/** A provider for many workers: single-use refresh tokens, a token endpoint that can be slow, and an API. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Endpoint, listen } from '../../local/platform/loopback.ts';

/** So long that no client's time to ask comes while a busy machine renews. */
export const lifeSeconds = 3_600;

export interface Provider extends Endpoint {
  /** How many token sets it has given. */
  readonly given: number;
  /** Has its next reply take so long. */
  slowNext(ms: number): void;
  /** Ends the newest access token. */
  revoke(): void;
}

export async function startProvider(firstRefreshToken: string): Promise<Provider> {
  const alive = new Map<string, number>();
  let [given, refreshToken, slowMs] = [0, firstRefreshToken, 0];

  const json = (response: ServerResponse, status: number, body: object): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

  async function renew(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = new URLSearchParams(await text(request)).get('refresh_token');
    if (sent !== refreshToken) return json(response, 400, { error: 'invalid_grant' });
    given += 1;
    refreshToken = `refresh-${given}`;
    const body = { access_token: `access-${given}`, token_type: 'Bearer', expires_in: lifeSeconds };
    const reply = { ...body, refresh_token: refreshToken };
    await sleep(slowMs);
    slowMs = 0;
    alive.set(body.access_token, Date.now() + lifeSeconds * 1_000);
    json(response, 200, reply);
  }

  const server = createServer((request, response) => {
    if (request.method === 'POST') return void renew(request, response);
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const living = (alive.get(token) ?? 0) > Date.now();
    json(response, living ? 200 : 401, living ? { name: 'Jansen' } : { error: 'invalid_token' });
  });
  return {
    ...(await listen(server)),
    get given() {
      return given;
    },
    slowNext(ms) {
      slowMs = ms;
    },
    revoke: () => void alive.delete(`access-${given}`),
  };
}
