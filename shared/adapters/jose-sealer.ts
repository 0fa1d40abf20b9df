/** Sealed texts: compact JWE (RFC 7516), `dir` with A256GCM, the key derived from a secret that only some functions may read. */
import { hkdfSync } from 'node:crypto';
import { GetSecretValueCommand, ResourceNotFoundException, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt } from 'jose';
import * as v from 'valibot';
import { Secret } from '../domain/types.ts';
import { type Binding, type Clock, SealBroken, type Sealer, Unavailable } from '../ports/index.ts';
import { unavailable } from './unavailable.ts';

/** One version of a key secret. */
export interface KeySecret {
  readonly versionId: string;
  readonly secret: Secret;
}

/** Reads the current version, or the one asked for; undefined if there is no such version. Throws `Unavailable`. */
export type ReadKey = (versionId?: string) => Promise<KeySecret | undefined>;

/** A key for access tokens opens no refresh token, even if both were given the same secret. */
export type Purpose = 'access' | 'refresh';

/** How long a rotated key may go unnoticed. */
const rereadAfterMs = 300_000;
const leastSecretLength = 32;

const Header = v.object({ kid: v.pipe(v.string(), v.regex(/^[\w-]{32,64}$/)), conn: v.string(), ver: v.string() });

interface Key {
  readonly kid: string;
  readonly bytes: Uint8Array;
}

export function joseSealer(purpose: Purpose, readKey: ReadKey, clock: Pick<Clock, 'now'>): Sealer {
  const known = new Map<string, Key>();
  let current: { readonly key: Key; readonly readAt: number } | undefined;

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
    current = { key, readAt: clock.now() };
    return key;
  }

  async function keyFor(header: CompactJWEHeaderParameters | undefined, binding: Binding): Promise<Uint8Array> {
    const claimed = v.safeParse(Header, header);
    if (!claimed.success) throw new SealBroken('sealed text has no usable header');
    const { kid, conn, ver } = claimed.output;
    if (conn !== binding.connection || ver !== binding.versionId) throw new SealBroken('sealed text belongs to another connection or token set');
    const key = known.get(kid) ?? (await load(kid));
    if (key === undefined) throw new SealBroken(`sealed with key version ${kid}, which does not exist`);
    return key.bytes;
  }

  return {
    async ready() {
      if (current !== undefined && clock.now() < current.readAt + rereadAfterMs) return;
      try {
        await loadCurrent();
      } catch (error) {
        // A key in memory still seals; whoever opens the text finds it by its version.
        if (current === undefined) throw error;
      }
    },

    async seal(plaintext, binding) {
      const { kid, bytes } = current?.key ?? (await loadCurrent());
      return new CompactEncrypt(new TextEncoder().encode(plaintext.reveal()))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, conn: binding.connection, ver: binding.versionId })
        .encrypt(bytes);
    },

    async open(sealed, binding) {
      try {
        const { plaintext } = await compactDecrypt(sealed, (header) => keyFor(header, binding), {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        return new Secret(new TextDecoder().decode(plaintext));
      } catch (error) {
        if (error instanceof Unavailable || error instanceof SealBroken) throw error;
        throw new SealBroken('sealed text cannot be decrypted');
      }
    },
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
