/** What stands before a broker: it passes requests on as they are, or answers them as API Gateway throttles. */
import { createServer, request as send } from 'node:http';
import { type Endpoint, listen } from '../../local/platform/loopback.ts';

export interface Front extends Endpoint {
  throttled: boolean;
}

/** `port`: the broker's. While no broker is there, connections are lost. */
export async function startFront(port: () => number): Promise<Front> {
  const front = { throttled: false };
  const server = createServer((request, response) => {
    if (front.throttled) {
      request.resume();
      response.writeHead(429, { 'content-type': 'application/json' }).end('{"message":"Too Many Requests"}');
      return;
    }
    const { method, url, headers } = request;
    const passed = send({ host: '127.0.0.1', port: port(), method, path: url, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
      reply.on('error', () => response.destroy());
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  return Object.assign(front, await listen(server));
}
