/**
 * Authorization by code (RFC 6749 §4.1) with PKCE (RFC 7636). oauth4webapi writes the requests and judges what comes
 * back.
 */
import {
  AuthorizationResponseError,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  nopkce,
  validateAuthResponse,
} from 'oauth4webapi';
import type { ConnectionConfig } from '../../domain/connection.ts';
import { limits } from '../../domain/limits.ts';
import { redact } from '../../domain/redact.ts';
import { Secret } from '../../domain/secret.ts';
import type { AuthorizationResponse, AuthorizationServer, CodeGrant } from '../../ports/authorization-server.ts';
import type { EndpointPolicy } from '../../providers/endpoint-url.ts';
import { type ResolvedProvider, resolveProvider } from '../../providers/resolve.ts';
import { filledRecord } from '../../providers/templates.ts';
import { clientAuthenticationOf, type Surroundings, unauthenticated } from './client-authentication.ts';
import type { HttpRequest } from './http-exchange.ts';
import { captureRequest, tokenRequestStyle } from './oauth-request.ts';
import { providerCall, type Unsent } from './provider-call.ts';

export function httpAuthorizationServer(policy: EndpointPolicy, surroundings: Surroundings): AuthorizationServer {
  const call = providerCall(policy);
  return {
    newCodeVerifier: () => new Secret(generateRandomCodeVerifier()),

    async authorizeUrl(config, { state, redirectUri, codeVerifier }) {
      const { facts, values, authorizationEndpoint } = resolveProvider(config);
      if (facts.grant !== 'refresh_token') return 'no_login';
      if (authorizationEndpoint === undefined) return 'no_authorization_endpoint';
      // A query that the endpoint has stays (RFC 6749 §3.1).
      const url = new URL(authorizationEndpoint);
      const parameters = {
        ...filledRecord(facts.authorizationParameters ?? {}, values),
        response_type: 'code',
        client_id: config.clientId ?? '',
        redirect_uri: redirectUri,
        ...(facts.scope === undefined ? {} : { scope: facts.scope }),
        state,
        ...(facts.pkce === 'none'
          ? {}
          : { code_challenge: await calculatePKCECodeChallenge(codeVerifier.reveal()), code_challenge_method: 'S256' }),
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url;
    },

    readResponse: (config, parameters, state) => readResponse(resolveProvider(config), config, parameters, state),

    redeem: (config, grant) => call(() => codeRequest(config, grant, surroundings), limits.callTimeoutMs),
  };
}

async function codeRequest(
  config: ConnectionConfig,
  grant: CodeGrant,
  surroundings: Surroundings,
): Promise<HttpRequest | Unsent> {
  const provider = resolveProvider(config);
  const { facts, values, tokenEndpoint } = provider;
  const authentication = await clientAuthenticationOf(provider, config, grant.credentials, surroundings, tokenEndpoint);
  if (typeof authentication === 'string') return unauthenticated(authentication);
  return captureRequest(
    (options) =>
      authorizationCodeGrantRequest(
        { issuer: tokenEndpoint?.origin ?? '', token_endpoint: tokenEndpoint?.href ?? '' },
        { client_id: config.clientId ?? '' },
        authentication,
        grant.parameters.reveal(),
        grant.redirectUri,
        facts.pkce === 'none' ? nopkce : grant.codeVerifier.reveal(),
        { ...options, additionalParameters: filledRecord(facts.tokenParameters ?? {}, values) },
      ),
    tokenRequestStyle(provider, config),
  );
}

function readResponse(
  provider: ResolvedProvider,
  config: ConnectionConfig,
  parameters: URLSearchParams,
  state: string,
): AuthorizationResponse {
  const issuer = parameters.get('iss') ?? '';
  const fromThem = issuer === '' ? provider.values.iss_parameter !== 'required' : isOurs(issuer, provider);
  if (!fromThem) return { kind: 'unacceptable', reason: 'another_issuer' };
  try {
    const accepted = validateAuthResponse(
      { issuer: issuer || 'unnamed' },
      { client_id: config.clientId ?? '' },
      parameters,
      state,
    );
    // Once, and not empty (RFC 6749 §3.1): what the library would only see when the link is used up.
    const [code, ...others] = accepted.getAll('code');
    return code && others.length === 0
      ? { kind: 'code', parameters: new Secret(accepted) }
      : { kind: 'unacceptable', reason: 'malformed' };
  } catch (error) {
    if (error instanceof AuthorizationResponseError) return refusalOf(error);
    // The library's error has the parameters in it, and the code in these: it goes no further.
    return { kind: 'unacceptable', reason: 'malformed' };
  }
}

/**
 * RFC 9207: who answers must be who was asked, so that one provider's code is not taken to another. Where the issuer is
 * not known, it is a URL below which the authorization endpoint lies, or beside it: one of another origin is another.
 */
function isOurs(iss: string, { issuer, authorizationEndpoint }: ResolvedProvider): boolean {
  if (issuer !== undefined) return iss === issuer;
  return authorizationEndpoint !== undefined && URL.parse(iss)?.origin === authorizationEndpoint.origin;
}

/** RFC 6749 §4.1.2.1: codes are words. What else a URL may have brought here is no code. */
const errorCode = /^[a-z][a-z_]{0,63}$/;

function refusalOf({ error, error_description: description }: AuthorizationResponseError): AuthorizationResponse {
  const words = description && redact(description, []).slice(0, limits.descriptionLength);
  return {
    kind: 'error',
    error: errorCode.test(error) ? error : 'unknown_error',
    ...(words && { description: words }),
  };
}
