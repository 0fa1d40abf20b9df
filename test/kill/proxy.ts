/**
 * A loopback proxy that may hold, break or merely watch each request: how the harness comes between a refresher and
 * what it talks to.
 */
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { type Endpoint, listen } from '../../local/platform/loopback.ts';

export interface Passing {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The connection to the sender. */
  readonly socket: Socket;
  /** Aborts when the sender has left. */
  readonly gone: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends the request on, and gives it up when the signal aborts. */
export type Forward = (until?: AbortSignal) => Promise<Reply>;

/** Decides what becomes of a request: returns the reply to give, or undefined to break the connection. */
type Gate = (passing: Passing, forward: Forward) => Promise<Reply | undefined>;

export interface LoopbackProxy extends Endpoint {
  /** Breaks every connection there is, and every new one, until it is brought back. */
  takeAway(): void;
  bringBack(): void;
}

/** Starts a proxy before the server at `target`. Requests that fail behind it break the connection. */
export async function startProxy(target: string, gate: Gate): Promise<LoopbackProxy> {
  let away = false;
  const server = createServer(async (incoming, response) => {
    const { socket, headers, method = 'POST', url = '/' } = incoming;
    if (away) return void socket.destroy();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const body = await text(incoming);
      const forward: Forward = (signal) =>
        send(new URL(url, target), { method, headers, ...(signal && { signal }) }, body);
      const reply = await gate({ path: url, headers, body, socket, gone: gone.signal }, forward);
      if (reply === undefined || away) return void socket.destroy();
      response.writeHead(reply.status, reply.headers).end(reply.body);
    } catch {
      socket.destroy();
    }
  });
  const endpoint = await listen(server);
  return {
    ...endpoint,
    takeAway() {
      away = true;
      server.closeAllConnections();
    },
    bringBack() {
      away = false;
    },
  };
}

function send(
  url: URL,
  options: { method: string; headers: IncomingHttpHeaders; signal?: AbortSignal },
  body: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    // A connection for each: a kept one might be closed by the server just when it is used again.
    const outgoing = request(url, { ...options, agent: false }, (incoming) => {
      const { statusCode: status = 502, headers } = incoming;
      // It goes on in one piece.
      const { 'transfer-encoding': _chunked, connection: _closed, ...rest } = headers;
      buffer(incoming).then((content) => resolve({ status, headers: rest, body: content }), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
