import http from 'node:http';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { httpExchange } from '../../shared/adapters/oauth/http-exchange.ts';
import { httpTokenEndpoint } from '../../shared/adapters/oauth/token-endpoint.ts';
import { limits } from '../../shared/domain/limits.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { TokenRequest } from '../../shared/ports/token-endpoint.ts';

interface Received {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listening(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** An authorization server that answers as told; `seen` is what it was asked. */
async function provider(answer: (response: http.ServerResponse, received: Received) => void) {
  const seen: Received[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      seen.push(received);
      answer(response, received);
    });
  });
  closing.push(() => server.closeAllConnections());
  return { seen, url: `http://127.0.0.1:${await listening(server)}/token` };
}

const json = (body: object) => (response: http.ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

function tokenRequest(
  token_endpoint: string,
  settings: Record<string, unknown> = {},
  differing: Partial<TokenRequest> = {},
): TokenRequest {
  return {
    config: {
      provider: 'generic-oauth2',
      settings: { token_endpoint, ...settings },
      clientId: 'client-1_a.b',
      renewal: 'always',
    },
    grant: 'refresh_token',
    refreshToken: new Secret('rt 1+/='),
    credentials: { client_secret: new Secret('s3cr:t +%-_.~') },
    timeoutMs: 5_000,
    ...differing,
  };
}

const endpoint = httpTokenEndpoint({ allowLoopback: true });

describe('the request', () => {
  test('authenticates with HTTP Basic, form-encoded, and leaves readable what need not be encoded', async () => {
    const { seen, url } = await provider(json({}));
    await endpoint.request(tokenRequest(`${url}?tenant=a`));
    expect(seen).toHaveLength(1);
    const [{ method, url: target, headers, body } = { headers: {}, body: '' }] = seen;
    expect({
      method,
      target,
      accept: headers.accept,
      type: headers['content-type'],
      connection: headers.connection,
    }).toEqual({
      method: 'POST',
      target: '/token?tenant=a',
      accept: 'application/json',
      type: 'application/x-www-form-urlencoded',
      connection: 'close',
    });
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt 1+/=',
    });
    const [scheme, credentials = ''] = headers.authorization?.split(' ') ?? [];
    expect(scheme).toBe('Basic');
    expect(Buffer.from(credentials, 'base64').toString()).toBe('client-1_a.b:s3cr%3At+%2B%25-_.~');
  });

  test('authenticates in the body, or says only who it is', async () => {
    const { seen, url } = await provider(json({}));
    await endpoint.request(tokenRequest(url, { client_authentication: 'client_secret_post' }));
    await endpoint.request(tokenRequest(url, { client_authentication: 'none' }));
    const sent = seen.map(({ body, headers }) => ({
      ...Object.fromEntries(new URLSearchParams(body)),
      authorization: headers.authorization,
    }));
    expect(sent).toEqual([
      {
        grant_type: 'refresh_token',
        refresh_token: 'rt 1+/=',
        client_id: 'client-1_a.b',
        client_secret: 's3cr:t +%-_.~',
        authorization: undefined,
      },
      { grant_type: 'refresh_token', refresh_token: 'rt 1+/=', client_id: 'client-1_a.b', authorization: undefined },
    ]);
  });

  test('asks for a scope with client credentials, and keeps the granted one in a refresh', async () => {
    const { seen, url } = await provider(json({}));
    await endpoint.request(
      tokenRequest(url, { scope: 'a b', grant: 'client_credentials' }, { grant: 'client_credentials' }),
    );
    await endpoint.request(tokenRequest(url, { scope: 'a b' }));
    expect(seen.map(({ body }) => new URLSearchParams(body).get('scope'))).toEqual(['a b', null]);
    expect(new URLSearchParams(seen[0]?.body).get('grant_type')).toBe('client_credentials');
    expect(new URLSearchParams(seen[0]?.body).has('refresh_token')).toBe(false);
  });

  test('is not sent without what it needs', async () => {
    const { seen, url } = await provider(json({}));
    const withoutSecret = tokenRequest(url, {}, { credentials: {} });
    const { refreshToken: __, ...withoutToken } = tokenRequest(url);
    expect(await endpoint.request(withoutSecret)).toEqual({ kind: 'not_sent', code: 'client_secret_missing' });
    expect(await endpoint.request(withoutToken)).toEqual({ kind: 'not_sent', code: 'refresh_token_missing' });
    expect(seen).toHaveLength(0);
  });
});

