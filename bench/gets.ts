/** `GET /token` in a cold environment and in a warm one, beside the empty handler and a bare read. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../shared/domain/limits.ts';
import { bundle, byDefault } from './bundles.ts';
import { connect, get, startProvider } from './connections.ts';
import { chartOf, median, ratio, shown, tableOf } from './figures.ts';
import type { Part, Surroundings } from './parts.ts';
import type { Environment } from './stage.ts';

/** What stands beside the token function. */
async function rivals({ directory }: Surroundings) {
  return {
    empty: { bundle: (await bundle(join(directory, 'empty'), 'bench/rivals/empty.ts')).directory },
    bare: { bundle: (await bundle(join(directory, 'bare'), 'bench/rivals/get-item.ts')).directory },
    default: { bundle: (await bundle(join(directory, 'default'), 'bench/rivals/get-item.ts', byDefault)).directory },
  };
}

/** Runs `act` with connections of these names. */
async function withConnections(
  surroundings: Surroundings,
  names: readonly string[],
  act: () => Promise<void>,
): Promise<void> {
  const { stage } = surroundings;
  const provider = await startProvider(stage, 0);
  const environments = [await stage.start('connections'), await stage.start('refresh')] as const;
  await connect(environments, provider.tokenEndpoint, names);
  for (const environment of environments) await environment.end();
  await act();
  await provider.close();
}

/** Processor time from the start of the process to the end of its start, and to the end of its first answer. */
export const cold: Part = async (surroundings) => {
  const { stage, rounds } = surroundings;
  const others = await rivals(surroundings);
  const subjects = { token: 'token', ...others } as const;
  const names = Object.keys(subjects) as (keyof typeof subjects)[];
  const init: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  const all: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  await withConnections(surroundings, ['cold'], async () => {
    for (let round = -1; round < rounds; round += 1) {
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const environment = await stage.start(subjects[name]);
        const started = environment.cpuMs();
        await get(environment, 'cold');
        const answered = environment.cpuMs();
        await environment.end();
        // The first round warms the machine's caches.
        if (round < 0) continue;
        init[name]?.push(started);
        all[name]?.push(answered);
      }
    }
  });
  const of = (name: string) => all[name] ?? [];
  const share = (name: string): string => `${Math.round((100 * median(init[name] ?? [])) / median(of(name)))} %`;
  const titles = {
    token: '`token`, as it deploys',
    empty: 'an empty handler',
    bare: 'one GetItem, the same flags',
    default: 'one GetItem, default flags',
  };
  const toDefault = names.map((name) => ({ name, ...ratio(of(name), of('default')) }));
  return {
    text: tableOf(
      ['function', 'to one GetItem with default flags', 'to the same with our flags', 'spent before the first request'],
      toDefault.map(({ name, ...one }) => [titles[name], shown(one), shown(ratio(of(name), of('bare'))), share(name)]),
    ),
    charts: {
      'cold.svg': chartOf(
        'A cold start with its first answer: processor time',
        toDefault.map(({ name, median: value, least, most }) => ({
          label: titles[name].replaceAll('`', ''),
          value,
          range: [least, most],
          ours: name === 'token',
        })),
        ' ×',
      ),
    },
  };
};

const requests = 60;

/** Processor time of a request in an environment that has answered many. */
export const warm: Part = async (surroundings) => {
  const { stage, rounds } = surroundings;
  const { empty, bare } = await rivals(surroundings);
  const names = Array.from({ length: requests }, (_, i) => `warm-${i}`);
  const spent = { empty: [] as number[], bare: [] as number[], memory: [] as number[], read: [] as number[] };
  await withConnections(surroundings, names, async () => {
    const environments = {
      empty: await stage.start(empty),
      bare: await stage.start(bare),
      token: await stage.start('token'),
    };
    const timed = async (environment: Environment, asked: readonly string[]): Promise<number> => {
      const before = environment.cpuMs();
      for (const name of asked) await get(environment, name);
      return (environment.cpuMs() - before) / asked.length;
    };
    const often = Array.from({ length: requests }, () => 'warm-0');
    for (let round = -2; round < rounds; round += 1) {
      const one = {
        empty: await timed(environments.empty, often),
        bare: await timed(environments.bare, names),
        // No memory of them is left, and the marks of their use are fresh from the round before the first.
        read: await timed(environments.token, names),
        memory: await timed(environments.token, often),
      };
      if (round >= 0) for (const what of Object.keys(spent) as (keyof typeof spent)[]) spent[what].push(one[what]);
      await sleep(limits.memoryMs);
    }
    for (const environment of Object.values(environments)) await environment.end();
  });
  const rows = [
    { title: 'from memory, to an empty handler', ...ratio(spent.memory, spent.empty) },
    { title: 'with a read, to one bare GetItem', ...ratio(spent.read, spent.bare) },
  ];
  return {
    text: tableOf(
      ['`GET /token`, warm', 'processor time'],
      rows.map(({ title, ...one }) => [title, shown(one)]),
    ),
    charts: {
      'warm.svg': chartOf(
        'A warm GET: processor time',
        rows.map(({ title, median: value, least, most }) => ({
          label: title,
          value,
          range: [least, most],
          ours: true,
        })),
        ' ×',
      ),
    },
  };
};
