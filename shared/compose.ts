/**
 * The one place that wires ports to adapters, from the environment variables that the stack sets. Each function composes
 * what it needs and no more, on its first invocation: what runs while a function starts can be frozen half-way.
 */

import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { dynamoDb, eventBridge, secretsManager, sqs } from './adapters/aws/clients.ts';
import { dynamoDbBreakers } from './adapters/aws/dynamodb-breakers.ts';
import { dynamoDbConnections } from './adapters/aws/dynamodb-connections.ts';
import { dynamoDbGrantClaims } from './adapters/aws/dynamodb-grant-claims.ts';
import { eventBridgeAnnouncer } from './adapters/aws/eventbridge-announcer.ts';
import { sqsQueue } from './adapters/aws/sqs-queue.ts';
import { httpAuthorizationServer } from './adapters/oauth/authorization-server.ts';
import { httpDiscovery } from './adapters/oauth/metadata.ts';
import { httpRevocation } from './adapters/oauth/revocation-endpoint.ts';
import { httpTokenEndpoint } from './adapters/oauth/token-endpoint.ts';
import { joseSealer } from './adapters/sealing/jose-sealer.ts';
import { joseState } from './adapters/sealing/jose-state.ts';
import { secretsManagerKey } from './adapters/sealing/key-ring.ts';
import { credentials, refreshTokens, secretRemoval } from './adapters/secrets/connection-secrets.ts';
import { type SecretPruning, secretPruning } from './adapters/secrets/dynamodb-pruning.ts';
import { dynamoDbVersions } from './adapters/secrets/dynamodb-versions.ts';
import { withFallback } from './adapters/secrets/fallback-versions.ts';
import { type SecretVersions, secretsManagerVersions } from './adapters/secrets/secrets-manager-versions.ts';
import { systemChance, systemClock } from './adapters/system.ts';
import { cloudWatchTelemetry } from './adapters/telemetry.ts';
import type { DeleteWorld } from './application/delete-connection.ts';
import type { TokenWorld } from './application/get-token.ts';
import type { PlanWorld } from './application/plan.ts';
import type { ConnectionsWorld } from './application/put-connection.ts';
import type { RedeemWorld } from './application/redeem.ts';
import type { TendWorld } from './application/tend.ts';
import { assertRelations } from './domain/limits.ts';
import type { Discovery } from './ports/discovery.ts';
import { providersFrom } from './providers/known-providers.ts';
import { mostSlots } from './providers/profile.ts';

/** The environment variables that the stack sets, by what they are for. */
type Variable =
  | 'TABLE_NAME'
  | 'DUE_INDEX'
  | 'REFRESH_QUEUE_URL'
  | 'SECRET_PREFIX'
  | 'SECRETS_TABLE_NAME'
  | 'SECRETS_KEY_SECRET_ID'
  | 'ACCESS_KEY_SECRET_ID'
  | 'REFRESH_KEY_SECRET_ID'
  | 'STATE_KEY_SECRET_ID'
  | 'EVENT_BUS_NAME';

const isSet = (variable: Variable): boolean => (process.env[variable] ?? '') !== '';

function required(variable: Variable): string {
  const value = process.env[variable] ?? '';
  if (value === '')
    throw new Error(`environment variable ${variable} is not set: the function was not deployed by its stack`);
  return value;
}

/** The local broker sets this: its authorization servers are on this machine. The stack never does. */
export const loopbackAllowed = (): boolean => process.env.ALLOW_LOOPBACK_PROVIDERS === '1';

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const connections = (dueIndexName = '') =>
  dynamoDbConnections(dynamoDb(), { tableName: required('TABLE_NAME'), dueIndexName });
const claims = () => dynamoDbGrantClaims(dynamoDb(), required('TABLE_NAME'));
const queue = () => sqsQueue(sqs(), required('REFRESH_QUEUE_URL'));

const secretsTable = () => ({ client: dynamoDb(), tableName: required('SECRETS_TABLE_NAME') });

/**
 * The connections' own secrets, where the stack says they are: in Secrets Manager, or sealed in a table, behind which Secrets Manager
 * still has those of before. A function that only writes has no use for the latter, and no access to it.
 */
