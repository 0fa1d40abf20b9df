/** Requests as oauth4webapi writes them, without sending them. */
import { allowInsecureRequests, customFetch } from 'oauth4webapi';
import type { HttpRequest } from './http-exchange.ts';

interface WriteOptions {
  readonly [allowInsecureRequests]: true;
  readonly [customFetch]: (
    url: string,
    request: { headers: Record<string, string>; body: URLSearchParams },
  ) => Promise<Response>;
}

/** Returns the request that oauth4webapi would send, as it goes over the wire. Whether plain http may be used is for the caller to decide. */
export function captureRequest(send: (options: WriteOptions) => Promise<Response>): Promise<HttpRequest> {
  return new Promise((resolve, reject) => {
    const options: WriteOptions = {
      [allowInsecureRequests]: true,
      [customFetch]: async (url, { headers, body }) => {
        resolve({ url: new URL(url), headers, body: body.toString() });
        return new Response();
      },
    };
    send(options).catch(reject);
  });
}
