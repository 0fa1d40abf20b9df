import type { Argv } from 'yargs';
import type { Preset } from '../../shared/providers/preset.ts';
import { knownPresets } from '../../shared/providers/presets/index.ts';
import { presetNamed } from '../questions.ts';
import { type Screen, screenOf, show, table } from '../screen.ts';

export const command = 'providers [name]';
export const describe = 'Lists the providers that are known, or says what one of them needs and what is known of it';
export const builder = (argv: Argv) =>
  argv
    .positional('name', { type: 'string', describe: "A preset's name" })
    .option('json', { type: 'boolean', default: false, describe: 'Write JSON' });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export function handler({ name, json }: Options): void {
  const screen = screenOf(json);
  if (name === undefined) show(screen, Object.values(knownPresets).map(summaryOf), all(screen));
  else {
    const preset = presetNamed(name);
    show(screen, preset, one(screen, preset));
  }
}

const summaryOf = ({ name, title, facts }: Preset) => ({ name, title, grant: facts.grant });

const all = (screen: Screen): string[] =>
  table(
    screen,
    ['provider', 'title', 'how tokens are obtained'],
    Object.values(knownPresets).map(({ name, title, facts }) => [
      { text: name },
      { text: title },
      { text: facts.grant },
    ]),
  );

function one(screen: Screen, { name, title, facts, settings }: Preset): string[] {
  const heading = (text: string): string => screen.styled('bold', text);
  return [
    heading(`${title} (${name})`),
    '',
    heading('Settings'),
    ...Object.entries(settings).flatMap(([setting, { kind, description, ...about }]) => [
      `  ${setting} (${kind}${'required' in about && about.required ? ', required' : ''})`,
      `    ${description}`,
      ...('choices' in about ? [`    one of ${about.choices.join(', ')}`] : []),
    ]),
    '',
    heading('What is known of it (each fact has its source in docs/providers.md)'),
    ...Object.entries(facts).map(
      ([fact, value]) => `  ${fact}: ${typeof value === 'object' ? JSON.stringify(value) : value}`,
    ),
  ];
}
