/** Keys for one purpose, each derived from a version of a secret that only some functions may read. */

import { hkdfSync } from 'node:crypto';
import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { limits } from '../../domain/limits.ts';
import { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import { Unavailable } from '../../ports/errors.ts';
import { unavailable } from '../aws/unavailable.ts';

/** One version of a key secret. */
export interface KeySecret {
  readonly versionId: string;
  readonly secret: Secret;
}

/** The version before the current one, by Secrets Manager's label. No version id looks like it. */
const previous = 'AWSPREVIOUS';

/**
 * Reads the current version, the one with this id, or the previous one (`AWSPREVIOUS`); undefined if it does not exist.
 * Throws `Unavailable`.
 */
export type ReadKey = (version?: string) => Promise<KeySecret | undefined>;

/** A key for one purpose opens nothing of another, even if both were given the same secret. */
export type Purpose = 'access' | 'refresh' | 'state' | 'secrets';

export interface Key {
  readonly kid: string;
  readonly bytes: Uint8Array;
}

export interface KeyRing {
  /** Brings the current key into memory, so that `current` cannot fail later. Throws `Unavailable`. */
  ready(): Promise<void>;
  /** Brings the current key into memory if no key is there yet, or fails silently. */
  warm(): Promise<void>;
  /** The key to seal with: the one in memory, if there is one. Throws `Unavailable`. */
  current(): Promise<Key>;
  /**
   * The key that a text was sealed with, by its `kid`; undefined if that version does not exist. Throws `Unavailable`.
   */
  named(kid: string): Promise<Key | undefined>;
  /**
   * Like `named`, for texts that come from outside, such as `state`. Only the current and the previous key are
   * considered, and the secret is re-read at most once in ten seconds, so made-up key ids cannot flood the store.
   */
  recent(named: (kid: string) => boolean): Promise<Key | undefined>;
}

/** What the store may be asked for as a version id. */
export const kidPattern = /^[\w-]{32,64}$/;

export function keyRing(purpose: Purpose, readKey: ReadKey, clock: Pick<Clock, 'now'>): KeyRing {
  const known = new Map<string, Key>();
  let latest: { readonly key: Key; readonly readAt: number } | undefined;
  let lookedAt: number | undefined;

  /** What is asked for side by side is read once. */
  const loading = new Map<string | undefined, Promise<Key | undefined>>();

  function load(version?: string): Promise<Key | undefined> {
    const begun = loading.get(version) ?? read(version).finally(() => loading.delete(version));
    loading.set(version, begun);
    return begun;
  }

  async function read(version: string | undefined): Promise<Key | undefined> {
    const found = await readKey(version);
    if (found === undefined) return undefined;
    const key = { kid: found.versionId, bytes: derive(found.secret, purpose) };
    known.set(key.kid, key);
    return key;
  }

  async function loadNamed(kid: string): Promise<Key | undefined> {
    const key = await load(kid);
    // It was sealed before a rotation or after one, and `latest` may be from before.
    if (latest !== undefined) latest = { ...latest, readAt: Number.NEGATIVE_INFINITY };
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
      if (latest !== undefined && clock.now() < latest.readAt + limits.keyRereadMs) return;
      try {
        await loadCurrent();
      } catch (error) {
        // A key in memory still seals: a reader finds it by the version that the text names.
        if (latest === undefined) throw error;
      }
    },
    async warm() {
      if (known.size === 0) await loadCurrent().catch(() => undefined);
    },
    current: async () => latest?.key ?? (await loadCurrent()),
    named: async (kid) => known.get(kid) ?? (await loadNamed(kid)),
    async recent(named) {
      const found = () => [...known.values()].find(({ kid }) => named(kid));
      const now = clock.now();
      if (found() !== undefined || (lookedAt !== undefined && now < lookedAt + limits.keyLookAgainMs)) return found();
      await loadCurrent();
      if (found() === undefined) await load(previous);
      lookedAt = now;
      return found();
    },
  };
}

/** Keys from a secret in Secrets Manager whose text is the key material. */
export function secretsManagerKey(client: SecretsManagerClient, secretId: string): ReadKey {
  return async (version) => {
    try {
      const which =
        version === undefined ? {} : version === previous ? { VersionStage: previous } : { VersionId: version };
      const reply = await client.send(new GetSecretValueCommand({ SecretId: secretId, ...which }));
      if (reply.VersionId === undefined || reply.SecretString === undefined) return undefined;
      return { versionId: reply.VersionId, secret: new Secret(reply.SecretString) };
    } catch (error) {
      if (version !== undefined && error instanceof ResourceNotFoundException) return undefined;
      throw unavailable('keys', error);
    }
  };
}

/** HKDF (RFC 5869) with SHA-256, for a random secret of any spelling. */
function derive(secret: Secret, purpose: Purpose): Uint8Array {
  const text = secret.reveal();
  if (text.length < limits.keySecretCharacters)
    throw unusable(`the key secret has fewer than ${limits.keySecretCharacters} characters`);
  return new Uint8Array(hkdfSync('sha256', text, '', `token-broker ${purpose} v1`, 32));
}

const unusable = (fault: string): Unavailable => new Unavailable('keys', { cause: new Error(fault) });
