import { setImmediate } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { outgrown, prunesAfter, secretPruning } from '../../shared/adapters/secrets/dynamodb-pruning.ts';
import { dynamoDbVersions, type SecretsTable, type Written } from '../../shared/adapters/secrets/dynamodb-versions.ts';
import { limits } from '../../shared/domain/limits.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { versionIdOf } from '../plain.ts';
import { readKey, secretsTableWorld } from './secret-worlds.ts';
import { localClient } from './worlds.ts';

const dayMs = 86_400_000;
const now = 1_800_000_000_000 as EpochMs;
const version = (fence: number): string => versionIdOf('00000000-0000-4000-8000', fence);
/** So many versions, a minute apart, the oldest first; the newest is `ageMs` old. */
const versions = (count: number, ageMs: number): Written[] =>
  Array.from({ length: count }, (_, i) => ({
    versionId: version(i + 1),
    writtenAt: now - ageMs - (count - 1 - i) * 60_000,
  }));
const ids = (all: readonly Written[]) => all.map(({ versionId }) => versionId).sort();

describe('a version is outgrown', () => {
  test('when a hundred are newer, not when ninety-nine are', () => {
    expect(outgrown(versions(100, dayMs), now)).toEqual([]);
    expect(ids(outgrown(versions(101, dayMs), now))).toEqual([version(1)]);
    expect(ids(outgrown(versions(103, dayMs), now))).toEqual([1, 2, 3].map(version));
  });

  test('after a day, not a millisecond earlier, however many are newer', () => {
    const many = versions(300, 0).map(({ versionId }) => ({ versionId, writtenAt: now - dayMs + 1 }));
    expect(outgrown(many, now)).toEqual([]);
    expect(outgrown(many, now + 1)).toHaveLength(200);
  });

  test('by when it was written, whatever its id', () => {
    const backwards = versions(101, dayMs).map(({ writtenAt }, i) => ({ versionId: version(101 - i), writtenAt }));
    expect(ids(outgrown(backwards, now))).toEqual([version(101)]);
  });

  test('in the whole if it is in a part', () => {
    const all = versions(250, dayMs);
    const gone = new Set(ids(outgrown(all, now)));
    for (const part of [all.slice(0, 120), all.slice(130), all.filter((_, i) => i % 2 === 0)]) {
      expect(ids(outgrown(part, now)).filter((id) => !gone.has(id))).toEqual([]);
    }
  });
});

describe('pruning comes now and then', () => {
  test('by the fencing token that ends the version id', () => {
    expect([60, 61, 62, 122, 610].map((fence) => prunesAfter(version(fence)))).toEqual([
      false,
      true,
      false,
      true,
      true,
    ]);
    expect(prunesAfter(versionIdOf('ffffffff-ffff-4fff-8fff', 61))).toBe(true);
  });

  test('to every slot, also where slot and fencing token go up in step', () => {
    for (let slots = 1; slots <= limits.slots; slots += 1) {
      const fences = Array.from({ length: 61 * slots }, (_, i) => i + 1);
      expect(new Set(fences.filter((fence) => prunesAfter(version(fence))).map((fence) => fence % slots)).size).toBe(
        slots,
      );
    }
  });
});

