/** Sealed texts: compact JWE (RFC 7516), `dir` with A256GCM, the key derived from a secret that only some functions may read. */
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt } from 'jose';
import * as v from 'valibot';
import { Secret } from '../domain/types.ts';
import { type Binding, type Clock, SealBroken, type Sealer, Unavailable } from '../ports/index.ts';
import { keyRing, kidPattern, type Purpose, type ReadKey } from './key-ring.ts';

const Header = v.object({ kid: v.pipe(v.string(), v.regex(kidPattern)), conn: v.string(), ver: v.string() });

export function joseSealer(purpose: Exclude<Purpose, 'state'>, readKey: ReadKey, clock: Pick<Clock, 'now'>): Sealer {
  const keys = keyRing(purpose, readKey, clock);

  async function keyFor(header: CompactJWEHeaderParameters | undefined, binding: Binding): Promise<Uint8Array> {
    const claimed = v.safeParse(Header, header);
    if (!claimed.success) throw new SealBroken('sealed text has no usable header');
    const { kid, conn, ver } = claimed.output;
    if (conn !== binding.connection || ver !== binding.versionId) throw new SealBroken('sealed text belongs to another connection or token set');
    const key = await keys.named(kid);
    if (key === undefined) throw new SealBroken(`sealed with key version ${kid}, which does not exist`);
    return key.bytes;
  }

  return {
    ready: keys.ready,

    async seal(plaintext, binding) {
      const { kid, bytes } = await keys.current();
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
