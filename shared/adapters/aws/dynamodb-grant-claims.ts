/** Claims of grants, in the connections' table, under keys that no connection can have. */
import { DeleteItemCommand, type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { GrantClaim, GrantClaims, GrantKey } from '../../ports/grant-claims.ts';
import { type Attributes, unmarked, writeOnce } from './dynamodb-write.ts';
import { reportingAs } from './unavailable.ts';

export function dynamoDbGrantClaims(client: DynamoDBClient, tableName: string): GrantClaims {
  const keyOf = (key: GrantKey) => ({ TableName: tableName, Key: { connection: { S: key } } });

  async function read(key: GrantKey): Promise<Attributes | undefined> {
    const { Item } = await client.send(new GetItemCommand({ ...keyOf(key), ConsistentRead: true }));
    return Item;
  }

  return {
    read: (key) =>
      reportingAs('table', async () => {
        const item = await read(key);
        if (item === undefined) return undefined;
        const { holder, claimId, claimedAt } = unmarked<GrantClaim>(item);
        return { holder, claimId, claimedAt };
      }),

    claim: (key, { holder, claimId, claimedAt }, seen) =>
      reportingAs('table', async () => {
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
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        const { applied } = await writeOnce<GrantClaim>({
          send: async () => (await client.send(command)).Attributes,
          read: () => read(key),
          // The id is random, and so a mark of its own.
          isMine: (there) => there?.claimId === claimId,
        });
        return applied;
      }),

    giveBack: (key, { claimId }) =>
      reportingAs('table', async () => {
        const command = new DeleteItemCommand({
          ...keyOf(key),
          ConditionExpression: '#claimId = :claimId',
          ExpressionAttributeNames: { '#claimId': 'claimId' },
          ExpressionAttributeValues: { ':claimId': { S: claimId } },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        await writeOnce<GrantClaim>({
          send: async () => (await client.send(command)).Attributes,
          read: () => read(key),
          isMine: (there) => there?.claimId !== claimId,
        });
      }),
  };
}
