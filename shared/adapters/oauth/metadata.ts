/**
 * Authorization server metadata over HTTP (RFC 8414, OpenID Connect Discovery 1.0). oauth4webapi knows where it is and
 * judges it.
 */
import { allowInsecureRequests, customFetch, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi';
import type { Exchange } from '../../domain/exchange.ts';
import { limits } from '../../domain/limits.ts';
import type { Discovery, ServerMetadata } from '../../ports/discovery.ts';
import { type EndpointPolicy, faultOfEndpoint } from '../../providers/endpoint-url.ts';
import { type HttpExchange, httpExchange } from './http-exchange.ts';

/** RFC 8414 §3 first; most servers have only the other. */
const places = ['oauth2', 'oidc'] as const;
const instead = 'give token_endpoint instead';

export function httpDiscovery(policy: EndpointPolicy): Discovery {
  const exchange = httpExchange(policy);
  return {
    async discover(text) {
      const issuer = new URL(text);
      const refusals: string[] = [];
      for (const place of places) {
        const { url, reply } = await ask(exchange, issuer, place, policy);
        if (reply.kind !== 'reply')
          return { kind: 'fault', message: `did not tell its metadata (${reply.code}): try again, or ${instead}` };
        const metadata = await read(issuer, reply);
        if (typeof metadata !== 'string') return { kind: 'metadata', metadata };
        refusals.push(`${url.pathname} ${metadata}`);
      }
      return {
        kind: 'fault',
        message: `has no metadata that can be used: ${refusals.join(', ')}. Correct it, or ${instead}`,
      };
    },
  };
}

async function ask(
  exchange: HttpExchange,
  issuer: URL,
  algorithm: (typeof places)[number],
  policy: EndpointPolicy,
): Promise<{ url: URL; reply: Exchange }> {
  return new Promise((resolve, reject) => {
    const options = {
      algorithm,
      [allowInsecureRequests]: true,
      [customFetch]: async (address: string, { headers }: { headers: Record<string, string> }) => {
        const url = new URL(address);
        if (faultOfEndpoint(url.href, policy) !== undefined)
          resolve({ url, reply: { kind: 'not_sent', code: 'address_not_allowed' } });
        else
          resolve({ url, reply: await exchange({ method: 'GET', url, headers, body: '' }, limits.discoveryTimeoutMs) });
        return new Response();
      },
    };
    discoveryRequest(issuer, options).catch(reject);
  });
}

/** The metadata, or what is wrong with it, as the end of a sentence that begins with where it is. */
async function read(
  issuer: URL,
  { status, headers, body }: Extract<Exchange, { kind: 'reply' }>,
): Promise<ServerMetadata | string> {
  if (status !== 200) return `answered ${status}`;
  try {
    const metadata = await processDiscoveryResponse(
      issuer,
      new Response(body, { headers: { 'content-type': headers['content-type'] ?? '' } }),
    );
    return { ...metadata };
  } catch {
    return `is ${named(body) ?? 'no metadata in JSON'}`;
  }
}

/** Returns which issuer the metadata names, if it names one: most often the same server with another path. */
function named(body: string): string | undefined {
  try {
    const url = URL.parse(String(JSON.parse(body).issuer));
    return url === null || url.href.length > 200 ? undefined : `that of another issuer, ${url.origin}${url.pathname}`;
  } catch {
    return undefined;
  }
}
