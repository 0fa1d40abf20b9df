/** Versions of secrets: immutable texts under ids that the caller chooses. Here in Secrets Manager. */

import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  RestoreSecretCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { limits } from '../../domain/limits.ts';
import type { SecretVersions } from '../../ports/secret-versions.ts';
import { reportingAs } from '../aws/unavailable.ts';

/**
 * `prefix` begins every secret's name: what a function may read is written in IAM by name. A secret that is removed
 * goes in seven days; a version read or written before then keeps it. Labels (AWSCURRENT) are never read: they are not
 * consistent, a version id is.
 */
export function secretsManagerVersions(client: SecretsManagerClient, prefix: string): SecretVersions {
  const idOf = (name: string): string => `${prefix}${name}`;

  /** A deleted secret is kept for seven days, and a connection of its name can neither write nor read it till then. */
  const restore = (name: string) => client.send(new RestoreSecretCommand({ SecretId: idOf(name) }));

  async function get(name: string, versionId: string): Promise<string | undefined> {
    const { SecretString: text } = await client.send(
      new GetSecretValueCommand({ SecretId: idOf(name), VersionId: versionId }),
    );
    return text ?? '';
  }

  return {
    read: (name, versionId) =>
      reportingAs('secrets', async () => {
        try {
          return await get(name, versionId).catch(async (error: unknown) => {
            if (!(error instanceof InvalidRequestException)) throw error;
            await restore(name);
            return get(name, versionId);
          });
        } catch (error) {
          if (error instanceof ResourceNotFoundException) return undefined;
          throw error;
        }
      }),

    write: (name, versionId, text, isFirst = false) =>
      reportingAs('secrets', async () => {
        if (isFirst && (await create(client, idOf(name), versionId, text))) return true;
        for (let put = 1; ; put += 1) {
          try {
            await client.send(
              new PutSecretValueCommand({ SecretId: idOf(name), ClientRequestToken: versionId, SecretString: text }),
            );
            return true;
          } catch (error) {
            if (error instanceof ResourceExistsException) return false;
            if (put === limits.secretPuts) throw error;
            if (error instanceof InvalidRequestException) await restore(name);
            else if (!(error instanceof ResourceNotFoundException)) throw error;
            else if (await create(client, idOf(name), versionId, text)) return true;
          }
        }
      }),

    remove: (name) =>
      reportingAs('secrets', async () => {
        try {
          await client.send(new DeleteSecretCommand({ SecretId: idOf(name), RecoveryWindowInDays: 7 }));
        } catch (error) {
          // Not there, or deleted already.
          if (!(error instanceof ResourceNotFoundException || error instanceof InvalidRequestException)) throw error;
        }
      }),
  };
}

/** False if another function created the secret meanwhile, or it is there but deleted: the next put tells which. */
async function create(client: SecretsManagerClient, name: string, versionId: string, text: string): Promise<boolean> {
  try {
    await client.send(new CreateSecretCommand({ Name: name, ClientRequestToken: versionId, SecretString: text }));
    return true;
  } catch (error) {
    if (error instanceof ResourceExistsException || error instanceof InvalidRequestException) return false;
    throw error;
  }
}
