import { once } from 'node:events';
import type { Server } from 'node:http';

/**
 * Binds to the loopback address only (`port` 0: any free one) and returns the port.
 * Rejects with the system's error, `EADDRINUSE` for a port that is taken.
 */
export async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return address.port;
}

/** Takes no more connections, and resolves when the requests in flight have been answered. */
export async function stop(server: Server): Promise<void> {
  server.keepAliveTimeout = 1;
  const stopped = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  await stopped;
}
