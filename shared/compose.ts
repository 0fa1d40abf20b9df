/**
 * The one place that wires ports to adapters, from the environment variables that the stack sets. Each function
 * composes what it needs and no more, while it starts, when it has a whole core: an invocation has the share that its
 * memory brings. Nothing is read or sent then, since what waits for an answer can be frozen half-way.
 */

import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { dynamoDb, eventBridge, secretsManager, sqs } from './adapters/aws/clients.ts';
import { dynamoDbBreakers } from './adapters/aws/dynamodb-breakers.ts';
import { dynamoDbCanary } from './adapters/aws/dynamodb-canary.ts';
import { dynamoDbConnections } from './adapters/aws/dynamodb-connections.ts';
import { dynamoDbDirectory } from './adapters/aws/dynamodb-directory.ts';
import { dynamoDbGrantClaims } from './adapters/aws/dynamodb-grant-claims.ts';
import { eventBridgeAnnouncer } from './adapters/aws/eventbridge-announcer.ts';
import { sqsQueue } from './adapters/aws/sqs-queue.ts';
import { httpAuthorizationServer } from './adapters/oauth/authorization-server.ts';
import { httpDiscovery } from './adapters/oauth/metadata.ts';
import { httpRevocation } from './adapters/oauth/revocation-endpoint.ts';
import { httpTokenEndpoint } from './adapters/oauth/token-endpoint.ts';
import { joseSealer } from './adapters/sealing/jose-sealer.ts';
import { secretsManagerKey } from './adapters/sealing/key-ring.ts';
import { loginSealer } from './adapters/sealing/login-sealer.ts';
import { credentials, refreshTokens, secretRemoval } from './adapters/secrets/connection-secrets.ts';
import { type SecretPruning, secretPruning } from './adapters/secrets/dynamodb-pruning.ts';
import { dynamoDbVersions } from './adapters/secrets/dynamodb-versions.ts';
import { withFallback } from './adapters/secrets/fallback-versions.ts';
import { secretsManagerVersions } from './adapters/secrets/secrets-manager-versions.ts';
import { systemChance, systemClock } from './adapters/system.ts';
import { cloudWatchTelemetry } from './adapters/telemetry.ts';
import type { DeleteWorld } from './application/delete-connection.ts';
import type { TokenWorld } from './application/get-token.ts';
import type { PlanWorld } from './application/plan.ts';
import type { ConnectionsWorld } from './application/put-connection.ts';
import type { RedeemWorld } from './application/redeem.ts';
import type { TendWorld } from './application/tend.ts';
import type { CanaryWorld } from './canary/serve.ts';
import { assertRelations } from './domain/limit-relations.ts';
import { loopbackAllowed, optional, required } from './environment.ts';
import type { BreakerStore } from './ports/breakers.ts';
import type { ConnectionRequests } from './ports/connection-requests.ts';
import type { ConnectionDirectory } from './ports/connections.ts';
import type { SecretVersions } from './ports/secret-versions.ts';
import { connectionRequests } from './providers/connection-requests.ts';
import { providersFrom } from './providers/known-providers.ts';
import { providersSpeaking } from './providers/resolved-providers.ts';

/** What is composed does not begin anything by itself: a function that is frozen while it starts goes on from there. */
function composed<T>(make: () => T): () => T {
  assertRelations();
  const world = make();
  return () => world;
}

const connections = () => dynamoDbConnections(dynamoDb(), { tableName: required('TABLE_NAME') });
const claims = () => dynamoDbGrantClaims(dynamoDb(), required('TABLE_NAME'));
const telemetryOf = (service: string) => cloudWatchTelemetry(service, required('DEPLOYMENT'));
const queue = () => sqsQueue(sqs(), required('REFRESH_QUEUE_URL'));

const secretsTable = () => ({ client: dynamoDb(), tableName: required('SECRETS_TABLE_NAME') });

/**
 * The connections' own secrets, where the stack says they are: in Secrets Manager, or sealed in a table, behind which
 * Secrets Manager still holds secrets written before the switch. A function that only writes needs no access to those.
 */
function secretVersions(client: SecretsManagerClient, written?: SecretPruning['written']): SecretVersions {
  const inSecretsManager = () => secretsManagerVersions(client, required('SECRET_PREFIX'));
  if (optional('SECRETS_TABLE_NAME') === undefined) return inSecretsManager();
  const sealed = dynamoDbVersions(
    secretsTable(),
    secretsManagerKey(client, required('SECRETS_KEY_SECRET_ID')),
    systemClock,
    written,
  );
  return optional('SECRET_PREFIX') === undefined ? sealed : withFallback(sealed, inSecretsManager());
}

