/**
 * Every sample of the README and the documents is tried, so that a newcomer who follows one to the letter meets no
 * wall. A sample that no test knows how to try is a fault: it is tried here, or listed with the test that tries it.
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseSettings } from '../infra/context.ts';
import { routes } from '../lambdas/routes.ts';
import { parseArguments } from '../local/arguments.ts';
import { parseArguments as parseExperiment } from '../local/experiment/arguments.ts';
import { parseConnectionRequest } from '../shared/providers/parse-request.ts';
import { faultsOfRequest } from './handlers/documented.ts';
import { routed } from './handlers/request.ts';
import { parseNumbers } from './sim/arguments.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = globSync('{README.md,SECURITY.md,CONTRIBUTING.md,docs/*.md,local/README.md,test/sim/README.md}', {
  cwd: root,
});
const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };

/** A block between fences, with the place of its first line. */
interface Sample {
  readonly place: string;
  readonly language: string;
  readonly text: string;
}

const samples = documents.flatMap((path) => {
  const text = read(path);
  return [...text.matchAll(/^```([a-z]*)\n(.*?)^```$/gms)].map(
    ({ index, 1: language = '', 2: block = '' }): Sample => ({
      place: `${path}:${text.slice(0, index).split('\n').length}`,
      language,
      text: block,
    }),
  );
});

/** Commands of npm that stand in a sample or in running text, each with the place where it stands. */
const commands = documents.flatMap((path) =>
  [
    ...read(path).matchAll(
      /npm (?:run )?(start|test|demo|kills|sim|mutants|check|presets|budgets|synth|lint|types)\b(?: -- ([^`\n&|#]*))?/g,
    ),
  ].map(([text, script = '', given = '']): [string, string, readonly string[]] => [
    `${path}: ${text.trim()}`,
    script,
    given
      .trim()
      .split(/\s+/)
      .filter((word) => word !== ''),
  ]),
);

/** Puts values in the places that a sample leaves to its reader. */
const filled = (text: string): string =>
  text
    .replaceAll('"…"', '"filled-in"')
    .replaceAll('arn:aws:acm:…', 'arn:aws:acm:us-east-1:000000000000:certificate/0')
    .replaceAll(/\b(URL)\b/g, 'http://127.0.0.1:1')
    .replaceAll(/\b(NAME|N|K|DIR|P|PORT)\b/g, (word) => (word === 'NAME' ? 'oidc-provider' : '1'));

const whole = { default: 1, least: 0, most: 2_000_000_000 };
const simulationNumbers = { seeds: whole, seed: whole, workers: whole };

/** What each command takes after ` -- `: the faults of its own parser. */
const parsers: Readonly<Record<string, (given: readonly string[]) => unknown>> = {
  start: (given) => parseArguments(given),
  demo: (given) => parseExperiment(given),
  sim: (given) => parseNumbers(given, simulationNumbers, ['log', 'help']),
};

describe('commands', () => {
  test('there are some, in more than one document', () => {
    expect(commands.length).toBeGreaterThan(10);
    expect(new Set(commands.map(([place]) => place.split(':')[0])).size).toBeGreaterThan(1);
  });

  test.each(commands)('%s', (_, script, given) => {
    expect(Object.keys(scripts)).toContain(script);
    const [, file] = /^node (\S+)/.exec(scripts[script === 'test' ? 'start' : script] ?? '') ?? [];
    if (file !== undefined) expect(globSync(file, { cwd: root })).toEqual([file]);
    const parse = parsers[script];
    const words = given.map(filled);
    if (words.length === 0 || parse === undefined) return;
    expect(() => parse(words)).not.toThrow();
    expect(parse(words)).not.toHaveProperty('faults');
  });
});

/** Signed calls of the API in samples: method, path and body. */
const calls = samples.flatMap(({ place, text }) =>
  [...text.matchAll(/curl … (?:-X ([A-Z]+) )?https:\/\/…(\/[^\s'"]*)(?: -d '([^']*)')?/g)].map(
    ([, method = 'GET', path = '', body]): [string, string, string | undefined] => [
      place,
      `${method} ${path.replaceAll('NAME', 'exact-nl')}`,
      body,
    ],
  ),
);

describe('calls of the API', () => {
  test('there are some', () => expect(calls.length).toBeGreaterThan(3));

  test.each(calls)('%s: %s', (_, call, body) => {
    const [method = '', path = ''] = call.split(' ');
    const known = routes.filter(({ method: routeMethod, path: pattern }) => {
      return (
        routeMethod === method &&
        new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[a-z0-9-]+')}$`).test(path.split('?')[0] ?? '')
      );
    });
    expect(known).toHaveLength(1);
    const sent = body === undefined ? undefined : filled(body);
    expect(faultsOfRequest(routed(call, sent).event)).toEqual([]);
    if (method !== 'PUT' || known[0]?.path !== '/connections/{connection}') return;
    expect(parseConnectionRequest(JSON.parse(sent ?? ''), { allowLoopback: false })).not.toHaveProperty('faults');
  });
});

