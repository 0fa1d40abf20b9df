/** Which texts of the code were heard in the answers of a test. */
import { sourcesIn } from '../house/source.ts';

/** Returns each text of three words or more, in these files, that is in none of the answers. */
export function unheardIn(pattern: string, said: readonly string[]): string[] {
  const heard = said.join('\n');
  return sourcesIn(pattern)
    .flatMap(({ texts }) => texts.map((text) => text.trim()))
    .filter((text) => text.split(/\s+/).length >= 3 && !heard.includes(text));
}
