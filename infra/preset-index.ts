/**
 * The presets and `shared/providers/presets/index.ts`, which lists them, since a bundler cannot look into a folder.
 * `npm run presets` writes the index; a synth compares it with the folder, and writes nothing.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { parsePreset } from '../shared/providers/parse-preset.ts';
import type { Preset } from '../shared/providers/preset.ts';
import { Faults } from './faults.ts';

const presets = join(import.meta.dirname, '../shared/providers/presets');

const filesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
    .map((file) => basename(file, '.ts'))
    .sort()
    .map((name) => `${name}.ts`);

/** The text of the index that lists these files. */
function indexOf(files: readonly string[]): string {
  const imported = files.map((file) => ({
    file,
    name: basename(file, '.ts').replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
  }));
  return [
    '/** The presets there are, by name. Written by `npm run presets` from the files beside it: do not edit. */',
    "import { byName } from '../by-name.ts';",
    ...imported.map(({ file, name }) => `import ${name} from './${file}';`),
    '',
    'export const knownPresets = byName([',
    ...imported.map(({ name }) => `  ${name},`),
    ']);',
    '',
  ].join('\n');
}

/**
 * Throws if the index does not list the files beside it, or if a preset cannot be used. The error lists all that is
 * wrong with the first such preset.
 */
export function assertPresetIndex(folder = presets): void {
  const files = filesIn(folder);
  for (const file of files) check(folder, file);
  if (readFileSync(join(folder, 'index.ts'), 'utf8') !== indexOf(files))
    throw new Faults('shared/providers/presets/index.ts does not list the files beside it: run npm run presets');
}

/** Writes the index. Throws, and writes nothing, if a preset cannot be used. */
export function updatePresetIndex(folder = presets): void {
  const files = filesIn(folder);
  for (const file of files) check(folder, file);
  writeFileSync(join(folder, 'index.ts'), indexOf(files));
}

function check(folder: string, file: string): void {
  const { default: preset } = createRequire(import.meta.url)(join(folder, file)) as { readonly default: Preset };
  try {
    parsePreset(preset);
  } catch (error) {
    throw new Faults(`shared/providers/presets/${file}: ${error instanceof Error ? error.message : 'unknown error'}`, {
      cause: error,
    });
  }
  if (preset.name !== basename(file, '.ts'))
    throw new Faults(`shared/providers/presets/${file}: its name is "${preset.name}"; let it be that of the file`);
}
