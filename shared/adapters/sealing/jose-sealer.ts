/**
 * Sealed texts: compact JWE (RFC 7516), `dir` with A256GCM, the key derived from a secret that only some functions may
 * read.
 */
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt } from 'jose';
import * as v from 'valibot';
import { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import { SealBroken, Unavailable } from '../../ports/errors.ts';
import type { Opener, Sealer } from '../../ports/sealer.ts';
import { type KeyRing, keyRing, kidPattern, type Purpose, type ReadKey } from './key-ring.ts';

const Header = v.looseObject({ kid: v.pipe(v.string(), v.regex(kidPattern)) });

/** What a text belongs to, as members of its protected header. It opens for the same members only. */
type Bound = Readonly<Record<string, string>>;

/** Access tokens, or refresh tokens on their way through the table, each bound to its connection and token set. */
export function joseSealer(
  purpose: Extract<Purpose, 'access' | 'refresh'>,
  readKey: ReadKey,
  clock: Pick<Clock, 'now'>,
): Sealer & Opener {
  const keys = keyRing(purpose, readKey, clock);
  return {
    ready: keys.ready,
    warm: keys.warm,
    seal: (plaintext, { connection, versionId }) => seal(keys, plaintext, { conn: connection, ver: versionId }),
    open: (sealed, { connection, versionId }) => open(keys, sealed, { conn: connection, ver: versionId }),
  };
}

/** Seals under the current key. Throws `Unavailable` if it is not in memory and cannot be read. */
export async function seal(keys: KeyRing, plaintext: Secret, bound: Bound): Promise<string> {
  const { kid, bytes } = await keys.current();
  return new CompactEncrypt(new TextEncoder().encode(plaintext.reveal()))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, ...bound })
    .encrypt(bytes);
}

/** Throws `Unavailable` if the key cannot be read, `SealBroken` if the text is not what was sealed for this. */
export async function open(keys: KeyRing, sealed: string, bound: Bound): Promise<Secret> {
  try {
    const { plaintext } = await compactDecrypt(sealed, (header) => keyFor(keys, header, bound), {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return new Secret(new TextDecoder().decode(plaintext));
  } catch (error) {
    if (error instanceof Unavailable || error instanceof SealBroken) throw error;
    throw new SealBroken('sealed text cannot be decrypted');
  }
}

async function keyFor(
  keys: KeyRing,
  header: CompactJWEHeaderParameters | undefined,
  bound: Bound,
): Promise<Uint8Array> {
  const claimed = v.safeParse(Header, header);
  if (!claimed.success) throw new SealBroken('sealed text has no usable header');
  const { kid, ...members } = claimed.output;
  if (Object.entries(bound).some(([member, value]) => members[member] !== value))
    throw new SealBroken('sealed text belongs to something else');
  const key = await keys.named(kid);
  if (key === undefined) throw new SealBroken(`sealed with key version ${kid}, which does not exist`);
  return key.bytes;
}
