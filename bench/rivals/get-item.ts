/** The least that a token function on the SDK's defaults does: one strongly consistent read. */
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';

const client = new DynamoDBClient({});

export const handler = async ({ pathParameters: { connection } }: { pathParameters: { connection: string } }) => {
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: process.env.TABLE_NAME,
      Key: { connection: { S: connection } },
      ConsistentRead: true,
    }),
  );
  return { statusCode: 200, body: JSON.stringify(Item) };
};
