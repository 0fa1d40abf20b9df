/** Makes a provider's own words fit to be stored and shown: whatever could be a secret is taken out. */
const removed = '[redacted]';

/**
 * How much of a text is read: far more than is shown, and little enough for any expression. No expression below looks
 * at a character more often than its own bounds allow, since the text comes from outside.
 */
const mostCharacters = 4_096;

/** Three dot-separated parts that begin as JSON does in base64url: a JWT (RFC 7519), or a cut one. */
const jwt = /\beyJ[\w-]{1,4096}(?:\.[\w-]{0,4096}){0,4}/g;
/** What follows the name of a secret, whatever the name begins with: `client_secret: …`. */
const secretNamed = /((?:secret|password|assertion|api[-_]?key)["']? ?[=:] ?["']?)[^\s"'&,;]{1,4096}/gi;
/**
 * What follows the name of a token, where it is a value and no explanation: `code=…`, `"refresh_token": "…"`; not
 * `token: expired`.
 */
const tokenNamed = /((?:token|code|authorization)(?:["'] ?:|["']? ?=) ?["']?)[^\s"'&,;]{1,4096}/gi;
/** What follows the name of an HTTP authentication scheme, unless it is a word. */
const schemed = /\b([Bb]earer|BEARER|[Bb]asic|BASIC) (?![a-z]{1,64}\b)[\w+/.~=-]{8,4096}/g;
/** A long run without spaces that is neither a word nor a number: 16 characters with letters and digits, or any 24. */
const opaque = /(?=[\w+/=~-]{0,23}[a-z])(?=[\w+/=~-]{0,23}\d)[\w+/=~-]{16,4096}|[\w+/=~-]{24,4096}/gi;

/**
 * Returns the beginning of `text`, a few thousand characters of it, on one line, without the given secrets, in whatever
 * letter case and also as they look in a URL, in JSON or in HTML, and without what looks like one.
 */
export function redact(text: string, secrets: readonly string[]): string {
  // Secrets go before the text is cut, which could leave half a secret. The search is linear.
  const words = beginningOf(withoutSecrets(text, secrets))
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(jwt, removed)
    .replace(secretNamed, `$1${removed}`)
    .replace(tokenNamed, `$1${removed}`)
    .replace(schemed, `$1 ${removed}`)
    .replace(opaque, removed)
    .trim();
  return wears(words, secrets) ? removed : words;
}

/**
 * Returns whether one of the secrets is in the text in clothes that are not known one by one: encoded as base64, in
 * hexadecimal or character by character, split by signs or blanks, in letters of another width. Never of what is so
 * short that words could have it by chance.
 */
export function wears(text: string, secrets: readonly string[]): boolean {
  const bare = stripped(undressed(text));
  return secrets
    .flatMap((secret) => [secret, ...encodings(secret)])
    .map(stripped)
    .some((form) => form.length >= leastRecognized && bare.includes(form));
}

const leastRecognized = 6;

/** Letters and digits alone, of one case and width. */
const stripped = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');

/** In base64 the same bytes look different at each of three places; characters that neighbours share do not count. */
function encodings(secret: string): readonly string[] {
  const bytes = Array.from(new TextEncoder().encode(secret), (byte) => String.fromCharCode(byte)).join('');
  const hexadecimal = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  const base64 = [0, 1, 2].map((before) => {
    const whole = btoa('\0'.repeat(before) + bytes).replaceAll('=', '');
    const exact = (before + bytes.length) % 3 === 0;
    return whole.slice(Math.ceil((before * 4) / 3), exact ? undefined : -1).replaceAll(/[+/]/g, '');
  });
  return [hexadecimal, ...base64];
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
/** Characters that are written by their numbers, or by a name. */
const written =
  /((?:%[\da-f]{2})+)|\\u([\da-f]{4})|\\x([\da-f]{2})|&#(\d{1,7});|&#x([\da-f]{1,6});|&(amp|lt|gt|quot|apos);/gi;

/** Several times over, as a text may have been encoded. */
function undressed(text: string): string {
  let rest = text;
  for (let layer = 0; layer < 3; layer += 1)
    rest = rest.replaceAll(written, (part: string, percents?: string, ...others: readonly (string | undefined)[]) => {
      const [unicode, byte, decimal, hexadecimal, name] = others;
      if (percents !== undefined) return percentDecoded(percents);
      if (name !== undefined) return named[name.toLowerCase()] ?? part;
      const code = decimal === undefined ? Number.parseInt(unicode ?? byte ?? hexadecimal ?? '', 16) : Number(decimal);
      return code <= 0x10_ff_ff ? String.fromCodePoint(code) : part;
    });
  return rest;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the text without the given secrets. Half a surrogate pair, which no URL can carry, is replaced in both. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .map((secret) => secret.toWellFormed().trim())
    .filter((secret) => secret !== '')
    .flatMap(formsOf);
  // The longest first, so that no secret leaves its end behind where another is its beginning.
  const known = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return known.reduce((rest, form) => rest.replaceAll(new RegExp(escaped(form), 'gi'), removed), text.toWellFormed());
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');

const formsOf = (secret: string): readonly string[] => [
  secret,
  encodeURIComponent(secret),
  new URLSearchParams([['', secret]]).toString().slice(1),
  JSON.stringify(secret).slice(1, -1),
  secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
];

/** Ends before whatever the cut would halve: half of a secret need not look like one. */
function beginningOf(text: string): string {
  if (text.length <= mostCharacters) return text;
  let end = mostCharacters;
  while (end > 0 && /[\w+/=~.-]/.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
