/** The calls of an operation, made again and nothing else: those of one trip at once, one trip after the other. */
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';

interface Call {
  readonly url: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

const agent = new Agent({ keepAlive: true });

const send = ({ url, headers, body }: Call): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, agent }, (response) => {
      response.resume().on('end', resolve).on('error', reject);
    });
    sent.on('error', reject).end(body);
  });

export const handler = async ({ trips }: { readonly trips: readonly (readonly Call[])[] }) => {
  for (const calls of trips) await Promise.all(calls.map(send));
  return {};
};