function secretVersions(client: SecretsManagerClient, written?: SecretPruning['written']): SecretVersions {
  const inSecretsManager = () => secretsManagerVersions(client, required('SECRET_PREFIX'));
  if (!isSet('SECRETS_TABLE_NAME')) return inSecretsManager();
  const sealed = dynamoDbVersions(
    secretsTable(),
    secretsManagerKey(client, required('SECRETS_KEY_SECRET_ID')),
    systemClock,
    written,
  );
  return isSet('SECRET_PREFIX') ? withFallback(sealed, inSecretsManager()) : sealed;
}

export const composeToken = (): (() => TokenWorld) =>
  once(() => ({
    clock: systemClock,
    chance: systemChance,
    store: connections(),
    sealer: joseSealer('access', secretsManagerKey(secretsManager(), required('ACCESS_KEY_SECRET_ID')), systemClock),
    queue: queue(),
    telemetry: cloudWatchTelemetry('token'),
    memory: new Map(),
  }));

/** `settled` resolves when what goes on beside the work has ended, which takes seconds at most. */
export const composeRefresh = (): (() => TendWorld & Pick<SecretPruning, 'settled'>) =>
  once(() => {
    assertRelations();
    const client = secretsManager();
    const telemetry = cloudWatchTelemetry('refresh');
    const pruning = isSet('SECRETS_TABLE_NAME') ? secretPruning(secretsTable(), systemClock, telemetry) : undefined;
    const versions = secretVersions(client, pruning?.written);
    const sealer = (purpose: 'access' | 'refresh', secretId: string) =>
      joseSealer(purpose, secretsManagerKey(client, secretId), systemClock);
    return {
      clock: systemClock,
      chance: systemChance,
      store: connections(),
      refreshTokens: refreshTokens(versions),
      credentials: credentials(versions),
      accessSealer: sealer('access', required('ACCESS_KEY_SECRET_ID')),
      refreshSealer: sealer('refresh', required('REFRESH_KEY_SECRET_ID')),
      revocation: httpRevocation({ allowLoopback: loopbackAllowed() }, { clock: systemClock, chance: systemChance }),
      claims: claims(),
      providers: providersFrom(),
      removeSecrets: (connection, slots, mayStill) =>
        secretRemoval(versions).remove(connection, Math.min(slots, mostSlots), mayStill),
      tokenEndpoint: httpTokenEndpoint({ allowLoopback: loopbackAllowed() }),
      queue: queue(),
      breakers: dynamoDbBreakers(dynamoDb(), required('TABLE_NAME')),
      announcer: eventBridgeAnnouncer(eventBridge(), required('EVENT_BUS_NAME')),
      telemetry,
      settled: async () => pruning?.settled(),
    };
  });

export const composePlan = (): (() => PlanWorld) =>
  once(() => ({
    clock: systemClock,
    store: connections(required('DUE_INDEX')),
    queue: queue(),
    telemetry: cloudWatchTelemetry('plan'),
  }));

export const composeConnections = (): (() => ConnectionsWorld & DeleteWorld & { readonly discovery: Discovery }) =>
  once(() => {
    const versions = secretVersions(secretsManager());
    return {
      clock: systemClock,
      chance: systemChance,
      store: connections(),
      refreshTokens: refreshTokens(versions),
      credentials: credentials(versions),
      queue: queue(),
      claims: claims(),
      providers: providersFrom(),
      discovery: httpDiscovery({ allowLoopback: loopbackAllowed() }),
      telemetry: cloudWatchTelemetry('connections'),
    };
  });

export const composeAuthorizations = (): (() => RedeemWorld) =>
  once(() => {
    assertRelations();
    const client = secretsManager();
    const versions = secretVersions(client);
    return {
      clock: systemClock,
      chance: systemChance,
      store: connections(),
      states: joseState(secretsManagerKey(client, required('STATE_KEY_SECRET_ID')), systemClock),
      authorizationServer: httpAuthorizationServer(
        { allowLoopback: loopbackAllowed() },
        { clock: systemClock, chance: systemChance },
      ),
      refreshTokens: refreshTokens(versions),
      credentials: credentials(versions),
      accessSealer: joseSealer('access', secretsManagerKey(client, required('ACCESS_KEY_SECRET_ID')), systemClock),
      queue: queue(),
      telemetry: cloudWatchTelemetry('authorizations'),
      claims: claims(),
      providers: providersFrom(),
    };
  });