const directoryOf = () =>
  composed(() =>
    dynamoDbDirectory(dynamoDb(), { tableName: required('TABLE_NAME'), nameIndexName: required('NAME_INDEX') }),
  );

export const composeToken = (): (() => TokenWorld) =>
  composed(() => ({
    clock: systemClock,
    chance: systemChance,
    store: connections(),
    sealer: joseSealer('access', secretsManagerKey(secretsManager(), required('ACCESS_KEY_SECRET_ID')), systemClock),
    queue: queue(),
    telemetry: telemetryOf('token'),
    memory: new Map(),
  }));

/** `settled` resolves when what goes on beside the work has ended, which takes seconds at most. */
export const composeRefresh = (): (() => TendWorld & Pick<SecretPruning, 'settled'>) =>
  composed(() => {
    const client = secretsManager();
    const telemetry = telemetryOf('refresh');
    const pruning =
      optional('SECRETS_TABLE_NAME') === undefined ? undefined : secretPruning(secretsTable(), systemClock, telemetry);
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
      secretRemoval: secretRemoval(versions),
      tokenEndpoint: httpTokenEndpoint({ allowLoopback: loopbackAllowed() }),
      queue: queue(),
      breakers: dynamoDbBreakers(dynamoDb(), required('TABLE_NAME')),
      announcer: eventBridgeAnnouncer(eventBridge(), {
        eventBusName: required('EVENT_BUS_NAME'),
        source: required('DEPLOYMENT'),
      }),
      telemetry,
      settled: async () => pruning?.settled(),
    };
  });

export const composePlan = (): (() => PlanWorld) =>
  composed(() => ({
    clock: systemClock,
    store: dynamoDbConnections(dynamoDb(), {
      tableName: required('TABLE_NAME'),
      dueIndexName: required('DUE_INDEX'),
    }),
    queue: queue(),
    telemetry: telemetryOf('plan'),
    line: new Map(),
  }));

function readsNoReply(): never {
  throw new Error('the function connections reads no replies of token endpoints');
}

export const composeConnections = (): (() => ConnectionsWorld &
  DeleteWorld & {
    readonly requests: ConnectionRequests;
    readonly directory: ConnectionDirectory;
    readonly breakers: Pick<BreakerStore, 'read'>;
  }) =>
  composed(() => {
    const versions = secretVersions(secretsManager());
    const directory = directoryOf();
    return {
      clock: systemClock,
      chance: systemChance,
      store: connections(),
      breakers: dynamoDbBreakers(dynamoDb(), required('TABLE_NAME')),
      // A deployment replaces code and environment one after the other: what does not list goes on in between.
      directory: { list: (...page) => directory().list(...page) },
      refreshTokens: refreshTokens(versions),
      credentials: credentials(versions),
      queue: queue(),
      claims: claims(),
      // No reply of a token endpoint is read here, and the parsers stay out of the bundle.
      providers: providersSpeaking(readsNoReply),
      requests: connectionRequests({ allowLoopback: loopbackAllowed() }),
      discovery: httpDiscovery({ allowLoopback: loopbackAllowed() }),
      telemetry: telemetryOf('connections'),
    };
  });

export const composeAuthorizations = (): (() => RedeemWorld) =>
  composed(() => {
    const client = secretsManager();
    const versions = secretVersions(client);
    return {
      clock: systemClock,
      chance: systemChance,
      store: connections(),
      logins: loginSealer(secretsManagerKey(client, required('STATE_KEY_SECRET_ID')), systemClock),
      authorizationServer: httpAuthorizationServer(
        { allowLoopback: loopbackAllowed() },
        { clock: systemClock, chance: systemChance },
      ),
      refreshTokens: refreshTokens(versions),
      credentials: credentials(versions),
      accessSealer: joseSealer('access', secretsManagerKey(client, required('ACCESS_KEY_SECRET_ID')), systemClock),
      queue: queue(),
      telemetry: telemetryOf('authorizations'),
      claims: claims(),
      providers: providersFrom(),
    };
  });

export const composeCanary = (): (() => CanaryWorld) =>
  composed(() => ({
    clock: systemClock,
    chance: systemChance,
    store: dynamoDbCanary(dynamoDb(), required('TABLE_NAME')),
    tokenEndpoint: required('TOKEN_ENDPOINT'),
  }));
