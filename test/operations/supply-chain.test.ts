/** Where what is deployed comes from: the lock, versions, install scripts and licences. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

/** An entry of the lock, as npm writes it: https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json */
interface Entry {
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  /** It comes inside the archive of the package above it, whose digest covers it. */
  readonly inBundle?: boolean;
}

const text = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
const lock: { readonly packages: Readonly<Record<string, Entry>> } = JSON.parse(text);
const entries = Object.entries(lock.packages).filter(([path]) => path.includes('node_modules/'));
/** What a user of the stacks installs, and what the bundles are made of. */
const production = entries.filter(([, { dev, optional }]) => !dev && !optional);

test('each package of the lock has its digest, for every platform: another content is not installed', () => {
  expect(entries.length).toBeGreaterThan(200);
  const bare = entries.filter(([, { integrity = '', inBundle }]) => !inBundle && !integrity.startsWith('sha512-'));
  expect(bare.map(([path]) => path)).toEqual([]);
});

test('dependencies are pinned to one version each', () => {
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  for (const [name, version] of Object.entries(all))
    expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
});

test('no package of production runs a script when it is installed', () => {
  expect(production.length).toBeGreaterThan(50);
  expect(production.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([]);
});

/** What may be used in a product under Apache-2.0 without further duties than to keep its notice. */
const permissive = ['MIT', 'MIT-0', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0'];

test('licences of production are permissive', () => {
  const further = production.filter(
    ([, { license = '' }]) =>
      !license
        .replace(/[()]/g, '')
        .split(' OR ')
        .some((one) => permissive.includes(one)),
  );
  expect(further.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
});
