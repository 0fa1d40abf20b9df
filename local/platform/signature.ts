import { createHash, createHmac, type Hash, type Hmac, hash, timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { account } from './account.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials; this machine's own have none. */
  readonly sessionToken?: string;
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
const scope = `${service} in ${account.region}`;
const clockToleranceMs = 5 * 60_000;
const authorization =
  /^AWS4-HMAC-SHA256 Credential=([^/, ]+)\/([^, ]+), *SignedHeaders=([a-z0-9;_-]+), *Signature=([0-9a-f]{64})$/;

/** What the signer needs of SHA-256: a plain digest, or one under a key. */
export class Sha256 {
  readonly #key: string | ArrayBuffer | ArrayBufferView | undefined;
  #hash: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#key = key;
    this.#hash = this.#fresh();
  }

  #fresh(): Hash | Hmac {
    return this.#key === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(this.#key));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#fresh();
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

export const signer = (credentials: Credentials, region: string = account.region): SignatureV4 =>
  new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum: false });

/**
 * Checks that a request bears this key pair's signature (AWS Signature Version 4), by signing it again: the same
 * method, path, query, body and signed headers must give the same signature. The host must be signed, and the date be
 * within five minutes of `now`. Returns undefined for a good signature, else what is wrong with the request, for the
 * person at the terminal. The text repeats nothing that the request says of itself, which may be a secret in the wrong
 * place.
 */
export async function signatureFault(
  request: SignedRequest,
  credentials: Credentials,
  now = Date.now(),
): Promise<string | undefined> {
  const given = request.headers.authorization;
  if (given === undefined) return `it is not signed; sign it for ${scope}, as curl does with --aws-sigv4`;
  const [, accessKeyId, credentialScope = '', signedHeaders = '', signature = ''] =
    authorization.exec(String(given)) ?? [];
  if (accessKeyId === undefined)
    return (
      'its Authorization header is not a signature of AWS4-HMAC-SHA256; ' +
      `sign it for ${scope}, as curl does with --aws-sigv4`
    );
  if (accessKeyId !== credentials.accessKeyId)
    return (
      `it is signed with another access key than ${credentials.accessKeyId}, ` +
      'which is the one of this broker and directory'
    );
  if (!new RegExp(`^\\d{8}/${account.region}/${service}/aws4_request$`).test(credentialScope))
    return `it is signed for another service or Region; sign it for ${scope}`;

  const names = signedHeaders.split(';');
  if (!names.includes('host')) return 'its signature does not cover the Host header';
  const date = String(request.headers['x-amz-date']);
  const signingDate = new Date(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const aheadMs = signingDate.getTime() - now;
  if (Number.isNaN(aheadMs)) return 'its X-Amz-Date header is missing, or is not like 20261122T200900Z';
  if (Math.abs(aheadMs) > clockToleranceMs) {
    const off = `${Math.round(Math.abs(aheadMs) / 1_000)} s in the ${aheadMs > 0 ? 'future' : 'past'}`;
    return `it was signed ${off}, and ${clockToleranceMs / 1_000} s are allowed; is the client's clock right?`;
  }

  const headers: Record<string, string> = {};
  for (const name of names) {
    const value = request.headers[name];
    if (value === undefined) return 'a header that its signature covers is missing';
    headers[name] = String(value);
  }
  // Where the client sent a hash of the body, the signature covers that: it must be the body's.
  const claimed = headers['x-amz-content-sha256'];
  if (claimed !== undefined && claimed !== hash('sha256', request.body))
    return 'its body is not the one whose hash X-Amz-Content-SHA256 names';

  const { method, path, query, body } = request;
  const signed = await signer(credentials).sign(
    { method, path, query, headers, body, protocol: 'https:', hostname: '' },
    { signingDate, signableHeaders: new Set(names) },
  );
  const expected = authorization.exec(String(signed.headers.authorization))?.[4] ?? '';
  if (timingSafeEqual(Buffer.from(expected), Buffer.from(signature))) return undefined;
  return isSorted(Object.keys(query))
    ? 'its signature is another one: the secret key, or what was signed (method, path, query, headers, body), differs'
    : 'its signature is another one, and its query parameters are not sorted by name: ' +
        'some clients, older versions of curl among them, sign them as they stand, so write them in that order';
}

const isSorted = (names: readonly string[]): boolean =>
  names.every((name, index) => index === 0 || name >= (names[index - 1] ?? ''));
