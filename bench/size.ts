/** What a cold start has to load. */
import { join } from 'node:path';
import { functionNames } from '../lambdas/routes.ts';
import { bundle, byDefault } from './bundles.ts';
import { chartOf, tableOf } from './figures.ts';
import type { Part } from './parts.ts';

export const size: Part = async ({ directory }) => {
  const rows = await Promise.all([
    ...functionNames.map(async (name) => ({ name, ...(await bundle(join(directory, name), `lambdas/${name}.ts`)) })),
    bundle(join(directory, 'get-item'), 'bench/rivals/get-item.ts').then((built) => ({
      name: 'one GetItem, the same flags',
      ...built,
    })),
    bundle(join(directory, 'get-item-default'), 'bench/rivals/get-item.ts', byDefault).then((built) => ({
      name: 'one GetItem, default flags',
      ...built,
    })),
  ]);
  const kb = (bytes: number): number => Math.ceil(bytes / 1_024);
  return {
    text: tableOf(
      ['bundle', 'KB', 'modules'],
      rows.map(({ name, bytes, modules }) => [name, String(kb(bytes)), String(modules)]),
    ),
    charts: {
      'size.svg': chartOf(
        'Bundles, KB',
        rows.map(({ name, bytes }) => ({
          label: name,
          value: kb(bytes),
          ours: functionNames.some((one) => one === name),
        })),
      ),
    },
  };
};
