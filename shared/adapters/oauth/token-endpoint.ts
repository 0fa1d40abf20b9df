/**
 * Token endpoints over HTTP. oauth4webapi writes OAuth requests; a preset's template writes the requests of providers
 * that have their own. The reply is handed on unread: its meaning is for the classifier to find.
 */
import { clientCredentialsGrantRequest, refreshTokenGrantRequest } from 'oauth4webapi';
import type { TokenEndpoint, TokenRequest } from '../../ports/token-endpoint.ts';
import type { EndpointPolicy } from '../../providers/endpoint-url.ts';
import { type ResolvedProvider, resolveProvider } from '../../providers/resolve.ts';
import { filledRecord } from '../../providers/templates.ts';
import { systemChance, systemClock } from '../system.ts';
import { clientAuthenticationOf, type Surroundings, unauthenticated } from './client-authentication.ts';
import type { HttpRequest } from './http-exchange.ts';
import { mintRequest } from './mint-request.ts';
import { captureRequest, tokenRequestStyle } from './oauth-request.ts';
import { clientOf, serverOf } from './parties.ts';
import { providerCall, type Unsent } from './provider-call.ts';

const machine: Surroundings = { clock: systemClock, chance: systemChance };

/**
 * Returns the endpoint of every connection. Private, loopback, link-local and metadata addresses are not connected to.
 */
export function httpTokenEndpoint(policy: EndpointPolicy, surroundings: Surroundings = machine): TokenEndpoint {
  const call = providerCall(policy);
  return {
    request: (request) =>
      call(() => {
        const provider = resolveProvider(request.config);
        return request.grant === 'mint'
          ? mintRequest(provider, request.credentials, surroundings)
          : oauthRequest(provider, request, surroundings);
      }, request.timeoutMs),
  };
}

async function oauthRequest(
  provider: ResolvedProvider,
  request: TokenRequest,
  surroundings: Surroundings,
): Promise<HttpRequest | Unsent> {
  const { tokenEndpoint, facts, values } = provider;
  const authentication = await clientAuthenticationOf(
    provider,
    request.config,
    request.credentials,
    surroundings,
    tokenEndpoint,
  );
  if (typeof authentication === 'string') return unauthenticated(authentication);
  const server = serverOf(provider);
  const client = clientOf(request.config);
  const additionalParameters = filledRecord(facts.tokenParameters ?? {}, values);
  const style = tokenRequestStyle(provider, request.config);
  const scope = facts.scope === undefined ? {} : { scope: facts.scope };
  if (request.grant === 'client_credentials')
    return captureRequest(
      (options) =>
        clientCredentialsGrantRequest(server, client, authentication, { ...additionalParameters, ...scope }, options),
      style,
    );
  const refreshToken = request.refreshToken?.reveal();
  if (refreshToken === undefined) return { kind: 'not_sent', code: 'refresh_token_missing' };
  const ofRefresh = {
    ...additionalParameters,
    ...filledRecord(facts.refreshParameters ?? {}, values),
    ...(facts.refreshScope === 'sent' && scope),
  };
  return captureRequest(
    (options) =>
      refreshTokenGrantRequest(server, client, authentication, refreshToken, {
        ...options,
        additionalParameters: ofRefresh,
      }),
    style,
  );
}
