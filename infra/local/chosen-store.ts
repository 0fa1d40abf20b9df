import { join } from 'node:path';
import type { SecretStore } from '../secret-store.ts';
import { keep, kept } from './kept.ts';

/**
 * Keeps which store was chosen. Throws if a directory whose secrets are in the table is started without it: they would not be found. On AWS
 * CloudFormation refuses that step too.
 */
export function keepChoice(directory: string, secretStore: SecretStore): void {
  const path = join(directory, 'secret-store.json');
  const before = kept(path, () => ({ secretStore }));
  if (before.secretStore === 'dynamodb' && secretStore !== 'dynamodb') {
    throw new Error(`The secrets of ${directory} are in the table: start it with --secret-store dynamodb, as before, or give another --data.`);
  }
  if (before.secretStore !== secretStore) keep(path, { secretStore });
}
