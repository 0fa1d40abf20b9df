import { hash, timingSafeEqual } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { account } from './account.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SignedRequest {
  readonly method: string;
  /** As sent, still encoded, without the query. */
  readonly path: string;
  readonly query: Record<string, string | string[]>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

const service = 'execute-api';
const clockToleranceMs = 5 * 60_000;
const authorization =
  /^AWS4-HMAC-SHA256 Credential=([^/, ]+)\/[^, ]+, *SignedHeaders=([a-z0-9;_-]+), *Signature=([0-9a-f]{64})$/;

export const signer = (credentials: Credentials): SignatureV4 =>
  new SignatureV4({ credentials, region: account.region, service, sha256: Sha256, applyChecksum: false });

/**
 * Whether a request bears this key pair's signature (AWS Signature Version 4), by signing it again: the same method, path, query, body and
 * signed headers must give the same signature. The host must be signed, and the date, which always is, be within five minutes of now.
 */
export async function isSigned(request: SignedRequest, credentials: Credentials, now = Date.now()): Promise<boolean> {
  const [, accessKeyId, signedHeaders = '', signature] =
    authorization.exec(String(request.headers.authorization)) ?? [];
  if (accessKeyId !== credentials.accessKeyId) return false;
  const names = signedHeaders.split(';');
  const date = request.headers['x-amz-date'];
  if (typeof date !== 'string' || !names.includes('host')) return false;

  const signingDate = new Date(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(now - signingDate.getTime()) <= clockToleranceMs)) return false;

  const headers: Record<string, string> = {};
  for (const name of names) {
    const value = request.headers[name];
    if (value === undefined) return false;
    headers[name] = String(value);
  }
  // Where the client sent a hash of the body, the signature covers that: it must be the body's.
  const claimed = headers['x-amz-content-sha256'];
  if (claimed !== undefined && claimed !== hash('sha256', request.body)) return false;

  // Its own scope (day, Region, service) and the date are always part of what it signs: others give another signature.
  const { method, path, query, body } = request;
  const signed = await signer(credentials).sign(
    { method, path, query, headers, body, protocol: 'https:', hostname: '' },
    { signingDate, signableHeaders: new Set(names) },
  );
  const expected = authorization.exec(String(signed.headers.authorization))?.[3];
  return (
    expected !== undefined && signature !== undefined && timingSafeEqual(Buffer.from(expected), Buffer.from(signature))
  );
}
