/** AWS clients. Region, credentials and endpoint come from the environment, as on Lambda. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { limits } from '../../domain/limits.ts';

/**
 * By default the SDK waits for ever, and without `throwOnRequestTimeout` it only logs a warning when a limit is passed.
 */
const options = {
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: limits.storeConnectMs,
    requestTimeout: limits.storeRequestMs,
    throwOnRequestTimeout: true,
  },
};

export const dynamoDb = (): DynamoDBClient => new DynamoDBClient(options);
export const secretsManager = (): SecretsManagerClient => new SecretsManagerClient(options);
/** Sends to the host of the queue's URL, whatever the endpoint in the environment. */
export const sqs = (): SQSClient => new SQSClient(options);
export const eventBridge = (): EventBridgeClient => new EventBridgeClient(options);
