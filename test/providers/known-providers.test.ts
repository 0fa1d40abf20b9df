import { expect, test } from 'vitest';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import { untoldGrant } from '../../shared/ports/grant-claims.ts';
import { byName } from '../../shared/providers/by-name.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { newPreset } from './new-preset.ts';

const config: ConnectionConfig = {
  provider: 'exact-online',
  settings: { country: 'nl' },
  clientId: 'app',
  renewal: 'always',
};

test.each<[what: string, config: ConnectionConfig]>([
  ['whose preset is gone', { ...config, provider: 'gone' }],
  ['whose settings do not fit', { ...config, settings: {} }],
])('a provider %s has no rules, and still an identity of its own', (_, outdated) => {
  const provider = providersFrom().of(outdated);
  expect(provider.rules).toBeUndefined();
  expect(provider.identity).not.toBe(providersFrom().of(config).identity);
  expect(provider.destinations).toEqual({});
});

test('the grant of a connection whose settings do not fit cannot be told', () => {
  expect(providersFrom().of({ ...config, settings: {} }).grantKey).toBe(untoldGrant);
});

test('settings are resolved once for all the steps of a run, and anew when they change', () => {
  // Every look at the table brings an equal copy of the settings; parsing them reads the preset's facts.
  let reads = 0;
  const counting = {
    ...newPreset,
    get facts() {
      reads += 1;
      return newPreset.facts;
    },
  };
  const presets = byName([]);
  const providers = providersFrom({ ...presets, 'new-books': counting });
  const lookAt = (region: string) => providers.of({ ...config, provider: 'new-books', settings: { region } }).rules;
  expect(lookAt('test')).toBeDefined();
  const first = reads;
  lookAt('test');
  const again = reads - first;
  lookAt('example');
  expect(again).toBeLessThan(first);
  expect(reads - first - again).toBe(first);
});
