/**
 * A file that a passphrase opens: JWE with PBES2 (RFC 7518 §4.8), so that any library of JOSE opens it too. For secrets
 * on their way from one deployment to another.
 */
import { CompactEncrypt, compactDecrypt } from 'jose';
import { wrongInput } from '../failure.ts';

/** What the files are called, so that a command knows that it has to ask for the passphrase. */
export const sealedSuffix = '.jwe';

/** OWASP's Password Storage Cheat Sheet for PBKDF2 with SHA-512; the file says how many it was made with. */
const iterations = 210_000;
/** A file that asks for more would keep the machine busy. */
const mostIterations = 10 * iterations;

/** Returns the file's text. */
export async function sealed(text: string, passphrase: string): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM' })
    .setKeyManagementParameters({ p2c: iterations })
    .encrypt(new TextEncoder().encode(passphrase));
}

/** Returns the text. Throws a failure that names the file where it is of another kind, or has another passphrase. */
export async function opened(text: string, passphrase: string, file: string): Promise<string> {
  try {
    const { plaintext } = await compactDecrypt(text.trim(), new TextEncoder().encode(passphrase), {
      keyManagementAlgorithms: ['PBES2-HS512+A256KW'],
      contentEncryptionAlgorithms: ['A256GCM'],
      maxPBES2Count: mostIterations,
    });
    return new TextDecoder().decode(plaintext);
  } catch {
    throw wrongInput(`${file}: the passphrase does not open it, or it was not written by token-broker export.`);
  }
}