describe('the table', () => {
  let world: Awaited<ReturnType<typeof secretsTableWorld>>;
  beforeAll(async () => {
    world = await secretsTableWorld();
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => world.close());

  const warned: unknown[] = [];
  const pruningOf = (table: SecretsTable) =>
    secretPruning(table, { now: () => now }, { warn: (event, fields) => warned.push([event, fields]) });
  const put = (name: string, { versionId, writtenAt }: Written) =>
    world.table.client.send(
      new PutItemCommand({
        TableName: world.table.tableName,
        Item: { name: { S: name }, versionId: { S: versionId }, writtenAt: { N: String(writtenAt) } },
      }),
    );
  const left = async (name: string): Promise<string[]> => {
    const { Items = [] } = await world.table.client.send(
      new ScanCommand({ TableName: world.table.tableName, ConsistentRead: true }),
    );
    return Items.filter((item) => item.name?.S === name).map((item) => item.versionId?.S ?? '');
  };

  test('keeps the newest hundred and those of a day, of the name that was written', async () => {
    const [name, other] = ['exact/refresh-0', 'exact/refresh-1'];
    const [old, young] = [versions(150, dayMs), [version(183)]];
    for (const one of old) await Promise.all([put(name, one), put(other, one)]);
    const pruning = pruningOf(world.table);
    const store = dynamoDbVersions(world.table, readKey, { now: () => now }, pruning.written);
    await store.write(name, version(182), 'text');
    await pruning.settled();
    expect(await left(name)).toHaveLength(151);
    await store.write(name, version(183), 'text');
    await pruning.settled();
    // Two are young, and ninety-eight of the old ones are among the newest hundred.
    expect((await left(name)).sort()).toEqual([...ids(old.slice(-98)), version(182), ...young].sort());
    expect(await left(other)).toHaveLength(150);
    expect(await store.read(name, version(183))).toBe('text');
    expect(warned).toEqual([]);
  });

  test('takes a write whatever becomes of the pruning: one that hangs is not waited for, one that fails is told', async () => {
    const client = new DynamoDBClient(localClient(world.url));
    let hanging: (() => void) | undefined;
    client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName !== 'QueryCommand') return next(args);
        await new Promise<void>((resolve) => {
          hanging = resolve;
        });
        throw Object.assign(new Error('the text a-refresh-token'), { name: 'ThrottlingException' });
      },
      { step: 'initialize' },
    );
    const table = { ...world.table, client };
    const pruning = pruningOf(table);
    expect(
      await dynamoDbVersions(table, readKey, { now: () => now }, pruning.written).write(
        'hanging/refresh-0',
        version(61),
        'text',
      ),
    ).toBe(true);
    expect(warned).toEqual([]);
    hanging?.();
    await pruning.settled();
    expect(warned.splice(0)).toEqual([
      [
        'prune_failed',
        {
          secret: 'hanging/refresh-0',
          error: expect.objectContaining({ message: 'secrets unavailable', cause: new Error('ThrottlingException') }),
        },
      ],
    ]);
    client.destroy();
  });

  test('is read for eight pages at most, and asked to delete 25 versions at a time', async () => {
    const client = new DynamoDBClient(localClient(world.url));
    const [page, sent, underWay] = [
      versions(40, dayMs),
      { QueryCommand: 0, DeleteItemCommand: 0 },
      { now: 0, most: 0 },
    ];
    client.middlewareStack.add(
      (_next, context) => async () => {
        const command = context.commandName as keyof typeof sent;
        sent[command] += 1;
        underWay.now += 1;
        underWay.most = Math.max(underWay.most, underWay.now);
        await setImmediate();
        underWay.now -= 1;
        const Items = page.map(({ writtenAt }, i) => ({
          versionId: { S: version(sent.QueryCommand * 100 + i) },
          writtenAt: { N: String(writtenAt) },
        }));
        // There is always a page more.
        return {
          response: {},
          output: {
            $metadata: {},
            ...(command === 'QueryCommand' && { Items, LastEvaluatedKey: { name: { S: 'x' } } }),
          },
        } as never;
      },
      { step: 'initialize' },
    );
    const pruning = pruningOf({ ...world.table, client });
    pruning.written('endless/refresh-0', version(61));
    await pruning.settled();
    expect(warned.splice(0)).toEqual([]);
    expect(sent).toEqual({ QueryCommand: 8, DeleteItemCommand: 8 * 40 - 100 });
    expect(underWay.most).toBe(25);
  });

  test('is left as it is when the time for pruning is over', async () => {
    for (const one of versions(150, dayMs)) await put('late/refresh-0', one);
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      expect(ms).toBe(3_000);
      return AbortSignal.abort();
    });
    const pruning = pruningOf(world.table);
    pruning.written('late/refresh-0', version(61));
    await pruning.settled();
    expect(warned.splice(0)).toMatchObject([['prune_failed', { error: { cause: { message: 'AbortError' } } }]]);
    expect(await left('late/refresh-0')).toHaveLength(150);
  });

  test('is not pruned after a version that was refused', async () => {
    const pruned: string[] = [];
    const store = dynamoDbVersions(world.table, readKey, { now: () => now }, (name, versionId) =>
      pruned.push(`${name} ${versionId}`),
    );
    await store.write('told/refresh-0', version(61), 'text');
    await store.write('told/refresh-0', version(61), 'another');
    expect(pruned).toEqual([`told/refresh-0 ${version(61)}`]);
  });
});
