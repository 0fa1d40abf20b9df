import { randomInt } from 'node:crypto';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  ResourceExistsException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { GenerateSecretString, SecretDefinition } from './deployment.ts';

/** Creates the template's secrets where they do not exist yet, and returns the ARN of each by name. */
export async function createSecrets(
  definitions: readonly SecretDefinition[],
  client: SecretsManagerClient,
): Promise<ReadonlyMap<string, string>> {
  const arns = new Map<string, string>();
  for (const { name, secretString, generate } of definitions) {
    const value = generate ? generated(generate) : secretString;
    const { ARN = '' } = await client
      .send(new CreateSecretCommand({ Name: name, SecretString: value }))
      .catch((error) => {
        if (error instanceof ResourceExistsException) return client.send(new DescribeSecretCommand({ SecretId: name }));
        throw error;
      });
    arns.set(name, ARN);
  }
  return arns;
}

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/**
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html
 */
function generated({
  PasswordLength,
  ExcludePunctuation,
  SecretStringTemplate,
  GenerateStringKey,
}: GenerateSecretString): string {
  const characters = ExcludePunctuation ? alphanumeric : alphanumeric + punctuation;
  const password = Array.from({ length: PasswordLength }, () => characters[randomInt(characters.length)]).join('');
  if (SecretStringTemplate === undefined || GenerateStringKey === undefined) return password;
  return JSON.stringify({ ...JSON.parse(SecretStringTemplate), [GenerateStringKey]: password });
}
