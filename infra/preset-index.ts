/**
 * For `npm run presets`, and every synth: checks all presets, and lists them in `shared/providers/presets/index.ts`. A bundler cannot look
 * into a folder, so the list is written for it; to add a provider is to add its file.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { type Preset, parsePreset } from '../shared/providers/preset.ts';

const folder = join(import.meta.dirname, '../shared/providers/presets');
const index = join(folder, 'index.ts');

export const presetFiles = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && join(folder, file) !== index)
    .map((file) => basename(file, '.ts'))
    .sort()
    .map((name) => `${name}.ts`);

/** The text of the index that lists these files. */
export function indexOf(files: readonly string[]): string {
  const presets = files.map((file) => ({
    file,
    name: basename(file, '.ts').replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
  }));
  return [
    '/** The presets there are, by name. Written by `npm run presets` and by every synth from the files beside it: do not edit. */',
    "import { byName } from '../by-name.ts';",
    ...presets.map(({ file, name }) => `import ${name} from './${file}';`),
    '',
    "export { byName, type Presets } from '../by-name.ts';",
    '',
    'export const knownPresets = byName([',
    ...presets.map(({ name }) => `  ${name},`),
    ']);',
    '',
  ].join('\n');
}

/** Throws one error that lists everything that is wrong with the first preset that cannot be used. */
export function updatePresetIndex(): void {
  const files = presetFiles();
  for (const file of files) check(file);
  const text = indexOf(files);
  if (readFileSync(index, 'utf8') !== text) writeFileSync(index, text);
}

function check(file: string): void {
  const { default: preset } = createRequire(import.meta.url)(join(folder, file)) as { readonly default: Preset };
  try {
    parsePreset(preset);
  } catch (error) {
    throw new Error(`shared/providers/presets/${file}: ${error instanceof Error ? error.message : 'unknown error'}`, {
      cause: error,
    });
  }
  if (preset.name !== basename(file, '.ts'))
    throw new Error(`shared/providers/presets/${file}: its name is "${preset.name}"; let it be that of the file`);
}
