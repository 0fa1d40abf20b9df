/** What the functions ask of AWS, seen between them and the endpoints. */
import { startProxy } from '../kill/proxy.ts';
import type { Call } from './policies.ts';

/** A call, and the function that made it. */
export interface RecordedCall extends Call {
  readonly by: string;
}

/** The names of the resources, as the reader of templates writes them. */
export interface Names {
  readonly tables: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly queue: string;
  readonly bus: string;
}

/** The partition keys of the tables. */
const partitionKeys = ['connection', 'name'];

/** Puts a recorder before an endpoint, and returns where it is. `by` tells who is at work. */
export async function recording(
  url: string,
  names: Names,
  by: () => string,
  calls: RecordedCall[],
): Promise<{ readonly url: string; close(): Promise<void> }> {
  return startProxy(url, async ({ headers, body }, forward) => {
    const [service = '', operation = ''] = String(headers['x-amz-target']).split('.');
    calls.push({ by: by(), ...callOf(service, operation, JSON.parse(body), names) });
    return forward();
  });
}

type Place = Readonly<Record<string, { readonly S?: string }>>;
type Input = Readonly<Record<string, never>>;

function callOf(service: string, operation: string, input: Input, names: Names): Call {
  if (service.startsWith('DynamoDB')) return tableCall(operation, input, names);
  if (service === 'secretsmanager') return secretCall(operation, input, names);
  const known: Readonly<Record<string, Call>> = {
    'AmazonSQS.SendMessage': { action: 'sqs:SendMessage', resource: names.queue, context: {} },
    // A batch is allowed by the right to send one.
    'AmazonSQS.SendMessageBatch': { action: 'sqs:SendMessage', resource: names.queue, context: {} },
    'AWSEvents.PutEvents': { action: 'events:PutEvents', resource: names.bus, context: {} },
  };
  const call = known[`${service}.${operation}`];
  if (call === undefined) throw new Error(`${service}.${operation} is unknown here`);
  return call;
}

function tableCall(operation: string, input: Input, { tables }: Names): Call {
  // Further operations name several tables, or have condition keys of their own.
  if (!['GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'].includes(operation))
    throw new Error(`DynamoDB.${operation} is unknown here`);
  const { TableName, RequestItems, IndexName, Key, Item, ReturnValues, ExpressionAttributeValues } = input;
  // A batch here is of one table.
  const table = tables[String(TableName ?? Object.keys(RequestItems ?? {}))];
  if (table === undefined) throw new Error(`the table ${TableName} is unknown here`);
  const batches = Object.values<{ readonly Keys?: readonly Place[] }>(RequestItems ?? {});
  const places: readonly Place[] = [Key ?? Item ?? {}, ...batches.flatMap(({ Keys = [] }) => Keys)];
  const keys = places.flatMap((place) => partitionKeys.flatMap((key) => place[key]?.S ?? []));
  const queried =
    operation === 'Query'
      ? Object.values<{ S?: string }>(ExpressionAttributeValues ?? {}).flatMap(({ S }) => S ?? [])
      : [];
  return {
    action: `dynamodb:${operation}`,
    resource: IndexName === undefined ? table : `${table}/index/${IndexName}`,
    context: {
      'dynamodb:LeadingKeys': [...keys, ...queried.slice(0, 1)],
      ...(ReturnValues !== undefined && { 'dynamodb:ReturnValues': [ReturnValues] }),
    },
  };
}

function secretCall(operation: string, input: Input, { secrets }: Names): Call {
  const id = String(input.SecretId ?? input.Name);
  // An ARN ends with a hyphen and six characters, once the secret exists.
  const end = operation === 'CreateSecret' ? '' : '-a1B2c3';
  const arn = `arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:${id}${end}`;
  return { action: `secretsmanager:${operation}`, resource: secrets[id] ?? arn, context: {} };
}
