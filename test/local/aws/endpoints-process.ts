/**
 * A process that serves the local endpoints from the directory it is given, for a test to kill. Its one line of output
 * says where.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startDynamoDb } from '../../../local/aws/dynamodb/dynamodb.ts';
import { startEventBridge } from '../../../local/aws/eventbridge/eventbridge.ts';
import { startSecretsManager } from '../../../local/aws/secrets-manager/secrets-manager.ts';
import { startSqs } from '../../../local/aws/sqs/sqs.ts';

const directory = process.argv[2] ?? '.';
const database = new DatabaseSync(join(directory, 'aws.sqlite'));
const [secretsManager, sqs, eventBridge, dynamoDb] = await Promise.all([
  startSecretsManager({ database }),
  startSqs({ database }),
  startEventBridge({ database }),
  startDynamoDb({ directory: join(directory, 'dynamodb') }),
]);
console.log(
  JSON.stringify({
    secretsManager: secretsManager.url,
    queue: sqs.createQueue('refresh'),
    eventBridge: eventBridge.url,
    events: eventBridge.events('default').length,
    dynamoDb: dynamoDb.url,
  }),
);
