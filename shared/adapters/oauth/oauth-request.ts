/** Requests as oauth4webapi writes them, without sending them, and in the style that a server wants. */
import { allowInsecureRequests, customFetch } from 'oauth4webapi';
import type { ConnectionConfig } from '../../domain/connection.ts';
import type { ResolvedProvider } from '../../providers/resolve.ts';
import { filledRecord } from '../../providers/templates.ts';
import type { HttpRequest } from './http-exchange.ts';

interface WriteOptions {
  readonly [allowInsecureRequests]: true;
  readonly [customFetch]: (
    url: string,
    request: { headers: Record<string, string>; body: URLSearchParams },
  ) => Promise<Response>;
}

interface Style {
  readonly headers?: Readonly<Record<string, string>>;
  /** Put into the body as well. */
  readonly clientId?: string;
  readonly format?: 'form' | 'json';
}

/** How the provider wants its token requests. */
export const tokenRequestStyle = ({ facts, values }: ResolvedProvider, { clientId }: ConnectionConfig): Style => ({
  headers: filledRecord(facts.tokenHeaders ?? {}, values),
  ...(facts.clientIdInBody === 'sent' && clientId !== undefined && { clientId }),
  ...(facts.requestFormat !== undefined && { format: facts.requestFormat }),
});

/**
 * Returns the request that oauth4webapi would send, as it goes over the wire. Whether plain http may be used is for the
 * caller to decide.
 */
export function captureRequest(
  send: (options: WriteOptions) => Promise<Response>,
  { headers: more = {}, clientId, format = 'form' }: Style = {},
): Promise<HttpRequest> {
  return new Promise((resolve, reject) => {
    const options: WriteOptions = {
      [allowInsecureRequests]: true,
      [customFetch]: async (url, { headers, body }) => {
        if (clientId !== undefined) body.set('client_id', clientId);
        // Without a character set, which the type does not have (WHATWG URL §5) and some servers refuse.
        const type = format === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
        const text = format === 'json' ? JSON.stringify(Object.fromEntries(body)) : body.toString();
        resolve({ url: new URL(url), headers: { ...headers, ...more, 'content-type': type }, body: text });
        return new Response();
      },
    };
    send(options).catch(reject);
  });
}
