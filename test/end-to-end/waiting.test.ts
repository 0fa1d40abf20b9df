/**
 * Clients that wait for a provider which does not answer, on the bundles that deploy: as many environments as there are
 * of the token function, eight, do not become theirs.
 */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import { dataDirectory } from './synthesized.ts';
import { startSlowProvider, waitingClients } from './waiting-clients.ts';

const directory = dataDirectory(inject('assembly'));
let broker: LocalBroker;
let provider: Awaited<ReturnType<typeof startSlowProvider>>;
let clients: ReturnType<typeof waitingClients>;

async function connect(connection: string, answersAfterMs: number | 'never'): Promise<void> {
  expect(await clients.connect(connection, answersAfterMs)).toBe(201);
}

async function expectAllServedBeside(bad: string): Promise<void> {
  const { waiting, beside } = await clients.sideBySide(bad, 'healthy');
  expect({ waiting: new Set(waiting), beside: new Set(beside) }).toEqual({
    waiting: new Set(['later']),
    beside: new Set(['served']),
  });
}

beforeAll(async () => {
  provider = await startSlowProvider();
  broker = await startLocalBroker({ port: 0, directory, provider: 'none' });
  clients = waitingClients(broker, provider.tokenEndpoint);
  await connect('healthy', 0);
  expect(await clients.get('healthy', 10)).toBe('served');
});

afterAll(async () => {
  await broker.close();
  provider.close();
  rmSync(directory, { recursive: true, force: true });
});

test('two hundred clients at once, a renewal of half a second: all are served, with one call', async () => {
  await connect('quick', 500);
  expect(new Set(await clients.atOnce(200, 'quick', 10))).toEqual(new Set(['served']));
  expect(provider.callsOf('quick')).toBe(1);
});

test('two hundred clients of one that hangs are told when to come again', async () => {
  await connect('hanging', 'never');
  await expect.poll(() => provider.callsOf('hanging'), { timeout: 30_000 }).toBe(1);
  expect(new Set(await clients.atOnce(200, 'hanging', 10))).toEqual(new Set(['later']));
});

test('a healthy connection is served beside clients that wait for one that hangs', async () => {
  await connect('bad', 'never');
  await expect.poll(() => provider.callsOf('bad'), { timeout: 30_000 }).toBe(1);
  await expectAllServedBeside('bad');
});

test('a healthy connection is served beside clients of one whose renewal cannot begin', async () => {
  // Two refreshers are held already; these hold the other six, and wait for more.
  const others = Array.from({ length: 12 }, (_, index) => `other-${index}`);
  await Promise.all(others.map((other) => connect(other, 'never')));
  const held = () => ['hanging', 'bad', ...others].filter((name) => provider.callsOf(name) > 0).length;
  await expect.poll(held, { timeout: 60_000 }).toBe(8);
  await connect('behind', 0);
  await expectAllServedBeside('behind');
  expect(provider.callsOf('behind')).toBe(0);
});
