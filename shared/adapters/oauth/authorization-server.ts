/**
 * Authorization by code (RFC 6749 §4.1) with PKCE (RFC 7636). oauth4webapi writes the requests and judges what comes
 * back.
 */
import {
  AuthorizationResponseError,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  nopkce,
  validateAuthResponse,
} from 'oauth4webapi';
import type { ConnectionConfig } from '../../domain/connection.ts';
import { limits } from '../../domain/limits.ts';
import { redact } from '../../domain/redact.ts';
import { Secret } from '../../domain/secret.ts';
import type {
  AuthorizationResponse,
  AuthorizationServer,
  CodeGrant,
  NotAuthorizable,
} from '../../ports/authorization-server.ts';
import type { EndpointPolicy } from '../../providers/endpoint-url.ts';
import { type ResolvedProvider, resolveProvider } from '../../providers/resolve.ts';
import { filled, filledRecord, namesIn } from '../../providers/templates.ts';
import { valuesOf } from '../../providers/values.ts';
import { clientAuthenticationOf, type Surroundings, unauthenticated } from './client-authentication.ts';
import type { HttpRequest } from './http-exchange.ts';
import { captureRequest, tokenRequestStyle } from './oauth-request.ts';
import { clientOf, serverOf } from './parties.ts';
import { providerCall, type Unsent } from './provider-call.ts';

export function httpAuthorizationServer(policy: EndpointPolicy, surroundings: Surroundings): AuthorizationServer {
  const call = providerCall(policy);
  return {
    obstacleTo: (config) => obstacleTo(resolveProvider(config)),

    async authorizeUrl(config, { state, redirectUri, codeVerifier }) {
      const provider = resolveProvider(config);
      const { facts, values, authorizationEndpoint } = provider;
      if (authorizationEndpoint === undefined) throw new Error(`no login: ${obstacleTo(provider)}`);
      // A query that the endpoint has stays (RFC 6749 §3.1).
      const url = new URL(authorizationEndpoint);
      const parameters = {
        ...filledRecord(facts.authorizationParameters ?? {}, values),
        response_type: 'code',
        ...clientOf(config),
        redirect_uri: redirectUri,
        ...(facts.scope === undefined ? {} : { scope: facts.scope }),
        state,
        ...(facts.pkce === 'none'
          ? {}
          : { code_challenge: await calculatePKCECodeChallenge(codeVerifier.reveal()), code_challenge_method: 'S256' }),
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      // A plus is a space in forms only (WHATWG URL, application/x-www-form-urlencoded); some providers read it as a
      // plus.
      url.search = url.searchParams.toString().replaceAll('+', '%20');
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
        serverOf(provider),
        clientOf(config),
        authentication,
        grant.parameters.reveal(),
        grant.redirectUri,
        facts.pkce === 'none' ? nopkce : grant.codeVerifier.reveal(),
        { ...options, additionalParameters: filledRecord(facts.tokenParameters ?? {}, values) },
      ),
    tokenRequestStyle(provider, config),
  );
}

function obstacleTo({ preset, facts, authorizationEndpoint }: ResolvedProvider): NotAuthorizable | undefined {
  if (facts.grant !== 'refresh_token') return 'grant_without_login';
  if (authorizationEndpoint !== undefined) return undefined;
  const settable = Object.values(preset.settings).some(
    (setting) => 'replaces' in setting && setting.replaces === 'authorizationEndpoint',
  );
  return settable ? 'no_authorization_endpoint' : 'preset_without_login';
}

function readResponse(
  provider: ResolvedProvider,
  config: ConnectionConfig,
  parameters: URLSearchParams,
  state: string,
): AuthorizationResponse {
  const issuer = parameters.get('iss') ?? '';
  const fromThem = issuer === '' ? !sendsIssuer(provider) : isOurs(issuer, provider);
  if (!fromThem) return { kind: 'unacceptable', reason: 'another_issuer' };
  const region = anotherRegion(provider, config, parameters);
  if (region !== undefined) return region;
  try {
    const accepted = validateAuthResponse({ issuer: issuer || 'unnamed' }, clientOf(config), parameters, state);
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

/** Whether a response without `iss` cannot be this server's: its metadata says so, or its preset. */
const sendsIssuer = ({ facts, values }: ResolvedProvider): boolean =>
  values.iss_parameter === 'required' || facts.issuer !== undefined;

/**
 * RFC 9207: the server that answers must be the one that was asked, so that one provider's code is not taken to
 * another. Where the issuer is not known, it is a URL below which the authorization endpoint lies, or beside it: one of
 * another origin is another.
 */
function isOurs(iss: string, { facts, issuer = facts.issuer, authorizationEndpoint }: ResolvedProvider): boolean {
  if (issuer !== undefined) return iss === issuer;
  return authorizationEndpoint !== undefined && URL.parse(iss)?.origin === authorizationEndpoint.origin;
}

/** Where the response names the server that keeps the account, and it is not the one of these settings. */
function anotherRegion(
  { preset, facts, authorizationEndpoint }: ResolvedProvider,
  { settings }: ConnectionConfig,
  parameters: URLSearchParams,
): AuthorizationResponse | undefined {
  const text = facts.accountsServerParameter && parameters.get(facts.accountsServerParameter);
  const server = text ? URL.parse(text) : null;
  if (server === null || server.origin === authorizationEndpoint?.origin) return undefined;
  const template = facts.authorizationEndpoint ?? '';
  for (const name of namesIn(template)) {
    const setting = preset.settings[name];
    if (setting?.kind !== 'choice') continue;
    const value = setting.choices.find(
      (choice) =>
        URL.parse(filled(template, valuesOf(preset, { ...settings, [name]: choice })) ?? '')?.origin === server.origin,
    );
    return { kind: 'another_region', setting: name, value: value ?? server.host };
  }
  return undefined;
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
