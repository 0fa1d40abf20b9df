/** Text that a person keeps in a file or sends through a pipe. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Returns the text of a file, without the mark that editors of Windows put at its beginning; `-` is standard input.
 * Throws an error whose message says why it cannot be read, and repeats nothing of it.
 */
export function readText(file: string, mostKib: number): string {
  const mostBytes = mostKib * 1_024;
  const tooLong = new Error(`it has more than ${mostKib} KiB`);
  if (file !== '-' && statSync(file).size > mostBytes) throw tooLong;
  const bytes = readFileSync(file === '-' ? 0 : file);
  if (bytes.length > mostBytes) throw tooLong;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('it is no text in UTF-8; spreadsheets have a format of their own for that, "CSV UTF-8"');
  }
}

/** Returns why a file could not be read, for people. */
export const reasonOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? (error as Error).message;

/** Returns why a file cannot be written, before the work is done whose result it is to hold. */
export function faultOfOutput(option: string, file: string): string[] {
  try {
    accessSync(dirname(resolve(file)), constants.W_OK);
    return [];
  } catch (error) {
    return [`${option}: ${file} cannot be written: ${reasonOf(error)}.`];
  }
}
