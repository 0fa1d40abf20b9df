/** AWS clients. Region, credentials and endpoint come from the environment, as on Lambda. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { limits } from '../../domain/limits.ts';
import { defaultProvider } from './credentials.ts';

/**
 * By default the SDK waits for ever, and without `throwOnRequestTimeout` it only logs a warning when a limit is passed.
 */
const options = {
  credentials: defaultProvider(),
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: limits.storeConnectMs,
    requestTimeout: limits.storeRequestMs,
    throwOnRequestTimeout: true,
  },
};

/**
 * The SDK's logger middleware makes a copy of everything that is sent and received, secrets included, for a logger that
 * the broker does not give it.
 */
function unlogged<C extends { readonly middlewareStack: { remove(name: string): boolean } }>(client: C): C {
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}

export const dynamoDb = (): DynamoDBClient => unlogged(new DynamoDBClient(options));
export const secretsManager = (): SecretsManagerClient => unlogged(new SecretsManagerClient(options));
/** Sends to the host of the queue's URL, whatever the endpoint in the environment. */
export const sqs = (): SQSClient => unlogged(new SQSClient(options));
export const eventBridge = (): EventBridgeClient => unlogged(new EventBridgeClient(options));
