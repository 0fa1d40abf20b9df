import { once } from 'node:events';
import type { Server } from 'node:http';

/** A server of this process that only this machine can reach. */
export interface Endpoint {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** Ends open connections, also those that wait for an answer, and resolves when nothing is served any more. */
  close(): Promise<void>;
}

/** The account and Region that every local ARN names. */
export const account = '000000000000';
export const region = 'us-east-1';
export const arn = (service: string, resource: string): string => `arn:aws:${service}:${region}:${account}:${resource}`;

/** Starts a server on a free port of the loopback interface, never on another one. Rejects if it cannot listen. */
export async function listen(server: Server): Promise<Endpoint> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}
