/** Revocation endpoints over HTTP (RFC 7009). oauth4webapi writes the request. */
import { revocationRequest } from 'oauth4webapi';
import type { OwnFailureCode } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import type { Revocation } from '../../ports/revocation.ts';
import { type EndpointPolicy, faultOfEndpoint } from '../../providers/endpoint-url.ts';
import { revocationOf } from '../../providers/resolve.ts';
import { clientAuthenticationOf, type Surroundings } from './client-authentication.ts';
import { captureRequest } from './oauth-request.ts';
import { clientOf } from './parties.ts';
import { providerCall, type Unsent } from './provider-call.ts';

export function httpRevocation(policy: EndpointPolicy, surroundings: Surroundings): Revocation {
  const call = providerCall(policy);
  return {
    revoke: (config, refreshToken, credentials) =>
      call(async () => {
        const revocation = revocationOf(config);
        if (typeof revocation === 'string') return unwritten(revocation);
        const { provider, endpoint } = revocation;
        const authentication = await clientAuthenticationOf(provider, config, credentials, surroundings, endpoint);
        if (typeof authentication === 'string') return unwritten(authentication);
        if (faultOfEndpoint(endpoint.href, policy) !== undefined) return unwritten('address_not_allowed');
        const server = { issuer: endpoint.origin, revocation_endpoint: endpoint.href };
        return captureRequest((options) =>
          revocationRequest(server, clientOf(config), authentication, refreshToken.reveal(), {
            ...options,
            additionalParameters: { token_type_hint: 'refresh_token' },
          }),
        );
      }, limits.callTimeoutMs),
  };
}

/** For good: another try within the time that a deletion takes would find the same. */
const unwritten = (code: OwnFailureCode): Unsent => ({ kind: 'not_written', code });
