/** A client that a generator makes of `openapi.json`: it compiles, and its types are those of the handlers. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'node_modules/.cache/generated-client');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The generator needs a compiler with an API, which TypeScript 7 has not. */
const hooks = registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier === 'typescript' ? '@ts-morph/common/dist/typescript.js' : specifier, context),
});

const program = `
import type { ConnectionReply, LinkReply, Problem, TokenReply } from '${root}/lambdas/replies.ts';
import type { components, paths } from './api.ts';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Schemas = components['schemas'];
export const same: [
  Same<Schemas['Token'], TokenReply>,
  Same<Schemas['Connection'], ConnectionReply>,
  Same<Schemas['Link'], LinkReply>,
  Same<Schemas['Problem'], Problem>,
] = [true, true, true, true];

type GetToken = paths['/token/{connection}']['get'];
type Put = NonNullable<paths['/connections/{connection}']['put']['requestBody']>['content']['application/json'];

type Served = GetToken['responses'][200]['content']['application/json'];
type Refused = GetToken['responses'][409]['content']['application/problem+json'];

export const token = (reply: Served): string => reply.headers.Authorization ?? '';
export const query: GetToken['parameters']['query'] = { min_ttl: 60, wait: 0 };
export const code = (problem: Refused): 'reauthorization_required' | 'misconfigured' => problem.code;
export const put: Put = {
  provider: 'exact-online',
  settings: { country: 'nl' },
  client: { client_id: 'id' },
  renewal: 'while_used',
  callback: 'connection',
};

// @ts-expect-error: a reply has no such member
export const colour = (reply: TokenReply): unknown => reply.colour;
// @ts-expect-error: this provider has no such setting
export const wrong: Put = { ...put, provider: 'exact-online', settings: { colour: 'red' } };
// @ts-expect-error: there is no such provider
export const unknown: Put = { ...put, provider: 'exact' };
// @ts-expect-error: a token is never answered with 418
export type Teapot = GetToken['responses'][418];
`;

const configuration = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ['node'],
  },
  include: ['*.ts'],
};

test('is generated, compiles, and has the types of the handlers', { timeout: 120_000 }, async () => {
  const { default: generate, astToString } = await import('openapi-typescript');
  const types = astToString(await generate(JSON.parse(readFileSync(join(root, 'openapi.json'), 'utf8'))));
  hooks.deregister();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'api.ts'), types);
  writeFileSync(join(folder, 'program.ts'), program);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
  expect(() => execFileSync('node_modules/.bin/tsc', ['-p', folder], { cwd: root, encoding: 'utf8' })).not.toThrow();
});
