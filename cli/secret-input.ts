/** Secrets come by prompt, by file or by standard input; never as an argument, which every process list shows. */
import { password } from '@inquirer/prompts';
import { wrongInput } from './failure.ts';
import type { Screen } from './screen.ts';
import { readText, reasonOf } from './text-file.ts';

const mostKib = 64;

/** A file's path; `-` is standard input. */
type SecretSource = string;

/** Returns the text in a file or of standard input, without the line break at its end. */
export function readSecret(source: SecretSource, option: string): string {
  let text: string;
  try {
    text = readText(source, mostKib);
  } catch (error) {
    throw wrongInput(`${option}: ${source === '-' ? 'standard input' : source} cannot be read: ${reasonOf(error)}`);
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw wrongInput(`${option}: ${source === '-' ? 'standard input' : source} is empty.`);
  return secret;
}

/** Asks the person at the terminal, without showing what is typed. */
export const askSecret = (message: string): Promise<string> =>
  password({ message, mask: true }, { output: process.stderr });

/** Returns the passphrase of a file that is there, out of another file or asked for. */
export async function passphraseOf(
  { interactive }: Screen,
  file: string,
  source: SecretSource | undefined,
): Promise<string> {
  if (source !== undefined) return readSecret(source, '--passphrase-file');
  if (!interactive) throw wrongInput(`--passphrase-file: is needed for ${file} where nobody can be asked.`);
  return askSecret(`Passphrase of ${file}`);
}

/** A shorter one could be guessed. */
const leastCharacters = 12;

/** The same for a file that is to be written: asked for twice, since nothing else opens it. */
export async function newPassphrase(screen: Screen, file: string, source: SecretSource | undefined): Promise<string> {
  const first = await passphraseOf(screen, file, source);
  if (first.length < leastCharacters)
    throw wrongInput(`The passphrase has fewer than ${leastCharacters} characters. Nothing was read or written.`);
  if (source === undefined && (await askSecret('The same again')) !== first)
    throw wrongInput('The two passphrases differ. Nothing was written.');
  return first;
}
