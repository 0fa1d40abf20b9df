import { parse } from 'node:querystring';
import { type Credentials, signer } from './signature.ts';

interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export type SignedFetch = (path: string, options?: RequestOptions) => Promise<Response>;

/**
 * Returns a `fetch` for paths below `baseUrl` that signs each request for API Gateway (Signature Version 4, service
 * execute-api).
 */
export function signedFetch(baseUrl: string, credentials: Credentials, region?: string): SignedFetch {
  return async (path, { method = 'GET', headers = {}, body, signal } = {}) => {
    const url = new URL(path, baseUrl);
    const request = {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: queryOf(url.search.slice(1)),
      headers: { ...headers, host: url.host },
      ...(body === undefined ? {} : { body }),
    };
    const signed = await signer(credentials, region).sign(request);
    return fetch(url, {
      method,
      headers: signed.headers,
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    });
  };
}

/** Splits and decodes a query; a name that occurs more than once has a list. */
export function queryOf(rawQuery: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(parse(rawQuery))) if (value !== undefined) query[name] = value;
  return query;
}
