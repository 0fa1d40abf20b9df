/**
 * The grants of a deployed broker, read as its refresh function reads them: in the table, and in the store of secrets
 * that the stack chose, with the rights of the person who asks. No function of the broker hands them out.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { dynamoDbConnections } from '../../shared/adapters/aws/dynamodb-connections.ts';
import { joseSealer } from '../../shared/adapters/sealing/jose-sealer.ts';
import { secretsManagerKey } from '../../shared/adapters/sealing/key-ring.ts';
import { credentials, refreshTokens } from '../../shared/adapters/secrets/connection-secrets.ts';
import { dynamoDbVersions } from '../../shared/adapters/secrets/dynamodb-versions.ts';
import { withFallback } from '../../shared/adapters/secrets/fallback-versions.ts';
import { secretsManagerVersions } from '../../shared/adapters/secrets/secrets-manager-versions.ts';
import { systemClock } from '../../shared/adapters/system.ts';
import { refreshTokenAt } from '../../shared/application/load-secrets.ts';
import { clientSecretNames } from '../../shared/domain/client-secrets.ts';
import type { Connection, StoredCredentials } from '../../shared/domain/connection.ts';
import { parseConnectionName } from '../../shared/domain/connection-name.ts';
import { iso } from '../../shared/domain/time.ts';
import { Misdirected, reasonOf, SealBroken, Unavailable } from '../../shared/ports/errors.ts';
import type { SecretVersions } from '../../shared/ports/secret-versions.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { physical, resourcesOf } from '../doctor/gather.ts';
import { CommandFailure } from '../failure.ts';
import type { Target } from '../target.ts';
import { obstacleOf } from './obstacle.ts';

type Access = Extract<Target, { kind: 'deployed' }>['aws'];

/** What the refresh function is told by its stack. */
type Variables = Readonly<Record<string, string | undefined>>;

/** What `PUT` takes beside the settings that the broker tells. */
export interface Grant {
  readonly refreshToken: string | undefined;
  readonly client: Readonly<Record<string, string | readonly (string | number)[]>>;
  /** The settings that are secrets. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Reads grants. `fault`: what stands in the way of handing one on, in words. */
export type ReadGrant = (connection: string) => Promise<Grant | { readonly fault: string }>;

/** Returns how to read the grants of a stack. Throws a failure where that cannot be found out. */
export async function grantsOf(stack: string, aws: Access): Promise<ReadGrant> {
  const [refresh] = physical(await resourcesOf(stack, aws), 'AWS::Lambda::Function', /^Refresh/);
  if (refresh === undefined)
    throw new CommandFailure(`Stack ${stack} has no refresh function: it is no token broker's.`);
  const { Environment } = await new LambdaClient(aws).send(
    new GetFunctionConfigurationCommand({ FunctionName: refresh }),
  );
  return grantsIn(Environment?.Variables ?? {}, {
    table: new DynamoDBClient(aws),
    secrets: new SecretsManagerClient(aws),
  });
}

interface Clients {
  readonly table: DynamoDBClient;
  readonly secrets: SecretsManagerClient;
}

/** The same, of what a refresh function with these variables reads. */
export function grantsIn(variables: Variables, clients: Clients): ReadGrant {
  const store = dynamoDbConnections(clients.table, { tableName: variables.TABLE_NAME ?? '' });
  const versions = versionsIn(variables, clients);
  const world = {
    refreshTokens: refreshTokens(versions),
    refreshSealer: joseSealer(
      'refresh',
      secretsManagerKey(clients.secrets, variables.REFRESH_KEY_SECRET_ID ?? ''),
      systemClock,
    ),
    credentials: credentials(versions),
    providers: providersFrom(),
  };
  return async (name) => {
    const connection = parseConnectionName(name);
    const item = connection && (await store.read(connection));
    if (item === undefined) return { fault: 'is not there any more.' };
    const fault = obstacleOf(item, systemClock.now());
    if (fault !== undefined) return { fault };
    try {
      return await read(world, item);
    } catch (error) {
      if (error instanceof Misdirected || error instanceof SealBroken || error instanceof Unavailable)
        return { fault: `cannot be read: ${error instanceof Misdirected ? error.message : reasonOf(error)}.` };
      throw error;
    }
  };
}

function versionsIn(variables: Variables, { table, secrets }: Clients): SecretVersions {
  const { SECRET_PREFIX: prefix, SECRETS_TABLE_NAME: tableName, SECRETS_KEY_SECRET_ID: keyId } = variables;
  const inSecretsManager = secretsManagerVersions(secrets, prefix ?? '');
  if (tableName === undefined) return inSecretsManager;
  const sealed = dynamoDbVersions({ client: table, tableName }, secretsManagerKey(secrets, keyId ?? ''), systemClock);
  return prefix === undefined ? sealed : withFallback(sealed, inSecretsManager);
}

type World = Parameters<typeof refreshTokenAt>[0] & {
  readonly credentials: ReturnType<typeof credentials>;
  readonly providers: ReturnType<typeof providersFrom>;
};

async function read(world: World, { connection, config, refreshToken: place }: Connection): Promise<Grant> {
  const { destinations } = world.providers.of(config);
  const refreshToken = place && (await refreshTokenAt(world, connection, place, destinations));
  if (place !== undefined && refreshToken === undefined) throw new Unavailable('secrets');
  const stored =
    config.credentials && (await world.credentials.read(connection, config.credentials.versionId, destinations));
  const { [clientSecretNames.first]: first, [clientSecretNames.second]: second, ...settings } = stored ?? {};
  const [one, other] = [first?.reveal(), second?.reveal()];
  return {
    refreshToken: refreshToken?.reveal(),
    client:
      one === undefined
        ? {}
        : other === undefined
          ? { client_secret: one }
          : { client_secret: [one, other], ...endsOf(config.credentials) },
    settings: Object.fromEntries(Object.entries(settings).map(([name, secret]) => [name, secret.reveal()])),
  };
}

/** When two secrets end, which the status tells of one of them. */
const endsOf = ({ endsAt }: Partial<StoredCredentials> = {}) =>
  endsAt && {
    client_secret_expires_at: Object.values(clientSecretNames).map((name) => iso(endsAt[name]) ?? 0),
  };
