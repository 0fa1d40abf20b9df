/**
 * API Gateway's JWT authorizer.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import * as v from 'valibot';
import type { JwtAuthorizer } from './deployment.ts';

/** The claims of a token that is good; else what `www-authenticate` says, and why, for the person at the terminal. */
type Verdict = { readonly claims: JWTPayload } | { readonly challenge: string; readonly reason: string };

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

const discoveryTimeoutMs = 5_000;

const Metadata = v.object({ jwks_uri: v.pipe(v.string(), v.url()) });

/**
 * Returns what judges an `Authorization` header by the issuer's keys, which are fetched when the first token comes. It
 * never rejects.
 */
export function jwtVerifier({
  issuer,
  audience,
}: JwtAuthorizer): (authorization: string | undefined) => Promise<Verdict> {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  return async (authorization = '') => {
    const token = authorization.replace(/^Bearer /i, '').trim();
    if (token === '') return { challenge: 'Bearer', reason: `it has no JWT of ${issuer} in its Authorization header` };
    try {
      keys ??= discover(issuer);
      const keyOf = await keys.catch((error) => {
        keys = undefined;
        throw error;
      });
      const { payload, protectedHeader } = await jwtVerify(token, keyOf, {
        issuer,
        algorithms,
        requiredClaims: ['exp'],
      });
      const fault = faultOf(payload, protectedHeader.kid, audience);
      return fault === undefined ? { claims: payload } : invalid(fault);
    } catch (error) {
      return invalid(error instanceof errors.JOSEError ? error.message : 'the keys of the issuer could not be fetched');
    }
  };
}

/** What the library does not look at, or not as API Gateway does. */
function faultOf(
  { aud, client_id, iat = 0 }: JWTPayload,
  kid: string | undefined,
  audience: readonly string[],
): string | undefined {
  if (kid === undefined) return 'the token names no key';
  if (iat > Date.now() / 1_000) return 'the token was issued in the future';
  if (![aud ?? client_id].flat().some((name) => typeof name === 'string' && audience.includes(name)))
    return 'the token does not have a valid audience';
  return undefined;
}

async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(discoveryTimeoutMs),
  });
  return createRemoteJWKSet(new URL(v.parse(Metadata, await response.json()).jwks_uri));
}

/**
 * As it was seen of API Gateway, but for the words of the description, of which only those about the audience are
 * documented.
 */
const invalid = (description: string): Verdict => ({
  challenge: `Bearer scope="" error="invalid_token" error_description="${description.replaceAll('"', "'")}"`,
  reason: `its JWT is refused: ${description}`,
});
