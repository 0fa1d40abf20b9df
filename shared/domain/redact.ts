/** Makes a provider's own words fit to be stored and shown: whatever could be a secret is taken out. */
const removed = '[redacted]';

/** Three dot-separated parts that begin as JSON does in base64url: a JWT (RFC 7519), or a cut one. */
const jwt = /\beyJ[\w-]+(?:\.[\w-]*)*/g;
/** What follows the name of a secret: `client_secret: …`. */
const secretNamed = /\b([\w-]*(?:secret|password|assertion|api[-_]?key)["']?\s*[=:]\s*["']?)[^\s"'&,;]+/gi;
/** What follows the name of a token, where it is a value and no explanation: `code=…`, `"refresh_token": "…"`; not `token: expired`. */
const tokenNamed = /\b([\w-]*(?:token|code|authorization)(?:["']\s*:|["']?\s*=)\s*["']?)[^\s"'&,;]+/gi;
/** What follows the name of an HTTP authentication scheme, unless it is a word. */
const schemed = /\b([Bb]earer|BEARER|[Bb]asic|BASIC)\s+(?![a-z]+\b)[\w+/.~=-]{8,}/g;
/** A long run without spaces that is neither a word nor a number: 16 characters with letters and digits, or any 24. */
const opaque = /(?=[\w+/=~-]*[a-z])(?=[\w+/=~-]*\d)[\w+/=~-]{16,}|[\w+/=~-]{24,}/gi;

/** Returns `text` on one line without the given secrets (also as they look in a URL) and without what looks like one. */
export function redact(text: string, secrets: readonly string[]): string {
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret), new URLSearchParams([['', secret]]).toString().slice(1)]);
  // The longest first, so that no secret leaves its end behind where another is its beginning.
  const known = [...new Set(forms)].filter((form) => form.trim() !== '').sort((a, b) => b.length - a.length);
  return known
    .reduce((rest, form) => rest.replaceAll(form, removed), text)
    .replace(jwt, removed)
    .replace(secretNamed, `$1${removed}`)
    .replace(tokenNamed, `$1${removed}`)
    .replace(schemed, `$1 ${removed}`)
    .replace(opaque, removed)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}
