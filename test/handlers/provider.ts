/** A token endpoint on the loopback interface that issues new tokens each time, or answers what a test tells it to. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '../../local/platform/loopback.ts';

interface Call {
  readonly authorization: string;
  readonly parameters: URLSearchParams;
}

interface Reply {
  readonly status: number;
  readonly body: object;
}

export interface Provider {
  readonly tokenEndpoint: string;
  readonly calls: readonly Call[];
  /** What it answers instead of tokens, while set. */
  instead: ((call: Call) => Reply | Promise<Reply>) | undefined;
  close(): Promise<void>;
}

/** Lifetime of the access tokens. */
export const lifetimeSeconds = 600;

/** Starts it. What must stay secret is told to `secret`: what it issues, and how its clients authenticate. */
export async function startProvider(secret: (value: string) => void): Promise<Provider> {
  const calls: Call[] = [];
  const issued = (kind: string): string => {
    const token = `${kind}-${randomBytes(16).toString('base64url')}`;
    secret(token);
    return token;
  };
  const server = createServer(async (request, response) => {
    const call = {
      authorization: request.headers.authorization ?? '',
      parameters: new URLSearchParams(await text(request)),
    };
    if (call.authorization !== '') secret(call.authorization.replace('Basic ', ''));
    calls.push(call);
    const tokens = () => ({
      access_token: issued('access'),
      refresh_token: issued('refresh'),
      token_type: 'bearer',
      scope: 'invoices',
      expires_in: lifetimeSeconds,
    });
    const { status, body } = (await provider.instead?.(call)) ?? { status: 200, body: tokens() };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const { url, close } = await listen(server);
  const provider: Provider = { tokenEndpoint: `${url}/token`, calls, instead: undefined, close };
  return provider;
}
