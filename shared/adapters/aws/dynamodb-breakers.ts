/** Breakers in the connections' table, under keys that no connection can have. */
import { createHash } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Breaker } from '../../domain/breaker.ts';
import { notAConnection } from '../../domain/connection-name.ts';
import type { BreakerStore } from '../../ports/breakers.ts';
import { versionedItems } from './dynamodb-versioned.ts';
import { reportingAs } from './unavailable.ts';

/** Hashed, since an endpoint and a client id together may be longer than a key. */
const keyOf = (application: string) => ({
  connection: `${notAConnection}breaker#${createHash('sha256').update(application).digest('base64url')}`,
});

export function dynamoDbBreakers(client: DynamoDBClient, tableName: string): BreakerStore {
  const items = versionedItems<Breaker>(client, tableName);
  return {
    read: (application) => reportingAs('table', () => items.read(keyOf(application))),
    replace: (breaker) => reportingAs('table', () => items.replace(keyOf(breaker.application), breaker)),
  };
}
