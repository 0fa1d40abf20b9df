/** The JSON object in a text that should be nothing else. */

/**
 * Returns the value, or the first of a list; undefined for any other text. What servers put around an object (a
 * warning, a guard against inclusion, a callback) is left out, and what stands in it against the grammar is mended: it
 * can hold the only copy of a refresh token.
 */
export function objectIn(text: string): unknown {
  const [first, last] = [text.indexOf('{'), text.lastIndexOf('}')];
  const tries = [() => text, () => text.slice(first, last + 1), () => mended(text.slice(first, last + 1))];
  for (const candidate of first < 0 && !/^["[]/.test(text) ? [] : tries) {
    const parsed = parse(candidate());
    if (parsed === undefined) continue;
    const value = Array.isArray(parsed) ? parsed[0] : parsed;
    // A text that was made JSON twice.
    return typeof value === 'string' && /^\s*\{/.test(value) ? parse(value) : value;
  }
  return undefined;
}

/** Whether a text is one whole object, or a list, and nothing else. */
export const isWholeObject = (text: string): boolean => {
  const value = parse(text.trim());
  return typeof value === 'object' && value !== null;
};

/** A number that is no safe integer stays the text that it was: it could be a token. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, (_name, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
        ? (context?.source ?? value)
        : value,
    );
  } catch {
    return undefined;
  }
}

/** Control characters in texts, commas before an end, and numbers that JSON does not have. */
const mended = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*\\?(?:"|$)|,(?=\s*[}\]])|\b(?:NaN|Infinity|undefined)\b/gs, (part) => {
    if (part === ',') return '';
    if (!part.startsWith('"')) return 'null';
    return part.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
  });
