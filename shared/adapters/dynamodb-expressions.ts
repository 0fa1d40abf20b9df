/** A conditional write in DynamoDB's words. */
import type { UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Clause, Write } from '../domain/writes.ts';

type Expressions = Pick<UpdateItemCommandInput, 'ConditionExpression' | 'UpdateExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>;

/** `domain/apply.ts` says what a write means; here is only how to say it. Whatever the write, it changes existing items only. */
export function expressionsOf(write: Write): Expressions {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};

  const name = (path: string): string =>
    path
      .split('.')
      .map((part) => {
        names[`#${part}`] = part;
        return `#${part}`;
      })
      .join('.');
  const value = (native: unknown): string => {
    const placeholder = `:v${Object.keys(values).length}`;
    values[placeholder] = native;
    return placeholder;
  };
  const condition = (clause: Clause): string => {
    if ('any' in clause) return `(${clause.any.map(condition).join(' OR ')})`;
    if ('present' in clause) return `attribute_exists(${name(clause.present)})`;
    if ('absent' in clause) return `attribute_not_exists(${name(clause.absent)})`;
    const path = name(clause.path);
    if ('equals' in clause) return `${path} = ${value(clause.equals)}`;
    if ('below' in clause) return `${path} < ${value(clause.below)}`;
    if ('atMost' in clause) return `${path} <= ${value(clause.atMost)}`;
    return `${path} > ${value(clause.above)}`;
  };
  const section = (keyword: string, actions: readonly string[]): string[] => (actions.length === 0 ? [] : [`${keyword} ${actions.join(', ')}`]);

  const sets = Object.entries(write.set).filter(([, native]) => native !== undefined);
  const update = [
    ...section(
      'SET',
      sets.map(([path, native]) => `${name(path)} = ${value(native)}`),
    ),
    ...section(
      'ADD',
      Object.entries(write.add ?? {}).map(([path, amount]) => `${name(path)} ${value(amount)}`),
    ),
    ...section('REMOVE', write.remove.map(name)),
  ].join(' ');

  return {
    // Without it an update whose clauses all hold of nothing would bring a deleted connection back.
    ConditionExpression: [condition({ present: 'connection' }), ...write.when.map(condition)].join(' AND '),
    UpdateExpression: update,
    ExpressionAttributeNames: names,
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: marshall(values, { removeUndefinedValues: true }) }),
  };
}
