/** What secrets must look like: a PUT tells it long before a provider would refuse them. */

import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Secret as Seed } from 'otpauth';
import { limits } from '../domain/limits.ts';
import type { Setting } from './setting.ts';

type Format = Extract<Setting, { kind: 'secret' }>['format'];

/** RFC 4226 §4 asks for 16 bytes; many providers show 16 letters of base32, which are 10. */
const leastSeedBytes = 10;

const leastRsaBits = 2_048;
const curves = ['prime256v1', 'secp384r1', 'secp521r1'];
const keyFault =
  'must be a private key without a passphrase, PEM or a JWK as JSON text, that can sign: RSA of at least 2048 bits, ' +
  'P-256, P-384, P-521 or Ed25519';

/**
 * Returns what is wrong with a secret, as the end of a sentence that begins with its path; never the value or a part of
 * it.
 */
export function faultOfSecret(format: Format, value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a text';
  if (value === '') return 'must not be empty';
  if (value.length > limits.credentialCharacters) return `must have at most ${limits.credentialCharacters} characters`;
  switch (format) {
    case 'private_key':
      return privateKeyOf(value) === undefined ? keyFault : undefined;
    case 'totp_seed':
      return seedOf(value) === undefined
        ? 'must be a base32 text, as the provider shows it beside the QR code'
        : undefined;
    case undefined:
      return /^[^\p{Cc}\p{Cs}]+$/u.test(value) && value.trim() === value
        ? undefined
        : 'must be a text without line breaks and half characters, and without spaces at its ends';
  }
}

interface SigningKey {
  readonly key: KeyObject;
  /** The key id that the key itself carries (RFC 7517 §4.5). */
  readonly kid?: string;
}

/**
 * Parses a private key (PEM or JWK). Undefined if the text is not a key, or if its type cannot sign an assertion.
 */
export function privateKeyOf(text: string): SigningKey | undefined {
  try {
    const read = keyIn(text);
    return canSign(read.key) ? read : undefined;
  } catch {
    // The error's message may quote the text.
    return undefined;
  }
}

function keyIn(text: string): SigningKey {
  if (!text.trimStart().startsWith('{')) return { key: createPrivateKey(text) };
  const jwk: JsonWebKey = JSON.parse(text);
  return { key: createPrivateKey({ key: jwk, format: 'jwk' }), ...(typeof jwk.kid === 'string' && { kid: jwk.kid }) };
}

/**
 * RFC 7518 §3.3 and §3.4, RFC 8037 §3.1. A key that is bound to RSASSA-PSS has parameters of its own, which no
 * algorithm here need have.
 */
function canSign({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType === 'rsa') return (asymmetricKeyDetails?.modulusLength ?? 0) >= leastRsaBits;
  if (asymmetricKeyType === 'ec') return curves.includes(asymmetricKeyDetails?.namedCurve ?? '');
  return asymmetricKeyType === 'ed25519';
}

/** Parses a TOTP seed in base32, however its groups are spaced. Undefined if the text is not one, or is too short. */
export function seedOf(text: string): Seed | undefined {
  try {
    const seed = Seed.fromBase32(text.replace(/[\s-]/g, '').toUpperCase());
    return seed.bytes.length >= leastSeedBytes ? seed : undefined;
  } catch {
    return undefined;
  }
}
