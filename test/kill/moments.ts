/** Recognises, by what goes over the wire, which step of the protocol a function is at. */
import * as v from 'valibot';
import type { Passing } from './proxy.ts';

/**
 * `ask`: a client's request for a refresh is about to be marked and sent. `acquire`: the lease is about to be taken.
 * `call`: the request is at the provider's door. `persist`: the new refresh token is about to be stored. `commit`: the
 * success is about to be committed.
 */
export type Moment = 'ask' | 'acquire' | 'call' | 'persist' | 'commit';

const Update = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    Key: v.object({ connection: v.object({ S: v.string() }) }),
    UpdateExpression: v.string(),
    ExpressionAttributeNames: v.record(v.string(), v.string()),
  }),
);
const Put = v.pipe(v.string(), v.parseJson(), v.object({ SecretId: v.string() }));

/** What of an update expression (`shared/domain/writes.ts`, with its placeholders spelled out) only that write has. */
const marks: readonly (readonly [part: string, moment: Moment])[] = [
  ['askedAt = ', 'ask'],
  [' lease = ', 'acquire'],
  ['generation = generation + ', 'commit'],
];

/** Returns the moment and the connection, or undefined for a request that belongs to no step. */
export function momentOf({
  headers,
  body,
}: Pick<Passing, 'headers' | 'body'>): { readonly at: Moment; readonly connection: string } | undefined {
  switch (String(headers['x-amz-target']).split('.').at(-1)) {
    case 'UpdateItem': {
      const { Key, UpdateExpression, ExpressionAttributeNames: names } = v.parse(Update, body);
      const spelled = UpdateExpression.replaceAll(/#\w+/g, (placeholder) => names[placeholder] ?? placeholder);
      const at = marks.find(([part]) => spelled.includes(part))?.[1];
      return at && { at, connection: Key.connection.S };
    }
    case 'PutSecretValue': {
      const [, connection] = /\/([^/]+)\/refresh-\d+$/.exec(v.parse(Put, body).SecretId) ?? [];
      return connection === undefined ? undefined : { at: 'persist', connection };
    }
    default:
      return undefined;
  }
}
