/** A conditional write in DynamoDB's words. */
import type { UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Clause, Write } from '../../domain/writes.ts';

type Expressions = Pick<
  UpdateItemCommandInput,
  'ConditionExpression' | 'UpdateExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/** `domain/apply.ts` says what a write means; this says it to DynamoDB. A write changes existing items only. */
export function expressionsOf(write: Write): Expressions {
  const words = new ExpressionBuilder();
  const { name, value } = words;
  const section = (keyword: string, actions: readonly string[]): string[] =>
    actions.length === 0 ? [] : [`${keyword} ${actions.join(', ')}`];
  const sets = Object.entries(write.set).filter(([, native]) => native !== undefined);
  const condition = words.condition(write.when);
  const update = [
    ...section('SET', [
      ...sets.map(([path, native]) => `${name(path)} = ${value(native)}`),
      // `ADD` takes top-level attributes only.
      ...Object.entries(write.add ?? {}).map(([path, amount]) => `${name(path)} = ${name(path)} + ${value(amount)}`),
    ]),
    ...section('REMOVE', write.remove.map(name)),
  ].join(' ');
  return { ConditionExpression: condition, UpdateExpression: update, ...words.attributes() };
}

/** That an item is there and all of this holds of it. */
export function conditionOf(when: readonly Clause[]): Omit<Expressions, 'UpdateExpression'> {
  const words = new ExpressionBuilder();
  return { ConditionExpression: words.condition(when), ...words.attributes() };
}

/** Placeholders for names and values, and what stands for what. */
class ExpressionBuilder {
  readonly #placeholders = new Map<string, string>();
  readonly #values: Record<string, unknown> = {};

  readonly name = (path: string): string =>
    path
      .split('.')
      .map((part) => {
        // Numbered, since a part such as the id of a login has characters that no placeholder may have.
        const placeholder = this.#placeholders.get(part) ?? `#n${this.#placeholders.size}`;
        this.#placeholders.set(part, placeholder);
        return placeholder;
      })
      .join('.');

  readonly value = (native: unknown): string => {
    const placeholder = `:v${Object.keys(this.#values).length}`;
    this.#values[placeholder] = native;
    return placeholder;
  };

  condition(when: readonly Clause[]): string {
    // Without it, an update whose clauses all hold of an absent item would bring a deleted connection back.
    return [{ present: 'connection' } as const, ...when].map(this.#clause).join(' AND ');
  }

  attributes(): Pick<Expressions, 'ExpressionAttributeNames' | 'ExpressionAttributeValues'> {
    return {
      ExpressionAttributeNames: Object.fromEntries([...this.#placeholders].map(([part, name]) => [name, part])),
      ...(Object.keys(this.#values).length === 0
        ? {}
        : { ExpressionAttributeValues: marshall(this.#values, { removeUndefinedValues: true }) }),
    };
  }

  readonly #clause = (clause: Clause): string => {
    const { name, value } = this;
    if ('any' in clause) return `(${clause.any.map(this.#clause).join(' OR ')})`;
    if ('present' in clause) return `attribute_exists(${name(clause.present)})`;
    if ('absent' in clause) return `attribute_not_exists(${name(clause.absent)})`;
    const path = name(clause.path);
    if ('equals' in clause) return `${path} = ${value(clause.equals)}`;
    if ('below' in clause) return `${path} < ${value(clause.below)}`;
    if ('atMost' in clause) return `${path} <= ${value(clause.atMost)}`;
    return `${path} > ${value(clause.above)}`;
  };
}
