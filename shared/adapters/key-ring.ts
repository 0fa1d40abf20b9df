/** Keys for one purpose, each derived from a version of a secret that only some functions may read. */
import { hkdfSync } from 'node:crypto';
import { GetSecretValueCommand, ResourceNotFoundException, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Secret } from '../domain/types.ts';
import { type Clock, Unavailable } from '../ports/index.ts';
import { unavailable } from './unavailable.ts';

/** One version of a key secret. */
export interface KeySecret {
  readonly versionId: string;
  readonly secret: Secret;
}

/** Reads the current version, or the one asked for; undefined if there is no such version. Throws `Unavailable`. */
export type ReadKey = (versionId?: string) => Promise<KeySecret | undefined>;

/** A key for one purpose opens nothing of another, even if both were given the same secret. */
export type Purpose = 'access' | 'refresh' | 'state' | 'secrets';

export interface Key {
  readonly kid: string;
  readonly bytes: Uint8Array;
}

export interface KeyRing {
  /** Brings the current key into memory, so that `current` cannot fail later. Throws `Unavailable`. */
  ready(): Promise<void>;
  /** The key to seal with: the one in memory, if there is one. Throws `Unavailable`. */
  current(): Promise<Key>;
  /** The key that a text was sealed with, by its `kid`; undefined if there is none. Throws `Unavailable`. */
  named(kid: string): Promise<Key | undefined>;
}

/** How long a rotated key may go unnoticed. */
const rereadAfterMs = 300_000;
const leastSecretLength = 32;

/** What may be asked of the store as a version id. */
export const kidPattern = /^[\w-]{32,64}$/;

export function keyRing(purpose: Purpose, readKey: ReadKey, clock: Pick<Clock, 'now'>): KeyRing {
  const known = new Map<string, Key>();
  let latest: { readonly key: Key; readonly readAt: number } | undefined;

  async function load(versionId?: string): Promise<Key | undefined> {
    const read = await readKey(versionId);
    if (read === undefined) return undefined;
    const key = { kid: read.versionId, bytes: derive(read.secret, purpose) };
    known.set(key.kid, key);
    return key;
  }

  async function loadCurrent(): Promise<Key> {
    const key = await load();
    if (key === undefined) throw unusable('the key secret has no current version');
    latest = { key, readAt: clock.now() };
    return key;
  }

  return {
    async ready() {
      if (latest !== undefined && clock.now() < latest.readAt + rereadAfterMs) return;
      try {
        await loadCurrent();
      } catch (error) {
        // A key in memory still seals; whoever opens the text finds it by its version.
        if (latest === undefined) throw error;
      }
    },
    current: async () => latest?.key ?? (await loadCurrent()),
    named: async (kid) => known.get(kid) ?? (await load(kid)),
  };
}

/** Keys from a secret in Secrets Manager whose text is the key material. */
export function secretsManagerKey(client: SecretsManagerClient, secretId: string): ReadKey {
  return async (versionId) => {
    try {
      const reply = await client.send(new GetSecretValueCommand({ SecretId: secretId, ...(versionId === undefined ? {} : { VersionId: versionId }) }));
      if (reply.VersionId === undefined || reply.SecretString === undefined) return undefined;
      return { versionId: reply.VersionId, secret: new Secret(reply.SecretString) };
    } catch (error) {
      if (versionId !== undefined && error instanceof ResourceNotFoundException) return undefined;
      throw unavailable('keys', error);
    }
  };
}

/** HKDF (RFC 5869) with SHA-256, for a random secret of any spelling. */
function derive(secret: Secret, purpose: Purpose): Uint8Array {
  const text = secret.reveal();
  if (text.length < leastSecretLength) throw unusable(`the key secret has fewer than ${leastSecretLength} characters`);
  return new Uint8Array(hkdfSync('sha256', text, '', `token-broker ${purpose} v1`, 32));
}

const unusable = (fault: string): Unavailable => new Unavailable('keys', { cause: new Error(fault) });
