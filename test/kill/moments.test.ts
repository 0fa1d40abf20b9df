/** The moments are recognised by what the adapter writes, so a change of its spelling must not blind the harness. */
import { expect, test } from 'vitest';
import { expressionsOf } from '../../shared/adapters/aws/dynamodb-expressions.ts';
import { commitSuccess } from '../../shared/domain/commit-writes.ts';
import { renewLease } from '../../shared/domain/lease-writes.ts';
import { ask, touch } from '../../shared/domain/use-writes.ts';
import type { Write } from '../../shared/domain/writes.ts';
import { connectionOf, heldOf, now, profileOf } from '../domain/fixtures.ts';
import { taking } from '../holding.ts';
import { momentOf } from './moments.ts';

const seen = { item: connectionOf(), profile: profileOf() };
const { tokens } = seen.item;
if (tokens === undefined) throw new Error('the fixture has a token set');
const commit = { tokens, sealedAccessToken: 's', place: undefined, contested: false, spread: 0 } as never;
const held = heldOf();

const written = (write: Write) => ({
  headers: { 'x-amz-target': 'DynamoDB_20120810.UpdateItem' },
  body: JSON.stringify({ Key: { connection: { S: 'exact-nl' } }, ...expressionsOf(write) }),
});

test.each<[string, Write, string | undefined]>([
  ['a client asks', ask(seen.item, now), 'ask'],
  ['the lease is taken', taking(seen, 'me', now, now), 'acquire'],
  ...commitSuccess(held, commit).map((write): [string, Write, string] => ['a success is committed', write, 'commit']),
  ['a client leaves its mark', touch(now), undefined],
  ['the lease is renewed', renewLease(held, now), undefined],
])('%s', (_, write, moment) => expect(momentOf(written(write))?.at).toBe(moment));
