import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecretStore } from '../infra/choices.ts';
import { keep } from './kept.ts';

/**
 * Throws if a directory whose secrets are in the table is started without it: the secrets would not be found. On AWS,
 * CloudFormation refuses that step too. Returns the function that keeps the choice, to be called once there is a table.
 */
export function chooseSecretStore(directory: string, secretStore: SecretStore): () => void {
  const path = join(directory, 'secret-store.json');
  const before: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).secretStore : undefined;
  if (before === 'dynamodb' && secretStore !== 'dynamodb') {
    throw new Error(
      `The secrets of ${directory} are in the table: ` +
        'start it with --secret-store dynamodb, as before, or give another --data.',
    );
  }
  return () => keep(path, { secretStore });
}
