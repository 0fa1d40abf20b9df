/** Error codes in one form, and where replies have them and the words for them. */
import { membersLike, textsAt } from './members.ts';

/** Where a text is an error code, whatever it says. */
const codePlaces = [
  'error',
  'error.code',
  'error.type',
  'error.status',
  'error.error',
  'errors',
  'errors.code',
  'errors.errorType',
  'errors.type',
  'errors.error',
  'error_code',
  'error_type',
  'error_subtype',
  'fault.detail.errorcode',
  'fault.code',
];
/** Where a text is an error code only if it is one that is known: these members are in replies of every kind. */
const weakCodePlaces = ['code', 'status', 'type', 'name', 'reason', 'message', 'error.reason', 'error.message'];
/** Where the words are, most telling first. */
const wordPlaces = [
  'error_description',
  'message',
  'error.message',
  'fault.faultstring',
  'error_message',
  'error.error_description',
  'error.description',
  'error.detail',
  'errors.message',
  'errors.description',
  'errors.detail',
  'errmsg',
  'msg',
  'description',
  'detail',
  'reason',
  'hint',
  'error_hint',
  'error_summary',
  'title',
];
/** More of what a reply says is not looked at. */
const mostCharacters = 4_096;

/** `INVALID_GRANT`, `Invalid Grant`, `invalid-grant` and `InvalidGrant` are one code. */
export function codeOf(text: string): string {
  const trimmed = text.slice(0, 128).trim();
  const spaced = /^[A-Z]+$/.test(trimmed) ? trimmed : trimmed.replaceAll(/([a-z\d])([A-Z])/g, '$1_$2');
  return spaced.toLowerCase().replaceAll(/[\s_-]+/g, '_');
}

/** The code, and what is behind its last dot, colon or slash: `oauth.v2.InvalidRefreshToken`. */
export function codesOf(text: string): readonly string[] {
  const last = text.slice(0, 128).split(/[.:/]/).at(-1) ?? '';
  return [...new Set([codeOf(text), codeOf(last)])].filter((code) => code !== '');
}

/** What a reply says of what is wrong. */
export interface Said {
  /** Every code, in one form. */
  readonly codes: readonly string[];
  /** The code as it came, from the first place that has one. */
  readonly code?: string;
  /** Everything that is said in words, a line each. */
  readonly words: string;
  /** The first of them. */
  readonly description?: string;
}

/** Reads the codes and the words of a reply; `known` tells which codes mean something. Paths of the provider's own come first. */
export function saidIn(
  members: unknown,
  own: { readonly errors?: readonly string[]; readonly descriptions?: readonly string[] },
  known: (code: string) => boolean,
): Said {
  const at = (paths: readonly string[]) => paths.flatMap((path) => textsAt(members, path));
  const isKnown = (text: string) => codesOf(text).some(known);
  const strong = at([...(own.errors ?? []), ...codePlaces]);
  const weak = at(weakCodePlaces).filter(isKnown);
  const texts = [...strong, ...weak];
  const described = at([...(own.descriptions ?? []), ...wordPlaces]);
  // A code that is a sentence says something, too.
  const sentences = strong.filter((text) => /\s/.test(text.trim()));
  const words = [...new Set([...described, ...sentences])].map((text) => text.replaceAll(/\s+/g, ' ')).join('\n');
  const [code] = texts;
  const [description] = described;
  return {
    codes: [...new Set(texts.flatMap(codesOf))],
    ...(code !== undefined && { code }),
    words: words.slice(0, mostCharacters),
    ...(description !== undefined && { description }),
  };
}

/** Whether a reply says that it is a refusal, also beside a token: not by an empty `error`, nor by `"error": 0`. */
export const refuses = (members: unknown): boolean =>
  membersLike(members, 'error').some(tells) ||
  ['ok', 'success'].some((place) => membersLike(members, place).includes(false));

/** The same where no token is beside it: by any member of that meaning. */
export const complains = (members: unknown): boolean =>
  refuses(members) || ['errors', 'errcode', 'fault'].some((place) => membersLike(members, place).some(tells));

function tells(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() !== '';
  if (typeof value === 'number') return value !== 0;
  if (typeof value !== 'object' || value === null) return value === true;
  return Object.values(value).some(tells);
}
