/** Each operation call by call: how many, in how many trips, what they cost, and what the broker's own work adds. */
import { join } from 'node:path';
import { limits } from '../shared/domain/limits.ts';
import { bundle } from './bundles.ts';
import { bodyFor, get, lifetimeSeconds, startProvider } from './connections.ts';
import { chartOf, ratio, shown, tableOf } from './figures.ts';
import { type Counted, dollarsOf } from './money.ts';
import type { Part, Surroundings } from './parts.ts';
import { eventOf, messageFor, type Passed, type Stage } from './stage.ts';
import { type Item, writeUnits } from './write-units.ts';

/** AWS answers so much later, so that what is asked for side by side shows; the provider takes longer. */
const latencyMs = 50;
const providerMs = 200;

interface Operation extends Counted {
  readonly title: string;
  /** The same calls, those that are made at once together. */
  readonly trips: readonly (readonly Passed[])[];
}

/**
 * Groups calls: one that begins when another has ended had to wait for it. The promised look at the lease's end is sent
 * beside what follows, which does not wait for it.
 */
function tripsOf(calls: readonly Passed[]): Passed[][] {
  const trips: Passed[][] = [];
  for (const call of calls.toSorted((a, b) => a.beganAt - b.beganAt)) {
    const last = trips.at(-1);
    const waited = last?.some((before) => before.call !== 'SendMessage' && before.endedAt <= call.beganAt) ?? true;
    if (waited) trips.push([call]);
    else last?.push(call);
  }
  return trips;
}

/** Units of the items that the calls write, told by the replies; of strong reads, a unit for each begun 4 KB. */
async function unitsOf(stage: Stage, name: string, act: () => Promise<unknown>) {
  let before = await stage.read(name);
  const calls = await stage.calls(act);
  let [writes, reads] = [0, 0];
  for (const { call, reply, body } of calls) {
    const parsed = JSON.parse(reply.body === '' ? '{}' : reply.body) as { Attributes?: Item; Item?: Item };
    if (call === 'GetItem') reads += 1;
    if (call === 'PutItem') writes += writeUnits(undefined, (JSON.parse(body) as { Item: Item }).Item);
    if (call === 'DeleteItem') writes += writeUnits(before, undefined);
    if (call !== 'UpdateItem') continue;
    writes += writeUnits(before, parsed.Attributes ?? before);
    before = parsed.Attributes ?? before;
  }
  return { calls, writeUnits: writes, readUnits: reads };
}

/** Measures operations on one connection. */
async function open(stage: Stage) {
  const provider = await startProvider(stage, providerMs);
  const environments = {
    connections: await stage.start('connections', { moved: true }),
    refresh: await stage.start('refresh', { moved: true }),
    token: await stage.start('token', { moved: true }),
  };
  const measured: Operation[] = [];
  return {
    measured,
    body: bodyFor(provider.tokenEndpoint),
    put: (name: string, body: object) =>
      environments.connections.invoke(eventOf('PUT /connections/{connection}', name, body)),
    remove: (name: string) => environments.connections.invoke(eventOf('DELETE /connections/{connection}', name)),
    renew: (name: string) => environments.refresh.invoke(messageFor(name)),
    get: (name: string) => get(environments.token, name),
    async measure(title: string, name: string, act: () => Promise<unknown>): Promise<Operation> {
      const counted = await unitsOf(stage, name, act);
      const operation = { title, ...counted, trips: tripsOf(counted.calls) };
      measured.push(operation);
      return operation;
    },
    async close(): Promise<void> {
      for (const environment of Object.values(environments)) await environment.end();
      await provider.close();
    },
  };
}

/** Renewals, each followed by the same calls made bare, and how much longer the renewals took. */
async function renewals(
  { stage, directory, rounds }: Surroundings,
  { measure, renew }: Awaited<ReturnType<typeof open>>,
) {
  const directoryOfReplay = (await bundle(join(directory, 'replay'), 'bench/rivals/replay.ts')).directory;
  const replay = await stage.start({ bundle: directoryOfReplay });
  const took = { whole: [] as number[], bare: [] as number[] };
  const timed = async (act: () => Promise<unknown>): Promise<number> => {
    const beganAt = performance.now();
    await act();
    return performance.now() - beganAt;
  };
  // Each of its slots has a secret after two, and the third is counted.
  for (let round = -3; round < rounds; round += 1) {
    stage.forward(lifetimeSeconds * 1_000 - limits.marginMs);
    let whole = 0;
    const { trips } = await measure(round === -1 ? 'ordinary renewal' : '', 'one', async () => {
      whole = await timed(() => renew('one'));
    });
    const again = trips.map((trip) =>
      trip.map(({ url, call, headers, body }) => ({ url: call === 'token' ? `${url}/token` : url, headers, body })),
    );
    const bare = await timed(() => replay.invoke({ trips: again }));
    if (round < 0) continue;
    took.whole.push(whole);
    took.bare.push(bare);
  }
  await replay.end();
  return ratio(took.whole, took.bare);
}

export const operations: Part = async (surroundings) => {
  const { stage } = surroundings;
  const opened = await open(stage);
  const { measured, measure, put, renew, remove, body } = opened;
  const { refresh_token: _, client, ...rest } = body;
  // Whatever an environment does once is done.
  await put('first', body);
  await renew('first');
  stage.slow(latencyMs);
  await measure('PUT, new', 'one', () => put('one', body));
  await measure('PUT, nothing new and no secret in it', 'one', () =>
    put('one', { ...rest, client: { client_id: client.client_id } }),
  );
  await measure('first renewal, subscribers told', 'one', () => renew('one'));
  await measure('cold GET that marks use', 'one', () => opened.get('one'));
  await measure('GET that reads', 'one', () => opened.get('one'));
  await measure('GET from memory', 'one', () => opened.get('one'));
  const own = await renewals(surroundings, opened);
  await measure('DELETE', 'one', () => remove('one'));
  await measure('what follows a DELETE', 'one', () => renew('one'));
  stage.slow(0);
  stage.rewind();
  await opened.close();
  return reportOf(
    measured.filter(({ title }) => title !== ''),
    shown(own),
  );
};

function reportOf(measured: readonly Operation[], own: string): Awaited<ReturnType<Part>> {
  const atProvider = (calls: readonly Passed[]): number => calls.filter(({ call }) => call === 'token').length;
  const waits = ({ trips, calls }: Operation): number => trips.length - atProvider(calls);
  const rows = measured.map((operation) => {
    const { title, calls, writeUnits: writes, readUnits } = operation;
    const refused = calls.filter(({ reply }) => reply.status >= 400).length;
    const counts = [waits(operation), calls.length - atProvider(calls), refused, writes, readUnits];
    return [title, ...counts.map(String), dollarsOf(operation).toFixed(2)];
  });
  const head = ['operation', 'trips', 'calls', 'refused', 'write units', 'strong reads', '$ a million'];
  const time = tableOf(['an ordinary renewal', 'time'], [['to the same calls made bare', own]]);
  const bars = measured.map((operation) => ({ label: operation.title, value: waits(operation), ours: true }));
  return {
    text: [tableOf(head, rows), '', time].join('\n'),
    charts: { 'trips.svg': chartOf('Calls of AWS that follow one another', bars) },
  };
}
