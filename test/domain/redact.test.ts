import { afterEach, describe, expect, test, vi } from 'vitest';
import { redact } from '../../shared/domain/redact.ts';

afterEach(() => vi.restoreAllMocks());

/** How many characters each expression is handed while `text` is redacted. */
function handed(text: string, secrets: readonly string[] = []): number[] {
  const replace = vi.spyOn(String.prototype, 'replace');
  redact(text, secrets);
  const lengths = replace.mock.contexts.map((context) => String(context).length);
  vi.restoreAllMocks();
  return lengths;
}

/** What a provider can make of 64 KiB; each was slow with one expression or another. */
const hostile: readonly (readonly [what: string, text: (length: number) => string])[] = [
  ['hyphens between letters', (length) => 'a-'.repeat(length / 2)],
  ['names that no value follows', (length) => 'secret '.repeat(length / 7)],
  ['names and blanks', (length) => `secret${' '.repeat(99)}`.repeat(length / 105)],
  ['a run of digits', (length) => '1'.repeat(length)],
  ['the beginnings of tokens', (length) => 'eyJ.'.repeat(length / 4)],
];

describe('however long the provider’s words are', () => {
  test.each(hostile)('%s: an expression sees a few thousand characters of them', (_, text) => {
    const lengths = handed(text(65_536));
    expect(lengths.length).toBeGreaterThan(3);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(8_192);
  });

  test('a known secret is taken out wherever it is, also one that the cut would halve', () => {
    const secret = 'pä ss wörd';
    for (let before = 4_070; before < 4_110; before += 1) {
      // Blanks vanish: what is cut would otherwise come to light.
      const text = redact(`${' '.repeat(before)}${secret}`, [secret]);
      expect('[redacted]'.startsWith(text)).toBe(true);
    }
  });

  test('what looks like a secret leaves no half of itself where the text is cut', () => {
    for (let before = 4_060; before < 4_110; before += 1)
      expect(redact(`${' '.repeat(before)}gAAAA22pQ0Zk-_x8Yq`, [])).toMatch(/^(?:\[redacted\])?$/);
  });

  test('a name keeps its value out of sight however long both are', () => {
    expect(redact('my.client_secret  :   ab c', [])).toBe('my.client_secret : [redacted] c');
    expect(redact(`a long name: ${'my-'.repeat(60)}password=hunter2`, [])).not.toContain('hunter2');
  });
});

describe('a secret in other clothes', () => {
  const secret = 'hun7er2';
  const each = (of: (character: string) => string): string => [...secret].map(of).join('');
  const code = (character: string, radix: number): string => character.charCodeAt(0).toString(radix);

  test.each([
    ['base64', btoa(secret)],
    ['base64 behind a client id', btoa(`c:${secret}`)],
    ['base64 behind a longer one', btoa(`id:${secret}`)],
    ['base64url in lower case', btoa(secret).replaceAll('=', '').toLowerCase()],
    ['hexadecimal', each((character) => code(character, 16))],
    ['percent signs', each((character) => `%${code(character, 16)}`)],
    ['percent signs twice', each((character) => `%25${code(character, 16)}`)],
    ['escapes of JSON', each((character) => `\\u00${code(character, 16)}`)],
    ['character references', each((character) => `&#${code(character, 10)};`)],
    ['hexadecimal character references', each((character) => `&#x${code(character, 16)};`)],
    ['blanks between', each((character) => `${character} `)],
    ['dots between', each((character) => `${character}.`)],
    ['backslashes between', each((character) => `\\${character}`)],
    ['nothing visible between', each((character) => `${character}\u200b`)],
    ['a line break in it', 'hun\r\n 7er2'],
    ['letters of full width', each((character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0))],
    ['segments of a path', '/x/hun7/er2/'],
  ])('%s', (_, worn) => {
    expect(redact(`it was ${worn} that came`, [secret])).toMatch(/^(?:it was )?\[redacted\](?: that came)?$/);
  });

  test('a text that has nothing of it stays, and so does one that has a short word by chance', () => {
    expect(redact('The client was not found: 7 tries', [secret, 'a b'])).toBe('The client was not found: 7 tries');
    expect(redact('Is a boy', ['sabo'])).toBe('Is a boy');
  });
});
