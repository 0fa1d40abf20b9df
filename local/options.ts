/** The options of a command line, before what they say is looked at. */
import { parseArgs } from 'node:util';

type Known = Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;

/**
 * Returns what was given for each known option, and a fault for everything else. `example` is an option: what a person
 * is shown who leaves the names out.
 */
export function optionsIn<K extends Known>(argv: readonly string[], known: K, example: string) {
  const { values, tokens } = parseArgs({ args: [...argv], options: known, strict: false, tokens: true });
  const faults = tokens.flatMap((token) => {
    if (token.kind === 'positional')
      return [`${token.value}: what is it? Every argument has a name, such as ${example}.`];
    return token.kind === 'option' && !(token.name in known) ? [`${token.rawName}: there is no such option.`] : [];
  });
  return { values, faults };
}
