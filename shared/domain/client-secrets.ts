/**
 * Which client secret is sent where a connection has two of them, since one is about to replace the other. A provider
 * authenticates the client before it looks at the grant (RFC 6749 §3.2.1), so `invalid_client` leaves the refresh token
 * as it was, and the other secret may be tried at once. What worked is remembered: a replaced secret costs one error,
 * and not one for each renewal.
 */
import type { ClientSecretInUse, Connection, StoredCredentials } from './connection.ts';
import type { Failure } from './failure.ts';
import { limits } from './limits.ts';
import type { Outcome } from './outcome.ts';
import type { Secret } from './secret.ts';
import { type EpochMs, plus } from './time.ts';

/** The names of a client's secrets: the first of two, or the only one, and the second. */
export const clientSecretNames = { first: 'client_secret', second: 'second_client_secret' } as const;

/** Returns the credentials with these ends of the client's secrets in their order; as they are where none were told. */
export function withEnds(
  credentials: StoredCredentials,
  ends: readonly (EpochMs | undefined)[] | undefined,
): StoredCredentials {
  if (ends === undefined) return credentials;
  const { endsAt: _former, ...rest } = credentials;
  const told = Object.values(clientSecretNames).flatMap((name, index): [string, EpochMs][] => {
    const end = ends[index];
    return end !== undefined && rest.names.includes(name) ? [[name, end]] : [];
  });
  return { ...rest, ...(told.length > 0 && { endsAt: Object.fromEntries(told) }) };
}

/** How many secrets of the client there are. */
export const clientSecretsIn = ({ names }: StoredCredentials): number =>
  Object.values<string>(clientSecretNames).filter((name) => names.includes(name)).length;

/** Returns when the client's secret ends, of two the one that is sent; undefined where that is not known, or never. */
export function secretEndOf(item: Connection): EpochMs | undefined {
  const { endsAt } = item.config.credentials ?? {};
  return endsAt?.[clientSecretNames[secretInUse(item)?.inUse ?? 'first']];
}

/** Returns which of two is sent; undefined where there are no two. */
export function secretInUse({ config, clientSecret }: Connection): ClientSecretInUse | undefined {
  const { credentials } = config;
  if (credentials === undefined || !credentials.names.includes(clientSecretNames.second)) return undefined;
  const { versionId } = credentials;
  return clientSecret?.versionId === versionId ? clientSecret : { versionId, inUse: 'first' };
}

/** Returns the same secrets with the one to send under the name of the first. */
export function inOrderOfUse<S extends Readonly<Record<string, Secret>>>(item: Connection, credentials: S): S {
  const { [clientSecretNames.first]: first, [clientSecretNames.second]: second } = credentials;
  if (secretInUse(item)?.inUse !== 'second' || first === undefined || second === undefined) return credentials;
  return { ...credentials, [clientSecretNames.first]: second, [clientSecretNames.second]: first };
}

type Refusal = Pick<Failure, 'class' | 'cause' | 'status'>;

/**
 * Returns the other secret, to be sent next, if the provider refuses the client and has not refused that one just now;
 * else undefined. An outage of a minute between the two refusals has it tried once more: it may be good by then.
 */
export function otherSecretAfter(
  item: Connection,
  { class: meaning, cause, status }: Refusal,
  now: EpochMs,
): ClientSecretInUse | undefined {
  const sent = secretInUse(item);
  if (sent === undefined || meaning !== 'misconfigured' || cause !== 'invalid_client' || status === undefined)
    return undefined;
  const { versionId, inUse, otherRefusedAt } = sent;
  if (otherRefusedAt !== undefined && plus(otherRefusedAt, limits.bothSecretsRefusedMs) > now) return undefined;
  return { versionId, inUse: inUse === 'first' ? 'second' : 'first', otherRefusedAt: now };
}

/** The same of what a call came to. */
export const otherSecretAfterCall = (
  item: Connection,
  outcome: Outcome,
  now: EpochMs,
): ClientSecretInUse | undefined => (outcome.kind === 'failure' ? otherSecretAfter(item, outcome, now) : undefined);

/** Returns what a token set says of the secret that brought it. */
export function provenSecret(item: Connection): ClientSecretInUse | undefined {
  const sent = secretInUse(item);
  return sent && { versionId: sent.versionId, inUse: sent.inUse };
}
