/**
 * One call to a provider: its request is written, checked and sent. Whatever keeps it from being sent is an exchange,
 * too.
 */
import type { Exchange } from '../../domain/exchange.ts';
import { type EndpointPolicy, faultOfEndpoint } from '../../providers/endpoint-url.ts';
import { type HttpRequest, httpExchange } from './http-exchange.ts';

/** Why there is no request to send. */
export type Unsent = Extract<Exchange, { readonly kind: 'not_sent' | 'not_written' }>;

type ProviderCall = (
  write: () => HttpRequest | Unsent | Promise<HttpRequest | Unsent>,
  timeoutMs: number,
) => Promise<Exchange>;

/**
 * Returns a function that makes one call and never throws. A request that cannot be written, for example since a stored
 * secret has no encoding, is `not_written`: that secret has to be put again.
 */
export function providerCall(policy: EndpointPolicy): ProviderCall {
  const exchange = httpExchange(policy);
  return async (write, timeoutMs) => {
    const request = await written(write);
    if ('kind' in request) return request;
    if (faultOfEndpoint(request.url.href, policy) !== undefined)
      return { kind: 'not_sent', code: 'address_not_allowed' };
    return exchange(request, timeoutMs);
  };
}

async function written(write: Parameters<ProviderCall>[0]): Promise<HttpRequest | Unsent> {
  try {
    return await write();
  } catch {
    // The error's message may quote a secret.
    return { kind: 'not_written', code: 'request_not_written' };
  }
}
