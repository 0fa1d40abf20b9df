import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** A server of this process that only programs on this machine can reach. */
export interface Endpoint {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** Takes no more connections, and resolves when the requests in flight have been answered. */
  drain(): Promise<void>;
  /** Ends open connections, also those that wait for an answer, and resolves when nothing is served any more. */
  close(): Promise<void>;
}

/**
 * Binds a server to the loopback address (`port` 0: any free one), never to another one. Rejects with the system's
 * error, such as `EADDRINUSE` for a port that is taken.
 *
 * The server answers 403 to a `Host` that is not this machine's. Otherwise a web page could give its own name the
 * address 127.0.0.1 (DNS rebinding), and the browser would let the page read the answers. The server must have its
 * listener already.
 */
export async function listen(server: Server, port = 0): Promise<Endpoint> {
  refuseForeignHosts(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async drain() {
      server.keepAliveTimeout = 1;
      const stopped = closed(server);
      server.closeIdleConnections();
      await stopped;
    },
    async close() {
      const stopped = closed(server);
      server.closeAllConnections();
      await stopped;
    },
  };
}

const closed = (server: Server): Promise<unknown> => new Promise((resolve) => server.close(resolve));

const loopbackHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/i;

function refuseForeignHosts(server: Server): void {
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (loopbackHost.test(request.headers.host ?? '')) for (const listener of listeners) listener(request, response);
    else response.writeHead(403, { connection: 'close' }).end('This server answers requests to 127.0.0.1 only.\n');
  });
}
