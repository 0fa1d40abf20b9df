/** What is told of a report that the provider refused a token: never the token, nor a part of it. */
import { expect, test } from 'vitest';
import { rejectToken, type TokenWorld } from '../../shared/application/get-token.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { connectionOf, now, tokenSetOf } from '../domain/fixtures.ts';

const item = connectionOf({ tokens: tokenSetOf() });

function worldOf(token: string) {
  const told: unknown[] = [];
  const tell = (event: string, fields: object) => void told.push({ event, ...fields });
  const world = {
    clock: { now: () => now, sleep: async () => undefined },
    chance: { next: () => 0.5 },
    store: { read: async () => item, apply: async () => ({ applied: true, item }) },
    sealer: { warm: async () => undefined, open: async () => new Secret(token) },
    queue: { send: async () => undefined },
    telemetry: { info: tell, warn: tell, error: tell, count: () => undefined },
    memory: new Map(),
  };
  return { world: world as unknown as TokenWorld, told };
}

test.each([
  ['whole', 'The token abc.defg.hij1 is not valid'],
  ['in upper case', 'Token ABC.DEFG.HIJ1 expired'],
  ['its signature alone', 'bad signature: hij1'],
  ['its header and payload', 'could not read abc.defg'],
])('a report that quotes it %s', async (_, detail) => {
  const { world, told } = worldOf('abc.defg.hij1');
  await rejectToken(world, item.connection, { generation: item.generation, status: 401, detail }, 0);
  expect(told).toMatchObject([{ event: 'token_rejected', status: 401, detail: expect.stringContaining('[redacted]') }]);
  expect(JSON.stringify(told).toLowerCase()).not.toMatch(/abc|defg|hij1/);
});
