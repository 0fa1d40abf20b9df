/**
 * The text of a reply's body, whatever it was wrapped in on the way: some servers compress although they were asked not
 * to.
 */
import { isUtf8 } from 'node:buffer';
import {
  brotliDecompressSync,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  type ZlibOptions,
  zstdDecompressSync,
} from 'node:zlib';

type Unwrap = (body: Buffer, mostBytes: number) => Buffer;

// A body that ends early is read as far as it goes: whether it says enough is for its reader to judge.
const lenient = (mostBytes: number): ZlibOptions => ({ maxOutputLength: mostBytes, finishFlush: 2 });
const gzip: Unwrap = (body, most) => gunzipSync(body, lenient(most));
const zlib: Unwrap = (body, most) => inflateSync(body, lenient(most));
const rawDeflate: Unwrap = (body, most) => inflateRawSync(body, lenient(most));
const brotli: Unwrap = (body, most) => brotliDecompressSync(body, { maxOutputLength: most });
const zstd: Unwrap = (body, most) => zstdDecompressSync(body, { maxOutputLength: most });

/** The codings of `Content-Encoding` (RFC 9110 §8.4.1). "deflate" is sent with a zlib header and without. */
const codings: Readonly<Record<string, readonly Unwrap[]>> = {
  gzip: [gzip],
  'x-gzip': [gzip],
  deflate: [zlib, rawDeflate],
  br: [brotli],
  zstd: [zstd],
};

/** More layers than any proxy puts around a reply. */
const mostLayers = 4;

/** Returns the text, or undefined if it, or anything on the way to it, has more than `mostBytes`. */
export function textOfBody(
  body: Buffer,
  headers: Readonly<Record<string, string>>,
  mostBytes: number,
): string | undefined {
  const named = (headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name in codings)
    .slice(-mostLayers)
    .reverse();
  let unwrapped = body;
  try {
    for (const name of named) unwrapped = firstOf(codings[name] ?? [], unwrapped, mostBytes) ?? unwrapped;
    for (let layer = 0; layer < mostLayers && !isText(unwrapped); layer += 1) {
      const inner = firstOf(unwrapsFor(unwrapped), unwrapped, mostBytes);
      if (inner === undefined) break;
      unwrapped = inner;
    }
  } catch {
    return undefined;
  }
  return unwrapped.length > mostBytes ? undefined : decoded(unwrapped, headers['content-type']);
}

/** Returns what the first of these makes of the body; undefined if none can read it. Throws if it is too large. */
function firstOf(unwraps: readonly Unwrap[], body: Buffer, mostBytes: number): Buffer | undefined {
  for (const unwrap of unwraps) {
    try {
      const inner = unwrap(body, mostBytes);
      if (inner.length > 0) return inner;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw error;
    }
  }
  return undefined;
}

/**
 * What the body can be by its first bytes, where no header says it, or not the whole of it. Brotli and bare deflate
 * have no mark.
 */
function unwrapsFor(body: Buffer): readonly Unwrap[] {
  const [first = 0, second = 0, third = 0, fourth = 0] = body;
  if (first === 0x1f && second === 0x8b) return [gzip];
  if (first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd) return [zstd];
  const hasZlibHeader = (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
  return (hasZlibHeader ? [zlib, brotli, rawDeflate] : [brotli, rawDeflate]).map((unwrap) => textOnly(unwrap));
}

/** Chance must not take one thing for another: what comes of a guess has to be text. */
const textOnly =
  (unwrap: Unwrap): Unwrap =>
  (body, mostBytes) => {
    const inner = unwrap(body, mostBytes);
    return isText(inner) || unwrapsFor(inner).length === 1 ? inner : Buffer.alloc(0);
  };

const isUtf16 = (body: Buffer): boolean =>
  body.length >= 2 && ((body[0] === 0xff && body[1] === 0xfe) || (body[0] === 0xfe && body[1] === 0xff));

/** Text has no control characters but white space; in another encoding than UTF-8 it may have any other byte. */
function isText(body: Buffer): boolean {
  if (isUtf16(body)) return true;
  const control = (byte: number) => byte < 9 || (byte > 13 && byte < 32);
  return !body.some(control) && (isUtf8(body) || /^\s*[{[<]/.test(body.subarray(0, 16).toString('latin1')));
}

/** UTF-8, unless a byte-order mark or the content type says otherwise. */
function decoded(body: Buffer, contentType = ''): string {
  const charset = /charset="?([\w-]{1,32})/i.exec(contentType)?.[1] ?? 'utf-8';
  const label = isUtf16(body) ? (body[0] === 0xff ? 'utf-16le' : 'utf-16be') : isUtf8(body) ? 'utf-8' : charset;
  try {
    return new TextDecoder(label).decode(body);
  } catch {
    return body.toString('utf8');
  }
}
