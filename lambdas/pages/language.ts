/** Which of our languages a browser asks for. */
export const languages = ['en', 'nl', 'de', 'fr'] as const;

export type Language = (typeof languages)[number];

const ours = (tag: string): Language | undefined => languages.find((language) => language === tag);

/**
 * Reads `Accept-Language` (RFC 9110 §12.5.4) by the first part of each tag; English where it asks for nothing that we
 * have.
 */
export function languageFor(header: string | undefined): Language {
  const asked = (header ?? '')
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part
        .toLowerCase()
        .split(';')
        .map((text) => text.trim());
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { language: ours(tag.split('-')[0] ?? ''), weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  return asked.find(({ language }) => language !== undefined)?.language ?? 'en';
}
