/**
 * Versions of secrets, sealed in a table of their own, which takes more writes a second than Secrets Manager
 * (docs/storage.md).
 */
import { createHmac, hkdfSync } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
} from '@aws-sdk/client-dynamodb';
import { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SecretVersions } from '../../ports/secret-versions.ts';
import { reportingAs } from '../aws/unavailable.ts';
import { open, seal } from '../sealing/jose-sealer.ts';
import { type Key, keyRing, type ReadKey } from '../sealing/key-ring.ts';

export interface SecretsTable {
  readonly client: DynamoDBClient;
  /** Its partition key is `name`, its sort key `versionId`. */
  readonly tableName: string;
}

/** `written` is called with every version that was stored. It must not throw, and is not waited for. */
export function dynamoDbVersions(
  table: SecretsTable,
  readKey: ReadKey,
  clock: Pick<Clock, 'now'>,
  written: (name: string, versionId: string) => void = () => {},
): SecretVersions {
  const { client, tableName } = table;
  const keys = keyRing('secrets', readKey, clock);

  return {
    read: (name, versionId) =>
      reportingAs('secrets', async () => {
        const [{ Item }] = await Promise.all([
          client.send(new GetItemCommand({ TableName: tableName, Key: keyOf(name, versionId), ConsistentRead: true })),
          // A refresher that reads a refresh token will have another one to write. Without the key it must not call.
          keys.ready(),
        ]);
        if (Item === undefined) return undefined;
        return (await open(keys, Item.sealed?.S ?? '', { name, ver: versionId })).reveal();
      }),

    write: (name, versionId, text) =>
      reportingAs('secrets', async () => {
        await keys.ready();
        const digest = digestOf(await keys.current(), name, versionId, text);
        try {
          await client.send(
            new PutItemCommand({
              TableName: tableName,
              Item: {
                ...keyOf(name, versionId),
                sealed: { S: await seal(keys, new Secret(text), { name, ver: versionId }) },
                digest: { S: digest },
                writtenAt: { N: String(clock.now()) },
              },
              // The same text never seals alike, and not every writer may read. The digest tells whether the text is
              // the same.
              ConditionExpression: 'attribute_not_exists(#name) OR #digest = :digest',
              ExpressionAttributeNames: { '#name': 'name', '#digest': 'digest' },
              ExpressionAttributeValues: { ':digest': { S: digest } },
            }),
          );
        } catch (error) {
          if (error instanceof ConditionalCheckFailedException) return false;
          throw error;
        }
        written(name, versionId);
        return true;
      }),

    remove: (name) =>
      reportingAs('secrets', async () => {
        for await (const versions of pagesOf(table, name)) await deleteVersions(table, name, versions);
      }),
  };
}

/** A version without its text. */
export interface Written {
  readonly versionId: string;
  /** Milliseconds since 1970, by the writer's clock. */
  readonly writtenAt: number;
}

/** All versions of a secret in the order of their ids, page by page. */
export async function* pagesOf(
  { client, tableName }: SecretsTable,
  name: string,
  abortSignal?: AbortSignal,
): AsyncGenerator<readonly Written[]> {
  const query = {
    TableName: tableName,
    KeyConditionExpression: '#name = :name',
    ProjectionExpression: '#versionId, #writtenAt',
    ExpressionAttributeNames: { '#name': 'name', '#versionId': 'versionId', '#writtenAt': 'writtenAt' },
    ExpressionAttributeValues: { ':name': { S: name } },
    ConsistentRead: true,
  };
  for await (const { Items = [] } of paginateQuery({ client }, query, ...(abortSignal ? [{ abortSignal }] : []))) {
    yield Items.map(({ versionId, writtenAt }) => ({ versionId: versionId?.S ?? '', writtenAt: Number(writtenAt?.N) }));
  }
}

const deletedAtOnce = 25;

/**
 * Deletes versions, of which some may be gone already, by one request for each, 25 at a time. The SDK repeats what was
 * throttled. No `BatchWriteItem`, since IAM cannot allow it to delete without allowing it to write.
 */
export async function deleteVersions(
  { client, tableName }: SecretsTable,
  name: string,
  versions: readonly Written[],
  abortSignal?: AbortSignal,
): Promise<void> {
  for (let from = 0; from < versions.length; from += deletedAtOnce) {
    const commands = versions
      .slice(from, from + deletedAtOnce)
      .map(({ versionId }) => new DeleteItemCommand({ TableName: tableName, Key: keyOf(name, versionId) }));
    await Promise.all(commands.map((command) => client.send(command, { ...(abortSignal && { abortSignal }) })));
  }
}

const keyOf = (name: string, versionId: string) => ({ name: { S: name }, versionId: { S: versionId } });

/**
 * HMAC-SHA-256 under a key of its own: without it a short secret could be guessed from its digest. Name and version are
 * part of what is digested, so that it tells nothing of equal texts elsewhere.
 */
function digestOf({ bytes }: Key, name: string, versionId: string, text: string): string {
  const key = new Uint8Array(hkdfSync('sha256', bytes, '', 'token-broker secrets digest v1', 32));
  return createHmac('sha256', key)
    .update(JSON.stringify([name, versionId, text]))
    .digest('base64url');
}
