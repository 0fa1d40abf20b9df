/** What the functions write, kept in the data directory for `token-broker logs`. */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const logFile = 'broker.log';
/** At this size the file becomes the one before, and a new one begins. */
const mostBytes = 16 * 1_024 * 1_024;

/** Returns what appends a line, as JSON with the function's name and the time. */
export function logFileIn(directory: string): (functionName: string, line: string) => void {
  const path = join(directory, logFile);
  let bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return (functionName, line) => {
    const text = `${JSON.stringify({ at: new Date().toISOString(), function: functionName, line })}\n`;
    if (bytes > mostBytes) {
      renameSync(path, `${path}.1`);
      bytes = 0;
    }
    appendFileSync(path, text, { mode: 0o600 });
    bytes += Buffer.byteLength(text);
  };
}
