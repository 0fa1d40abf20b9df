/** A secret of AWS Secrets Manager whose text is JSON with the grant in it. */
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CommandFailure } from '../failure.ts';
import type { FoundGrant, Source } from './source.ts';

/** How programs call the members, in the order in which they are looked for. */
const spellings = {
  refreshToken: ['refresh_token', 'refreshToken', 'REFRESH_TOKEN'],
  clientId: ['client_id', 'clientId', 'CLIENT_ID'],
  clientSecret: ['client_secret', 'clientSecret', 'CLIENT_SECRET'],
} as const;

export function secretSource(client: SecretsManagerClient, secretId: string): Source {
  const title = `secret ${secretId} in Secrets Manager`;
  const failed = ({ name, message }: Error) => new CommandFailure(`${title} cannot be read (${name}): ${message}`);
  return {
    title,
    async look() {
      const { DescribeSecretCommand } = await import('@aws-sdk/client-secrets-manager');
      const described = await client.send(new DescribeSecretCommand({ SecretId: secretId })).catch((error) => {
        throw failed(error);
      });
      if (described.RotationEnabled === true)
        throw new CommandFailure(
          `${title} is rotated by a function, which renews the grant: switch rotation off first ` +
            `(aws secretsmanager cancel-rotate-secret --secret-id ${secretId}).`,
        );
    },
    async read() {
      const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
      const { SecretString: text = '' } = await client
        .send(new GetSecretValueCommand({ SecretId: secretId }))
        .catch((error) => {
          throw failed(error);
        });
      return grantIn(text, title);
    },
    before: [`every program that renews with ${title} and writes the new refresh token there`],
    after: [`${title} itself, once no program reads it: its refresh token is of no use any more`],
  };
}

/** No message quotes the text. */
function grantIn(text: string, title: string): FoundGrant {
  let members: unknown;
  try {
    members = JSON.parse(text);
  } catch {
    throw new CommandFailure(`${title} has a text that is no JSON.`);
  }
  const texts = (typeof members === 'object' && members !== null ? members : {}) as Readonly<Record<string, unknown>>;
  const found = (names: readonly string[]): string | undefined =>
    names.map((name) => texts[name]).find((value): value is string => typeof value === 'string' && value !== '');
  const refreshToken = found(spellings.refreshToken);
  if (refreshToken === undefined)
    throw new CommandFailure(`${title} has no member ${spellings.refreshToken.join(', nor ')}.`);
  const clientId = found(spellings.clientId);
  const clientSecret = found(spellings.clientSecret);
  return {
    kind: 'found',
    refreshToken,
    ...(clientId !== undefined && { clientId }),
    ...(clientSecret !== undefined && { clientSecret }),
  };
}
