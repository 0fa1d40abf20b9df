/**
 * What a function gets of a resource: what its environment calls it, and what may be done to it. One value holds both,
 * so that a variable without a grant, or a grant that nothing names, cannot come about.
 */
import { ArnFormat, type Stack, Token } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Variable } from '../../shared/environment.ts';
import type { SealedSecrets } from '../state-stack.ts';

export interface FunctionBinding {
  readonly environment: Partial<Readonly<Record<Variable, string>>>;
  readonly statements: readonly PolicyStatement[];
  /** Findings of cdk-nag that are meant to be so, and why. */
  readonly acknowledge?: readonly { readonly id: string; readonly reason: string }[];
}

const allow = (resource: string, ...actions: string[]): PolicyStatement =>
  new PolicyStatement({ actions, resources: [resource] });

/** Single items of the table, by the named operations only; its indexes are not included. */
export const items = (
  table: Table,
  ...operations: ('GetItem' | 'BatchGetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem')[]
): FunctionBinding => ({
  environment: { TABLE_NAME: table.tableName },
  statements: [allow(table.tableArn, ...operations.map((operation) => `dynamodb:${operation}`))],
});

/** Removal of claims of grants, items of the same table whose keys begin with this; no connection's name does. */
export const claimRemoval = (table: Table): FunctionBinding => ({
  environment: {},
  statements: [
    new PolicyStatement({
      actions: ['dynamodb:DeleteItem'],
      resources: [table.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['#grant#*'] } },
    }),
  ],
});

/** Queries of one index: keys, and nothing else of an item. */
export const indexKeys = (
  table: Table,
  variable: Extract<Variable, `${string}_INDEX`>,
  index: string,
): FunctionBinding => ({
  environment: { TABLE_NAME: table.tableName, [variable]: index },
  statements: [allow(`${table.tableArn}/index/${index}`, 'dynamodb:Query')],
});

export const sendTo = (queue: IQueue): FunctionBinding => ({
  environment: { REFRESH_QUEUE_URL: queue.queueUrl },
  statements: [allow(queue.queueArn, 'sqs:SendMessage')],
});

export const announceOn = (bus: EventBus): FunctionBinding => ({
  environment: { EVENT_BUS_NAME: bus.eventBusName },
  statements: [allow(bus.eventBusArn, 'events:PutEvents')],
});

/** Values that need no grant; those that are undefined are left out. */
export const told = (values: { readonly [V in Variable]?: string | undefined }): FunctionBinding => ({
  environment: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
  statements: [],
});

export const sealingKey = (variable: Extract<Variable, `${string}_KEY_SECRET_ID`>, key: Secret): FunctionBinding => ({
  environment: { [variable]: key.secretArn },
  statements: [allow(key.secretArn, 'secretsmanager:GetSecretValue')],
});

/** Each matches a secret's name with the hyphen and six characters that end its ARN, and, before it exists, without. */
const kinds = { refresh: 'refresh-*', client: 'client*' } as const;
type SecretKind = keyof typeof kinds;

/** What a function may do with which kinds of the connections' own secrets. */
export type MayOfSecrets = Readonly<Record<'read' | 'write' | 'remove', readonly SecretKind[]>>;

/**
 * The connections' own secrets, `<prefix><connection>/refresh-<slot>` and `<prefix><connection>/client`. They come and
 * go with the connections, so they are granted by name. A connection's name has no slash, so neither pattern matches
 * the other kind.
 */
export function connectionSecrets(stack: Stack, prefix: string, may: MayOfSecrets): FunctionBinding {
  const granted = [
    // A secret that was deleted keeps its name for days. A connection that takes the name again restores the secret
    // when it writes, and when it reads, in case the secret was deleted only after it was written. Without that right
    // the connection would be stuck until the days are over.
    ...may.read.map((kind) => ({ name: `${prefix}*/${kinds[kind]}`, actions: ['GetSecretValue', 'RestoreSecret'] })),
    ...may.write.map((kind) => ({
      name: `${prefix}*/${kinds[kind]}`,
      actions: ['CreateSecret', 'PutSecretValue', ...(may.read.includes(kind) ? [] : ['RestoreSecret'])],
    })),
    ...may.remove.map((kind) => ({ name: `${prefix}*/${kinds[kind]}`, actions: ['DeleteSecret'] })),
  ];
  const arn = (resourceName: string): string =>
    stack.formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  // cdk-nag names a resource as the template does: with the stack's account and Region, or with what stands for them.
  const [region, account] = [stack.region, stack.account].map((value, i) =>
    Token.isUnresolved(value) ? ['<AWS::Region>', '<AWS::AccountId>'][i] : value,
  );
  return {
    environment: { SECRET_PREFIX: prefix },
    statements: granted.map(({ name, actions }) =>
      allow(arn(name), ...actions.map((action) => `secretsmanager:${action}`)),
    ),
    acknowledge: granted.map(({ name }) => ({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:${region}:${account}:secret:${name}]`,
      reason: 'Secrets come and go with connections, at run time: they are granted by prefix and kind.',
    })),
  };
}

/** Partition keys by kind. A connection's name has no slash, so here too neither pattern matches the other kind. */
const partitionsOf: Readonly<Record<SecretKind, string>> = { refresh: '*/refresh-*', client: '*/client' };

/**
 * A write in a transaction names no `ReturnValues`, so a condition on them does not keep it from asking for the item
 * that refused it.
 */
const onlyAlone = (table: Table, operation: string): PolicyStatement =>
  new PolicyStatement({
    effect: Effect.DENY,
    actions: [`dynamodb:${operation}`],
    resources: [table.tableArn],
    conditions: { StringEquals: { 'dynamodb:EnclosingOperation': 'TransactWriteItems' } },
  });

/**
 * The same secrets, sealed in a table: granted by item, with the key that opens all of them. Secrets Manager may still
 * hold secrets written before the switch, which are read and removed, and not written any more.
 */
export function sealedSecrets(
  stack: Stack,
  { table, key }: SealedSecrets,
  prefix: string,
  may: MayOfSecrets,
): FunctionBinding {
  const onItems = (kindsOfItems: readonly SecretKind[], ...operations: string[]): PolicyStatement[] =>
    kindsOfItems.length === 0
      ? []
      : [
          new PolicyStatement({
            actions: operations.map((operation) => `dynamodb:${operation}`),
            resources: [table.tableArn],
            conditions: {
              'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': kindsOfItems.map((kind) => partitionsOf[kind]) },
              // A write could ask for the item that it replaces, or that refused it, and its function has the key.
              ...(operations.includes('PutItem') && { StringEqualsIfExists: { 'dynamodb:ReturnValues': 'NONE' } }),
            },
          }),
        ];
  const sealing = sealingKey('SECRETS_KEY_SECRET_ID', key);
  const earlier =
    may.read.length + may.remove.length === 0 ? undefined : connectionSecrets(stack, prefix, { ...may, write: [] });
  return {
    environment: { SECRETS_TABLE_NAME: table.tableName, ...sealing.environment, ...earlier?.environment },
    statements: [
      ...onItems(may.read, 'GetItem'),
      ...onItems(may.write, 'PutItem'),
      ...(may.write.length === 0 ? [] : [onlyAlone(table, 'PutItem')]),
      ...onItems(may.remove, 'Query', 'DeleteItem'),
      ...sealing.statements,
      ...(earlier?.statements ?? []),
    ],
    acknowledge: earlier?.acknowledge ?? [],
  };
}
