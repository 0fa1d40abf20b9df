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
    // The other one ends with the beginning of the reply.
    socketTimeout: limits.storeRequestMs,
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

/**
 * Every operation that the broker uses answers with a JSON object. A reply with nothing in it, as something between the
 * broker and AWS may make it, would read as "there is no such item".
 */
function refusingEmptyReplies<C extends object>(client: C): C {
  // The clients differ in types that do not matter here.
  const { middlewareStack } = client as DynamoDBClient;
  middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { statusCode, headers } = result.response as { statusCode: number; headers: Record<string, string> };
      if (statusCode < 300 && headers['content-length'] === '0')
        throw Object.assign(new Error('an empty reply'), { name: 'EmptyReply', $retryable: {} });
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
  return client;
}

const ours = <C extends DynamoDBClient | SecretsManagerClient | SQSClient | EventBridgeClient>(client: C): C =>
  refusingEmptyReplies(unlogged(client));

export const dynamoDb = (): DynamoDBClient => ours(new DynamoDBClient(options));
export const secretsManager = (): SecretsManagerClient => ours(new SecretsManagerClient(options));
/** Sends to the host of the queue's URL, whatever the endpoint in the environment. */
export const sqs = (): SQSClient => ours(new SQSClient(options));
export const eventBridge = (): EventBridgeClient => ours(new EventBridgeClient(options));
