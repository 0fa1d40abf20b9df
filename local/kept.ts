import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Returns what was kept in a file; if there is no such file, creates it. */
export function kept<T extends object>(path: string, create: () => T): T {
  if (!existsSync(path)) keep(path, create());
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Writes a file that only its owner can read. */
export function keep(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}
