/** Claims of grants, in the table beside the connections. */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { GrantClaim, GrantClaims, GrantKey } from '../../ports/grant-claims.ts';
import { unavailable } from './unavailable.ts';

export function dynamoDbGrantClaims(client: DynamoDBClient, tableName: string): GrantClaims {
  const keyOf = (key: GrantKey) => ({ TableName: tableName, Key: { connection: { S: key } } });

  async function read(key: GrantKey): Promise<GrantClaim | undefined> {
    const { Item } = await client.send(new GetItemCommand({ ...keyOf(key), ConsistentRead: true }));
    if (Item === undefined) return undefined;
    const { holder, claimId, claimedAt } = unmarshall(Item) as GrantClaim;
    return { holder, claimId, claimedAt };
  }

  return {
    read: (key) => reporting(() => read(key)),

    claim: (key, { holder, claimId, claimedAt }, seen) =>
      reporting(async () => {
        const command = new UpdateItemCommand({
          ...keyOf(key),
          ConditionExpression: seen === undefined ? 'attribute_not_exists(#claimId)' : '#claimId = :seen',
          UpdateExpression: 'SET #holder = :holder, #claimId = :claimId, #claimedAt = :claimedAt',
          ExpressionAttributeNames: { '#holder': 'holder', '#claimId': 'claimId', '#claimedAt': 'claimedAt' },
          ExpressionAttributeValues: marshall({
            ':holder': holder,
            ':claimId': claimId,
            ':claimedAt': claimedAt,
            ...(seen !== undefined && { ':seen': seen.claimId }),
          }),
        });
        if (await wasApplied(() => client.send(command))) return true;
        // The client itself retries when a reply is lost; the id is random, so the same one is our own.
        return (await read(key))?.claimId === claimId;
      }),

    giveBack: (key, { claimId }) =>
      reporting(async () => {
        const command = new DeleteItemCommand({
          ...keyOf(key),
          ConditionExpression: '#claimId = :claimId',
          ExpressionAttributeNames: { '#claimId': 'claimId' },
          ExpressionAttributeValues: { ':claimId': { S: claimId } },
        });
        await wasApplied(() => client.send(command));
      }),
  };
}

async function wasApplied(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

async function reporting<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw unavailable('table', error);
  }
}
