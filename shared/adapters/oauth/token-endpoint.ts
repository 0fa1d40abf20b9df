/**
 * Token endpoints over HTTP. oauth4webapi writes OAuth requests, a preset's template the others; the reply is handed on unread,
 * since errors are facts for the classifier.
 */
import { clientCredentialsGrantRequest, refreshTokenGrantRequest } from 'oauth4webapi';
import type { Exchange } from '../../domain/exchange.ts';
import type { TokenEndpoint, TokenRequest } from '../../ports/token-endpoint.ts';
import { type EndpointPolicy, faultOfEndpoint } from '../../providers/endpoint-url.ts';
import { type ResolvedProvider, resolveProvider } from '../../providers/resolve.ts';
import { filledRecord } from '../../providers/templates.ts';
import { systemChance, systemClock } from '../system.ts';
import { clientAuthenticationOf, type Surroundings, unauthenticated } from './client-authentication.ts';
import { type HttpExchange, type HttpRequest, httpExchange } from './http-exchange.ts';
import { mintRequest } from './mint-request.ts';
import { captureRequest } from './oauth-request.ts';

const machine: Surroundings = { clock: systemClock, chance: systemChance };

/** Returns the endpoint of every connection. Private, loopback, link-local and metadata addresses are not connected to. */
export function httpTokenEndpoint(policy: EndpointPolicy, surroundings: Surroundings = machine): TokenEndpoint {
  const exchange: HttpExchange = httpExchange(policy);
  return {
    async request(request: TokenRequest): Promise<Exchange> {
      const provider = resolveProvider(request.config);
      const written =
        request.grant === 'mint'
          ? mintRequest(provider, request.credentials, surroundings)
          : await oauthRequest(provider, request, surroundings);
      if (typeof written === 'string') return unauthenticated(written);
      if (faultOfEndpoint(written.url.href, policy) !== undefined)
        return { kind: 'not_sent', code: 'address_not_allowed' };
      return exchange(written, request.timeoutMs);
    },
  };
}

/** The request, or a word for what is missing. */
async function oauthRequest(
  provider: ResolvedProvider,
  request: TokenRequest,
  surroundings: Surroundings,
): Promise<HttpRequest | string> {
  const { tokenEndpoint, facts, values } = provider;
  const authentication = await clientAuthenticationOf(provider, request.config, request.credentials, surroundings);
  if (typeof authentication === 'string') return authentication;
  const server = { issuer: tokenEndpoint?.origin ?? '', token_endpoint: tokenEndpoint?.href ?? '' };
  const client = { client_id: request.config.clientId ?? '' };
  const additionalParameters = filledRecord(facts.tokenParameters ?? {}, values);
  if (request.grant === 'client_credentials') {
    const parameters = { ...additionalParameters, ...(facts.scope !== undefined && { scope: facts.scope }) };
    return captureRequest((options) =>
      clientCredentialsGrantRequest(server, client, authentication, parameters, options),
    );
  }
  const refreshToken = request.refreshToken?.reveal();
  if (refreshToken === undefined) return 'refresh_token_missing';
  return captureRequest((options) =>
    refreshTokenGrantRequest(server, client, authentication, refreshToken, { ...options, additionalParameters }),
  );
}
