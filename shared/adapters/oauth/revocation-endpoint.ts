/** Revocation endpoints over HTTP (RFC 7009). oauth4webapi writes the request. */
import { revocationRequest } from 'oauth4webapi';
import type { OwnFailureCode } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import type { Revocation } from '../../ports/revocation.ts';
import { type EndpointPolicy, faultOfEndpoint } from '../../providers/endpoint-url.ts';
import { resolvedOrNone } from '../../providers/resolve.ts';
import { clientAuthenticationOf, type Surroundings } from './client-authentication.ts';
import { captureRequest } from './oauth-request.ts';
import { clientOf } from './parties.ts';
import { providerCall, type Unsent } from './provider-call.ts';

export function httpRevocation(policy: EndpointPolicy, surroundings: Surroundings): Revocation {
  const call = providerCall(policy);
  return {
    revoke: (config, refreshToken, credentials) =>
      call(async () => {
        const provider = resolvedOrNone(config);
        if (provider === undefined) return unwritten('settings_outdated');
        const endpoint = provider.revocationEndpoint;
        if (endpoint === undefined) return unwritten('no_revocation_endpoint');
        // Other connections of the same user and application would lose theirs.
        if (provider.facts.revocationEnds !== undefined) return unwritten('revocation_ends_other_grants');
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
