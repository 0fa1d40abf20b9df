/**
 * How a client authenticates at a token endpoint: the parts that oauth4webapi leaves to us, or does otherwise than
 * servers do.
 */

import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { type ClientAuth, ClientSecretPost, None } from 'oauth4webapi';
import type { ConnectionConfig } from '../../domain/connection.ts';
import type { OwnFailureCode } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import type { Chance, Clock } from '../../ports/clock.ts';
import type { Credentials } from '../../ports/credentials.ts';
import type { ResolvedProvider } from '../../providers/resolve.ts';
import { privateKeyOf } from '../../providers/secret-formats.ts';
import { filledRecord } from '../../providers/templates.ts';
import { clientOf } from './parties.ts';
import type { Unsent } from './provider-call.ts';

/** The clock and chance of assertions and one-time passwords. */
export interface Surroundings {
  readonly clock: Pick<Clock, 'now'>;
  readonly chance: Pick<Chance, 'id'>;
}

/**
 * Why a request that cannot authenticate is not sent: a missing secret may still come, an unusable one has to be put
 * again.
 */
export const unauthenticated = (code: OwnFailureCode): Unsent => ({
  kind: code === unreadable ? 'not_written' : 'not_sent',
  code,
});

const unreadable = 'private_key_unreadable';

/** Returns how to authenticate at this endpoint, once, or a word for the secret that is not there or cannot be used. */
export async function clientAuthenticationOf(
  provider: ResolvedProvider,
  config: ConnectionConfig,
  credentials: Credentials,
  surroundings: Surroundings,
  endpoint: URL | undefined,
): Promise<ClientAuth | OwnFailureCode> {
  const { client_secret: secret, private_key: key } = credentials;
  switch (provider.facts.clientAuthentication) {
    case 'none':
      return None();
    case 'client_secret_post':
      return secret === undefined ? 'client_secret_missing' : ClientSecretPost(secret.reveal());
    case 'client_secret_basic':
      return secret === undefined ? 'client_secret_missing' : clientSecretBasic(secret.reveal());
    case 'private_key_jwt': {
      if (key === undefined) return 'private_key_missing';
      const parsed = privateKeyOf(key.reveal());
      return parsed === undefined
        ? unreadable
        : privateKeyJwt(provider, clientOf(config).client_id, parsed, surroundings, endpoint);
    }
  }
}

/**
 * RFC 6749 §2.3.1, form-encoding both halves. oauth4webapi's own also encodes `-`, `_` and `.`: right, but many servers
 * do not decode, and then know no client whose id is a UUID. What need not be encoded is not.
 */
function clientSecretBasic(clientSecret: string): ClientAuth {
  const encoded = (text: string) => encodeURIComponent(text).replaceAll('%20', '+');
  return (_server, client, _body, headers) =>
    headers.set('authorization', `Basic ${btoa(`${encoded(client.client_id)}:${encoded(clientSecret)}`)}`);
}

/**
 * RFC 7523 §2.2. For the server by its issuer, or for the very endpoint that the request goes to: an assertion that
 * were good at another endpoint, too, could be taken there by the one that gets it. Signed before there is a request: a
 * key can look sound and still not sign, which must end no run. Issued a little earlier than now, for servers whose
 * clock is behind.
 */
async function privateKeyJwt(
  provider: ResolvedProvider,
  clientId: string,
  { key, kid }: { readonly key: KeyObject; readonly kid?: string },
  { clock, chance }: Surroundings,
  endpoint: URL | undefined,
): Promise<ClientAuth | OwnFailureCode> {
  const { facts, values } = provider;
  const keyId = kid ?? values.key_id;
  const issuedAt = Math.floor((clock.now() - limits.assertionSetBackMs) / 1_000);
  const byIssuer = facts.assertionAudience !== 'endpoint' && provider.issuer !== undefined;
  const audience = byIssuer ? provider.issuer : endpoint?.href;
  if (audience === undefined) throw new Error('an assertion is for an endpoint, and there is none');
  try {
    const assertion = await new SignJWT(filledRecord(facts.assertionClaims ?? {}, values))
      .setProtectedHeader({
        alg: algorithmOf(key, facts.assertionAlgorithm ?? 'RS256'),
        typ: 'JWT',
        ...(keyId !== undefined && { kid: String(keyId) }),
        ...filledRecord(facts.assertionHeaders ?? {}, values),
      })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(audience)
      .setJti(chance.id())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + limits.assertionLifeMs / 1_000)
      .sign(key);
    return (_server, _client, body) => {
      body.set('client_id', clientId);
      body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      body.set('client_assertion', assertion);
    };
  } catch {
    return unreadable;
  }
}

/** RFC 7518 §3.1, RFC 8037: an elliptic curve has one algorithm, an RSA key two families. */
function algorithmOf(key: KeyObject, ofRsa: string): string {
  const curves: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  return curves[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? ofRsa;
}