describe('the reply', () => {
  test('comes as it is: status, headers in lower case, body', async () => {
    const { url } = await provider((response) => {
      response
        .writeHead(400, { 'Content-Type': 'application/json', Reason: 'TooEarly', 'Set-Cookie': ['a=1', 'b=2'] })
        .end('{"error":"access_denied"}');
    });
    const reply = await endpoint.request(tokenRequest(url));
    expect(reply).toMatchObject({
      kind: 'reply',
      status: 400,
      headers: { 'content-type': 'application/json', reason: 'TooEarly' },
      body: '{"error":"access_denied"}',
    });
    expect(reply).not.toHaveProperty(['headers', 'set-cookie']);
  });

  test('may be slow within the time-out', async () => {
    const { url } = await provider((response) => setTimeout(() => json({ a: 1 })(response), 300));
    expect(await endpoint.request(tokenRequest(url))).toMatchObject({ kind: 'reply', body: '{"a":1}' });
  });

  test('with a redirect is not followed', async () => {
    const other = await provider(json({}));
    const { url } = await provider((response) => response.writeHead(307, { location: other.url }).end());
    expect(await endpoint.request(tokenRequest(url))).toMatchObject({ kind: 'reply', status: 307 });
    expect(other.seen).toHaveLength(0);
  });

  test('has a bound', async () => {
    const sized = (bytes: number) => provider((response) => response.end('x'.repeat(bytes)));
    expect(await endpoint.request(tokenRequest((await sized(limits.replyBytes)).url))).toMatchObject({
      kind: 'reply',
      status: 200,
    });
    expect(await endpoint.request(tokenRequest((await sized(limits.replyBytes + 1)).url))).toEqual({
      kind: 'lost',
      code: 'reply_too_large',
    });
  });
});

