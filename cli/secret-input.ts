/** Secrets come by prompt, by file or by standard input; never as an argument, which every process list shows. */
import { readFileSync, statSync } from 'node:fs';
import { password } from '@inquirer/prompts';
import { wrongInput } from './failure.ts';

/** A file's path; `-` is standard input. */
type SecretSource = string;

/** Returns the text in a file or of standard input, without the line break at its end. */
export function readSecret(source: SecretSource, option: string): string {
  let text: string;
  try {
    if (source !== '-' && statSync(source).size > 64 * 1_024) throw new Error('it has more than 64 KiB');
    text = readFileSync(source === '-' ? 0 : source, 'utf8');
  } catch (error) {
    throw wrongInput(`${option}: ${source === '-' ? 'standard input' : source} cannot be read: ${messageOf(error)}`);
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw wrongInput(`${option}: ${source === '-' ? 'standard input' : source} is empty.`);
  return secret;
}

/** Asks the person at the terminal, without showing what is typed. */
export const askSecret = (message: string): Promise<string> =>
  password({ message, mask: true }, { output: process.stderr });

const messageOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? (error as Error).message;
