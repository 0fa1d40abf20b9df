/** Checks a preset as a whole: its form, and what its parts say together. */
import * as v from 'valibot';
import { contradictionsIn } from './contradictions.ts';
import { type Preset, presetEntries } from './preset.ts';
import { presetFaults } from './preset-faults.ts';

const presetSchema = v.pipe(
  v.strictObject(presetEntries),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const preset = dataset.value;
    const found = [
      ...contradictionsIn(preset.facts).map(({ fact, message }) => ({ path: ['facts', fact], message })),
      ...presetFaults(preset),
    ];
    for (const { path: names, message } of found) addIssue({ message, path: pathTo(preset, names) });
  }),
);

/** Returns the preset, or throws one error that lists everything that is wrong with it. */
export function parsePreset(input: unknown): Preset {
  const result = v.safeParse(presetSchema, input);
  if (result.success) return result.output;
  const faults = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'preset'}: ${issue.message}`);
  throw new Error(`this preset cannot be used:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
}

function pathTo(input: object, names: readonly string[]): [v.ObjectPathItem, ...v.ObjectPathItem[]] {
  let within: unknown = input;
  const items = names.map((key): v.ObjectPathItem => {
    const parent = (typeof within === 'object' && within !== null ? within : {}) as Record<string, unknown>;
    within = parent[key];
    return { type: 'object', origin: 'value', input: parent, key, value: within };
  });
  const [first, ...rest] = items;
  if (first === undefined) throw new Error('a fault has no path');
  return [first, ...rest];
}
