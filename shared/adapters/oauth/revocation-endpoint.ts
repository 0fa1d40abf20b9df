/** Revocation endpoints over HTTP (RFC 7009). oauth4webapi writes the request. */
import { revocationRequest } from 'oauth4webapi';
import { limits } from '../../domain/limits.ts';
import type { Revocation } from '../../ports/revocation.ts';
import { type EndpointPolicy, faultOfEndpoint } from '../../providers/endpoint-url.ts';
import { resolvedOrNone } from '../../providers/resolve.ts';
import { clientAuthenticationOf, type Surroundings } from './client-authentication.ts';
import { httpExchange } from './http-exchange.ts';
import { captureRequest } from './oauth-request.ts';

export function httpRevocation(policy: EndpointPolicy, surroundings: Surroundings): Revocation {
  const exchange = httpExchange(policy);
  return {
    async revoke(config, refreshToken, credentials) {
      const provider = resolvedOrNone(config);
      if (provider === undefined) return { kind: 'not_written', code: 'settings_outdated' };
      const endpoint = provider.revocationEndpoint;
      if (endpoint === undefined) return { kind: 'not_written', code: 'no_revocation_endpoint' };
      const authentication = await clientAuthenticationOf(provider, config, credentials, surroundings);
      if (typeof authentication === 'string') return { kind: 'not_written', code: authentication };
      if (faultOfEndpoint(endpoint.href, policy) !== undefined)
        return { kind: 'not_written', code: 'address_not_allowed' };
      const server = { issuer: endpoint.origin, revocation_endpoint: endpoint.href };
      const request = await captureRequest((options) =>
        revocationRequest(server, { client_id: config.clientId ?? '' }, authentication, refreshToken.reveal(), {
          ...options,
          additionalParameters: { token_type_hint: 'refresh_token' },
        }),
      );
      return exchange(request, limits.callTimeoutMs);
    },
  };
}