const contexts = samples
  .filter(({ text }) => / -c \w+=/.test(text))
  .map(({ place, text }): [string, Readonly<Record<string, string>>] => [
    place,
    Object.fromEntries(
      [...text.matchAll(/ -c (\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, filled(value)]),
    ),
  ]);

describe('settings of a deployment', () => {
  test('there are some', () => expect(contexts.length).toBeGreaterThan(1));
  test.each(contexts)('%s', (_, given) => expect(parseSettings(given)).not.toHaveProperty('faults'));
});

/** How every other kind of sample is tried. */
const others: readonly (readonly [what: RegExp, tried: string])[] = [
  [/^sequenceDiagram/, 'test/documentation.test.ts'],
  [/^(?:npm|npx) /, 'above'],
  [/^curl … -X (?:PUT|POST|DELETE) /, 'above'],
  [/"access_token": /, 'test/openapi/examples.test.ts'],
  [/^Synthesizing the template/, 'test/local/platform/console.test.ts'],
  [/^ Test Files /, 'the line that vitest ends with'],
  [/import \{ adviceOn \}/, 'test/client/advice.test.ts'],
  [/from 'token-broker-client'/, 'test/end-to-end/packages.test.ts'],
  [/import \{ TokenBroker \} from 'token-broker'/, 'test/end-to-end/packages.test.ts'],
  [/^from token_broker import/, 'test/client/consumers.test.ts'],
  [/^function headersOf/, 'test/client/consumers.test.ts'],
  [/^connection,provider,/, 'test/cli/import-file.test.ts'],
  [/"execute-api:Invoke"/, 'test/infra/permissions.test.ts'],
  [/^import \{ BrokerStack, StateStack \}/, 'test/infra/deployment.test.ts'],
  [/^git checkout [A-Z-]+ && npm ci && npx cdk deploy/, 'test/end-to-end/deploy.test.ts'],
  [/"detail-type": "Connection State Changed"/, 'test/contract/eventbridge-announcer.test.ts'],
];

/** What nothing here can run: commands and queries of AWS itself, Power Query, and pictures. */
const notRun: readonly RegExp[] = [
  /npx cdk import /,
  /^(?:\w+=\$\()?aws /,
  /^ask\(\) \{$/m,
  /^curl --aws-sigv4 .*REGION/s,
  /^(?:fields|filter) /,
  /^let\n {4}Jwt = /,
  /^ *clients ──►/,
  /^\w+\/ {2,}/m,
];

describe('samples', () => {
  test.each(samples.map((sample) => [sample.place, sample] as const))(
    '%s is tried, or said not to be',
    (_, { text }) => {
      expect([...others.map(([what]) => what), ...notRun].filter((what) => what.test(text))).not.toEqual([]);
    },
  );

  test('every JSON sample is JSON', () => {
    const texts = samples.filter(({ language }) => language === 'json');
    expect(texts.length).toBeGreaterThan(1);
    for (const { place, text } of texts) expect(() => JSON.parse(text), place).not.toThrow();
  });

  test('every shell command of the documents is one that a shell can read', () => {
    for (const { place, text } of samples.filter(({ text: sample }) => /^(?:npm|npx|aws) /.test(sample)))
      expect(() => execFileSync('sh', ['-n'], { input: text.replaceAll(/<[^>]*>/g, 'x') }), place).not.toThrow();
  });
});
