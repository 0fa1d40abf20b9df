/** A broker and an API behind it on this machine, which keep what they were asked, signatures checked. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { signatureFault } from '../../local/platform/signature.ts';

export const keys = { accessKeyId: 'LOCALKEY', secretAccessKey: 'secret/with+signs' };

/** As programs find them. */
export const environment = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey };

interface Seen {
  readonly call: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
  /** What is wrong with its signature. */
  readonly fault: string | undefined;
}

const tokenOf = (generation: number, lifeSeconds: number) => ({
  connection: 'demo',
  access_token: `token-${generation}`,
  token_type: 'Bearer',
  expires_in: lifeSeconds,
  expires_at: '2026-01-01T00:10:00.000Z',
  refresh_after: '2026-01-01T00:09:30.000Z',
  generation,
  headers: { Authorization: `Bearer token-${generation}` },
});

export class SignedBroker {
  readonly seen: Seen[] = [];
  /** The API refuses tokens up to this generation. */
  refusedUpTo = 0;
  /** Of the tokens that it gives. */
  lifeSeconds = 600;
  #generation = 1;
  readonly #server = createServer(async (request, response) => {
    const [status, body] = await this.#answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });

  async start(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  close(): void {
    this.#server.close();
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  forget(): void {
    this.seen.splice(0);
    this.refusedUpTo = 0;
    this.lifeSeconds = 600;
    this.#generation = 1;
  }

  renew(): void {
    this.#generation += 1;
  }

  get calls(): readonly string[] {
    return this.seen.map(({ call }) => call);
  }

  get faults(): readonly string[] {
    return this.seen.flatMap(({ fault }) => (fault === undefined ? [] : [fault]));
  }

  async #answer(request: IncomingMessage): Promise<readonly [status: number, body: unknown]> {
    const { method = '', url = '', headers } = request;
    const body = await buffer(request);
    const { pathname, searchParams } = new URL(url, this.origin);
    const toApi = pathname.startsWith('/api/');
    const signed = { method, path: pathname, query: Object.fromEntries(searchParams), headers, body };
    const fault = toApi ? undefined : await signatureFault(signed, keys);
    this.seen.push({ call: `${method} ${url}`, body: body.toString(), fault, headers });
    if (fault !== undefined) return [403, { message: 'Forbidden' }];
    if (pathname === '/api/missing') return [404, { error: 'not_found' }];
    if (toApi) return this.#answerOfApi(String(headers.authorization));
    if (pathname === '/token/missing')
      return [404, { code: 'connection_not_found', detail: 'There is no such connection.', retryable: false }];
    if (method === 'POST') this.renew();
    return [200, tokenOf(this.#generation, this.lifeSeconds)];
  }

  #answerOfApi(authorization: string): readonly [status: number, body: unknown] {
    const [, generation = 0] = /^Bearer token-(\d+)$/.exec(authorization) ?? [];
    return Number(generation) > this.refusedUpTo ? [200, { name: 'Jansen' }] : [401, { error: 'invalid_token' }];
  }
}
