/** What the pages say, in each language. `{name}` stands for a value. */

import type { Language } from './language.ts';
import { de } from './texts/de.ts';
import { en } from './texts/en.ts';
import { fr } from './texts/fr.ts';
import { nl } from './texts/nl.ts';
import type { Texts } from './texts/texts.ts';

export const texts: Readonly<Record<Language, Texts>> = { en, nl, de, fr };

/** Puts the values in their places. How the text is broken into lines means nothing. */
export const said = (text: string, values: Readonly<Record<string, string | undefined>>): string =>
  text.replace(/\s+/g, ' ').replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
