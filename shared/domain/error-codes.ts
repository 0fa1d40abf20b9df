/** Error codes in one form, and where replies have them and the words for them. */
import { membersLike, squashed, textsAt } from './members.ts';

/** Members in which a text is an error code, whatever it says. */
const codeMembers = ['error', 'errors', 'error_code', 'error_type', 'error_subtype'];
/** Members in which a text is an error code only if it is one that is known: replies of every kind have them. */
const weakCodeMembers = ['code', 'status', 'type', 'name', 'reason', 'title', 'message', 'detail', 'msg'];
/** Members that have the words, most telling first; then every other one whose name ends like one of these. */
const wordMembers = [
  'error_description',
  'message',
  'faultstring',
  'error_message',
  'errmsg',
  'msg',
  'description',
  'detail',
  'details',
  'reason',
  'hint',
  'error_hint',
  'error_summary',
  'title',
];
const wordEnds = /(?:message|msg|description|details?|reason|hint|summary|title)$/;
/** More of what a reply says is not looked at. */
const mostCharacters = 4_096;

/** `INVALID_GRANT`, `Invalid Grant`, `invalid-grant` and `InvalidGrant` are one code. */
function codeOf(text: string): string {
  const trimmed = text.slice(0, 128).replaceAll(/^[\s"'[(]+|[\s"'\]).!]+$/g, '');
  const spaced = /^[A-Z]+$/.test(trimmed) ? trimmed : trimmed.replaceAll(/([a-z\d])([A-Z])/g, '$1_$2');
  return spaced.toLowerCase().replaceAll(/[\s_-]+/g, '_');
}

/**
 * The code, and what is before its first colon or behind its last dot, colon or slash: `invalid_grant: expired`,
 * `oauth.v2.InvalidRefreshToken`.
 */
export function codesOf(text: string): readonly string[] {
  const parts = text.slice(0, 128).split(/[.:/]/);
  const first = text.slice(0, 128).split(':')[0] ?? '';
  return [...new Set([codeOf(text), codeOf(first), codeOf(parts.at(-1) ?? '')])].filter((code) => code !== '');
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

/**
 * Reads the codes and the words of a reply, however deep they are; `known` tells which codes mean something. The
 * provider's own paths come first.
 */
export function saidIn(
  members: unknown,
  own: { readonly errors?: readonly string[]; readonly descriptions?: readonly string[] },
  known: (code: string) => boolean,
): Said {
  const at = (paths: readonly string[] = []) => paths.flatMap((path) => textsAt(members, path));
  const found = textsIn(members);
  const ofMembers = (names: readonly string[]) => names.flatMap((name) => found.get(squashed(name)) ?? []);
  const isKnown = (text: string) => codesOf(text).some(known);
  const strong = [...at(own.errors), ...ofMembers(codeMembers)];
  const texts = [...strong, ...ofMembers(weakCodeMembers).filter(isKnown)];
  const others = [...found.keys()].filter((name) => wordEnds.test(name));
  const described = [
    ...at(own.descriptions),
    ...ofMembers(wordMembers),
    ...others.flatMap((name) => found.get(name) ?? []),
  ];
  // A code that is a sentence says something, too, and so does one that names a token: `IllegalRefreshToken`.
  const sentences = strong.filter((text) => /\s/.test(text.trim()));
  const named = [...strong, ...described, ...ofMembers(weakCodeMembers)]
    .filter(namesToken)
    .map((text) => codeOf(text).replaceAll('_', ' '));
  const fields = (found.get(aboutRefreshToken) ?? []).map((text) => `refresh_token ${text}`);
  const words = [...new Set([...described, ...sentences, ...named, ...fields])]
    .map((text) => text.replaceAll(/\s+/g, ' '))
    .join('\n');
  const [code] = texts;
  const [description] = described;
  return {
    codes: [...new Set(texts.flatMap(codesOf))],
    ...(code !== undefined && { code }),
    words: words.slice(0, mostCharacters),
    ...(description !== undefined && { description }),
  };
}

/** How deep, and how much, a reply is looked into. */
const mostLevels = 5;
const mostMembers = 512;

/** Every text of a reply by the name of its member, outer ones first. A text that is itself JSON is looked into. */
function textsIn(members: unknown): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let level: (readonly [name: string, value: unknown])[] = [['', members]];
  let left = mostMembers;
  for (let depth = 0; depth < mostLevels && level.length > 0; depth += 1) {
    const next: (readonly [string, unknown])[] = [];
    for (const [name, value] of level) {
      if (left-- <= 0) return found;
      const inner = typeof value === 'string' ? parsed(value) : value;
      if (typeof inner === 'string') {
        if (inner.trim() !== '') found.set(name, [...(found.get(name) ?? []), inner]);
      } else if (Array.isArray(inner)) next.push(...inner.slice(0, mostMembers).map((entry) => [name, entry] as const));
      else if (typeof inner === 'object' && inner !== null)
        next.push(...Object.entries(inner).map(([key, member]) => [nameIn(name, squashed(key)), member] as const));
    }
    level = next;
  }
  return found;
}

/** What an error calls its code, type or status is an error code; what it has under a parameter's name is about it. */
function nameIn(outer: string, name: string): string {
  if (!['error', 'errors', 'fault'].includes(outer)) return name;
  if (['code', 'type', 'status'].includes(name)) return 'errorcode';
  return name === 'refreshtoken' ? aboutRefreshToken : name;
}
const aboutRefreshToken = 'refreshtoken in error';

/** One word with "token" in it. */
const namesToken = (text: string): boolean => text.length <= 64 && /^[\w.:-]*token[\w.:-]*$/i.test(text.trim());

function parsed(text: string): unknown {
  if (text.length > mostCharacters || !/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whether a reply says that it is a refusal, also beside a token: not by an empty `error`, nor by `"error": 0`. */
export const refuses = (members: unknown): boolean =>
  membersLike(members, 'error').some(tells) ||
  ['ok', 'success'].some((place) => membersLike(members, place).includes(false));

/** The same where no token is beside it: by any member of that meaning. */
export const complains = (members: unknown): boolean =>
  refuses(members) || ['errors', 'errcode', 'fault'].some((place) => membersLike(members, place).some(tells));

/** Words for "no error" of servers that leave out no member. */
const saysNothing = ['', '0', 'false', 'null', 'none', 'undefined'];

function tells(value: unknown): boolean {
  if (typeof value === 'string') return !saysNothing.includes(value.trim().toLowerCase());
  if (typeof value === 'number') return value !== 0;
  if (typeof value !== 'object' || value === null) return value === true;
  return Object.values(value).some(tells);
}
