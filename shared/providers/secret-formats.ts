/** What secrets must look like: told when they are put, long before they would be refused by a provider. */
import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Secret as Seed } from 'otpauth';
import type { Setting } from './setting.ts';

type Format = Extract<Setting, { kind: 'secret' }>['format'];

const mostCharacters = 8_192;
/** RFC 4226 §4 wants 16; what many providers show is 16 letters, which is 10. */
const leastSeedBytes = 10;

/** Returns what is wrong with a secret, as the end of a sentence that begins with its path; never the value or a part of it. */
export function faultOfSecret(format: Format, value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a text';
  if (value === '') return 'must not be empty';
  if (value.length > mostCharacters) return `must have at most ${mostCharacters} characters`;
  switch (format) {
    case 'private_key':
      return privateKeyOf(value) === undefined ? 'must be a private key without a passphrase: PEM, or a JWK as JSON text' : undefined;
    case 'totp_seed':
      return seedOf(value) === undefined ? 'must be a base32 text, as the provider shows it beside the QR code' : undefined;
    case undefined:
      return /^[^\p{Cc}]+$/u.test(value) && value.trim() === value ? undefined : 'must be a text without line breaks, and without spaces at its ends';
  }
}

/** The key and what it says of itself, or undefined if the text is none. */
export function privateKeyOf(text: string): { readonly key: KeyObject; readonly kid?: string } | undefined {
  try {
    if (!text.trimStart().startsWith('{')) return { key: createPrivateKey(text) };
    const jwk: JsonWebKey = JSON.parse(text);
    return { key: createPrivateKey({ key: jwk, format: 'jwk' }), ...(typeof jwk.kid === 'string' && { kid: jwk.kid }) };
  } catch {
    // Its message may quote the text.
    return undefined;
  }
}

/** The seed, however its groups are spaced, or undefined if the text is none. */
export function seedOf(text: string): Seed | undefined {
  try {
    const seed = Seed.fromBase32(text.replace(/[\s-]/g, '').toUpperCase());
    return seed.bytes.length >= leastSeedBytes ? seed : undefined;
  } catch {
    return undefined;
  }
}