describe('a call that ends without a reply', () => {
  test('is lost when the time is up after the request was sent', async () => {
    const { seen, url } = await provider(() => undefined);
    expect(await endpoint.request(tokenRequest(url, {}, { timeoutMs: 200 }))).toEqual({
      kind: 'lost',
      code: 'time_out',
    });
    expect(seen).toHaveLength(1);
  });

  test('is lost when the body does not end in time', async () => {
    const { url } = await provider((response) => response.writeHead(200).write('{"access_token":'));
    expect(await endpoint.request(tokenRequest(url, {}, { timeoutMs: 200 }))).toEqual({
      kind: 'lost',
      code: 'time_out',
    });
  });

  test('is lost when the connection breaks, and is not repeated', async () => {
    const { seen, url } = await provider((response) => response.destroy());
    expect(await endpoint.request(tokenRequest(url))).toEqual({ kind: 'lost', code: 'connection_reset' });
    expect(seen).toHaveLength(1);
  });

  test('is lost when the connection breaks in the middle of the body', async () => {
    const { url } = await provider((response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"access_token":"a"', () => response.destroy());
    });
    expect(await endpoint.request(tokenRequest(url))).toEqual({ kind: 'lost', code: 'connection_reset' });
  });

  test('is lost when what comes is not HTTP', async () => {
    const port = await listening(net.createServer((socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n'))));
    expect(await endpoint.request(tokenRequest(`http://127.0.0.1:${port}/token`))).toEqual({
      kind: 'lost',
      code: 'malformed_reply',
    });
  });

  test('was not sent when nobody listens', async () => {
    const server = net.createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await endpoint.request(tokenRequest(`http://127.0.0.1:${port}/token`))).toEqual({
      kind: 'not_sent',
      code: 'connection_refused',
    });
  });

  test('was not sent when the name has no address', async () => {
    expect(await endpoint.request(tokenRequest('https://no-such-host.invalid/token'))).toEqual({
      kind: 'not_sent',
      code: 'name_not_resolved',
    });
  });

  test('was not sent when there is no TLS', async () => {
    const { seen, url } = await provider(json({}));
    expect(await endpoint.request(tokenRequest(url.replace('http:', 'https:')))).toEqual({
      kind: 'not_sent',
      code: 'tls_failed',
    });
    expect(seen).toHaveLength(0);
  });

  test('was not sent when the handshake does not end in time', async () => {
    const port = await listening(net.createServer((socket) => closing.push(() => socket.destroy())));
    expect(await endpoint.request(tokenRequest(`https://127.0.0.1:${port}/token`, {}, { timeoutMs: 200 }))).toEqual({
      kind: 'not_sent',
      code: 'time_out',
    });
  });
});

describe('addresses that are not public', () => {
  const strict = { allowLoopback: false };

  test.each([
    'http://127.0.0.1:1/token',
    'https://127.0.0.1:1/token',
    'https://169.254.169.254/latest',
    'https://10.0.0.1/token',
    'http://id.example.com/token',
  ])('%s is refused', async (url) => {
    expect(await httpTokenEndpoint(strict).request(tokenRequest(url))).toEqual({
      kind: 'not_sent',
      code: 'address_not_allowed',
    });
  });

  test('and so is a name that leads to one, on the connection itself', async () => {
    let connections = 0;
    const port = await listening(net.createServer(() => (connections += 1)));
    for (const url of [
      `http://localhost:${port}/token`,
      `https://localhost:${port}/token`,
      `http://127.0.0.1:${port}/token`,
    ]) {
      expect(await httpExchange(strict)({ url: new URL(url), headers: {}, body: '' }, 5_000)).toEqual({
        kind: 'not_sent',
        code: 'address_not_allowed',
      });
    }
    expect(connections).toBe(0);
  });

  test('loopback is allowed to the local broker, other private addresses are not', async () => {
    const { url } = await provider(json({}));
    expect(await endpoint.request(tokenRequest(url))).toMatchObject({ kind: 'reply' });
    for (const address of ['10.255.255.1', '169.254.169.254', '0.0.0.0']) {
      expect(
        await httpExchange({ allowLoopback: true })(
          { url: new URL(`http://${address}/`), headers: {}, body: '' },
          5_000,
        ),
      ).toEqual({
        kind: 'not_sent',
        code: 'address_not_allowed',
      });
    }
  });
});

test('an answer that arrived while the process was frozen is taken, though its time is up', async () => {
  // The server lives in a thread of its own; this one stops, as a Lambda environment does between invocations.
  const state = new Int32Array(new SharedArrayBuffer(4));
  const server = new Worker(
    `const http = require('node:http');
     const { parentPort, workerData } = require('node:worker_threads');
     const server = http.createServer((request, response) => {
       request.resume().on('end', () => {
         Atomics.store(workerData, 0, 1);
         Atomics.notify(workerData, 0);
         setTimeout(() => response.end('{"access_token":"late"}'), 300);
       });
     }).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true, workerData: state },
  );
  closing.push(() => server.terminate());
  const port: number = await new Promise((resolve) => server.once('message', resolve));
  const reply = endpoint.request(tokenRequest(`http://127.0.0.1:${port}/token`, {}, { timeoutMs: 250 }));
  while (Atomics.load(state, 0) === 0) await new Promise(setImmediate);
  Atomics.wait(state, 0, 1, 1_000);
  expect(await reply).toMatchObject({ kind: 'reply', body: '{"access_token":"late"}' });
});
