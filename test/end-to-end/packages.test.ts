/**
 * The packages, installed elsewhere: an empty project outside the repository, with nothing of it but what `npm pack`
 * made. No network: what a registry would give is taken from this project's own node_modules.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { tokenBroker } from '../../client/index.ts';
import { buildPackages } from '../../infra/packages.ts';
import { type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import { account } from '../../local/platform/account.ts';
import { listen } from '../../local/platform/loopback.ts';
import { keys, SignedBroker } from '../client/signed-broker.ts';
import { accountId, startAccount } from '../deploy/account.ts';
import { runDeployed } from '../deploy/deployed.ts';
import { motoMissing } from '../local/aws/worlds.ts';
import { startOidcProvider } from './authorization-servers.ts';
import { copyPrograms, missing, runIn, runtimes, startWorker, type Worker, workerd } from './runtimes.ts';
import { dataDirectory } from './synthesized.ts';

const root = join(import.meta.dirname, '../..');
const elsewhere = mkdtempSync(join(tmpdir(), 'token-broker-elsewhere-'));
const project = join(elsewhere, 'project');
const tarballs = new Map<string, string>();
let folders: readonly string[] = [];

const npm = (cwd: string, ...words: readonly string[]): string =>
  execFileSync('npm', [...words, '--offline', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_config_cache: join(elsewhere, 'npm-cache') },
  });

/** Runs a program of the project. */
function run(file: string, text: string, environment: Readonly<Record<string, string>> = {}): string {
  writeFileSync(join(project, file), text);
  return execFileSync(process.execPath, [file], {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: elsewhere, ...environment },
  });
}

function compile(file: string, text: string, options: object): void {
  writeFileSync(join(project, file), text);
  const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, ...options };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], { encoding: 'utf8' });
}

beforeAll(async () => {
  folders = await buildPackages(join(elsewhere, 'dist'), inject('assembly'));
  for (const folder of folders) {
    const [{ name, filename }] = JSON.parse(npm(elsewhere, 'pack', folder, '--json')) as [
      { readonly name: string; readonly filename: string },
    ];
    tarballs.set(name, join(elsewhere, filename));
  }
  mkdirSync(project);
  const fromHere = (name: string): [string, string] => [name, `file:${join(root, 'node_modules', name)}`];
  const dependencies = Object.fromEntries([
    ...[...tarballs].map(([name, path]) => [name, `file:${path}`]),
    ...['aws4fetch', 'aws-cdk-lib', 'constructs'].map(fromHere),
  ]);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'elsewhere', type: 'module', dependencies }));
  npm(project, 'install');
}, 300_000);

afterAll(() => rmSync(elsewhere, { recursive: true, force: true }));

describe.each(['token-broker-client', 'token-broker'])('%s', (name) => {
  const folder = (): string => folders.find((each) => each.endsWith(`/${name}`)) ?? '';

  test('publint finds nothing', async () => {
    const { messages, pkg } = await publint({ pkgDir: folder(), strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test('are the types wrong? Not for projects that import ES modules', async () => {
    const found = await checkPackage(createPackageFromTarballData(readFileSync(tarballs.get(name) ?? '')));
    const problems = 'problems' in found ? found.problems : [];
    // CommonJS of before Node.js 22.12, and what knows no "exports", cannot use an ES module at all.
    const known = problems.filter(
      (problem) => !/^(?:node10|node16-cjs)$/.test(String((problem as { resolutionKind?: unknown }).resolutionKind)),
    );
    expect(found).toHaveProperty('types', expect.objectContaining({ kind: 'included' }));
    expect(known).toEqual([]);
  });

  test('its public types are the ones that were kept: a change is meant, and told in the changelog', async () => {
    const text = globSync('types/**/*.d.ts', { cwd: folder() })
      .toSorted()
      .map((path) => `// ${path}\n${bare(readFileSync(join(folder(), path), 'utf8'))}`)
      .join('\n');
    await expect(text).toMatchFileSnapshot(`packages/${name}.d.ts.txt`);
  });

  test('names no file of this machine, and brings the licenses of what is in it', () => {
    const paths = globSync('**/*.{js,map,ts,json}', { cwd: folder() });
    expect(paths.length).toBeGreaterThan(5);
    expect(paths.filter((path) => readFileSync(join(folder(), path), 'utf8').includes(root))).toEqual([]);
    expect(readdirSync(folder())).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'THIRD-PARTY-NOTICES.txt']));
    expect(readFileSync(join(folder(), 'THIRD-PARTY-NOTICES.txt'), 'utf8')).toMatch(/^fast-xml-parser .*MIT/m);
  });
});

/** The sample of the README that has this text. */
const sampleWith = (text: string): string =>
  [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)]
    .map(([, sample = '']) => sample)
    .find((sample) => sample.includes(text)) ?? '';

/** Declarations without their comments and imports. */
const bare = (text: string): string =>
  text
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('import '))
    .join('\n');

describe('token-broker-client, installed', () => {
  test('brings nothing but a signer', () => {
    const { dependencies } = JSON.parse(
      readFileSync(join(project, 'node_modules/token-broker-client/package.json'), 'utf8'),
    );
    expect(dependencies).toEqual({ aws4fetch: '1.0.20' });
  });

  test('runs, with its broker for tests and its rules', () => {
    const printed = run(
      'client.mjs',
      `import { tokenBroker, TokenBrokerError, adviceOf } from 'token-broker-client';
       import { adviceOn } from 'token-broker-client/advice';
       import { testBroker } from 'token-broker-client/testing';
       const api = async () => new Response('', { status: 429, headers: { 'retry-after': '9' } });
       const memory = testBroker({ api });
       const broker = tokenBroker({ url: memory.url, fetch: memory.fetch, region: 'eu-west-1' });
       const { generation, headers } = await broker.token('demo');
       const response = await broker.fetch('demo', 'https://api.example/me', { provider: 'exact-online' });
       const failed = await broker.token('missing').catch((error) => error);
       console.log(JSON.stringify([
         generation, headers.Authorization, adviceOf(response).retryAfterSeconds,
         failed instanceof TokenBrokerError && failed.code, adviceOn('', undefined, { now: 0 }).do,
       ]));`,
      { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'x' },
    );
    expect(JSON.parse(printed)).toEqual([1, 'Bearer test-token-demo-1', 9, 'connection_not_found', 'retry']);
  });

  test('exports its doors and nothing else', () => {
    const printed = run(
      'doors.mjs',
      `for (const door of ['token-broker-client/index.js', 'token-broker-client/package.json', 'token-broker/index.js'])
         await import(door, door.endsWith('.json') ? { with: { type: 'json' } } : undefined).then(
           () => console.log(door), ({ code }) => console.log(code));`,
    );
    expect(printed.trim().split('\n')).toEqual(Array(3).fill('ERR_PACKAGE_PATH_NOT_EXPORTED'));
  });

  test('has types that hold by themselves', () => {
    compile(
      'client.mts',
      `import { tokenBroker, type BrokerToken, type Credentials, adviceOf } from 'token-broker-client';
       import { adviceOn, type Advice } from 'token-broker-client/advice';
       import { testBroker } from 'token-broker-client/testing';
       const credentials: Credentials = async () => ({ accessKeyId: 'a', secretAccessKey: 'b' });
       const broker = tokenBroker({ url: testBroker().url, credentials });
       export const token: Promise<BrokerToken> = broker.token('demo', { minTtl: 60, signal: AbortSignal.timeout(1) });
       export const advice: Advice = adviceOn('exact-online', undefined, { now: 0 });
       export const reply = broker.fetch('demo', '/me', { method: 'POST', body: ({ accessToken }) => accessToken });
       export const told = reply.then((response) => adviceOf(response)?.reason satisfies string | undefined);
       // @ts-expect-error a connection has a name
       broker.token();`,
      { lib: ['es2023', 'dom', 'dom.iterable'], types: [], skipLibCheck: false },
    );
  });
});

/** A broker whose signatures are checked by another signer, and an API. */
const server = new SignedBroker();
beforeAll(() => server.start());
afterAll(() => server.close());
beforeEach(() => server.forget());

async function expectWalk(walk: (given: object) => Promise<unknown>): Promise<void> {
  const gone = await listen(createServer());
  await gone.close();
  server.refusedUpTo = 1;
  const { origin: url } = server;
  const walked = await walk({ url, credentials: keys, region: 'us-east-1', api: `${url}/api`, closed: gone.url });
  const { shown, ...came } = walked as { readonly shown: string };
  expect(came).toEqual({
    token: 'token-1',
    differentTokens: 1,
    ofTokens: ['GET /token/demo'],
    reply: [200, '{"name":"Jansen"}'],
    ofReply: ['POST /api/orders', 'POST /token/demo/rejections', 'POST /api/orders'],
    advice: [404, 'correct_request'],
    failures: {
      missing: 'connection_not_found: There is no such connection.',
      stranger: expect.stringMatching(/^forbidden: GET \/token\/demo was refused \(403\)/),
      noKeys: expect.stringMatching(/^no_credentials: There is nothing to sign with/),
      noRegion: expect.stringMatching(/^no_credentials: The Region to sign for is not known/),
      closed: expect.stringMatching(/^unreachable: http:\/\/127\.0\.0\.1:\d+ cannot be reached/),
    },
  });
  expect(shown).toContain('generation');
  expect(shown).not.toContain('token-1');
  expect(server.seen.filter(({ call }) => call === 'POST /api/orders').map(({ body }) => body)).toEqual(
    Array(2).fill('once more'),
  );
  // That of the stranger.
  expect(server.faults).toHaveLength(1);
}

describe('token-broker-client, installed, walks the same way', () => {
  beforeAll(() => copyPrograms(project));

  for (const runtime of runtimes) {
    const { name, command } = runtime;
    test.skipIf(command === undefined)(`in ${name}${command ? '' : missing}`, () =>
      expectWalk((given) => runIn(project, runtime, given)),
    );
  }
});

describe.skipIf(workerd === undefined)(`token-broker-client, installed, in Workers${workerd ? '' : missing}`, () => {
  let worker: Worker;
  beforeAll(async () => {
    copyPrograms(project);
    worker = await startWorker(project);
  });
  afterAll(() => worker.close());

  const post = async (path: string, given: object): Promise<unknown> => {
    const reply = await fetch(worker.url + path, { method: 'POST', body: JSON.stringify(given) });
    return reply.json();
  };

  test('walks that way, too', () => expectWalk((given) => post('/walk', given)));

  test('requests that share a client: a question in the background outlives the one that began it', async () => {
    // The next token is to be asked for a second after this one came.
    server.lifeSeconds = 30.5;
    const given = { url: server.origin, region: 'us-east-1', credentials: keys };
    const generations = await Promise.all([1, 2, 3].map(() => post('/token', given)));
    expect(generations).toEqual(Array(3).fill({ generation: 1 }));
    expect(server.calls).toEqual(['GET /token/demo']);
    server.renew();
    await expect.poll(() => post('/token', given), { timeout: 60_000 }).toEqual({ generation: 2 });
    expect(server.faults).toEqual([]);
  });
});

describe('examples/typescript, where the client is installed', () => {
  let local: LocalBroker;
  let environment: Readonly<Record<string, string>>;
  const directory = dataDirectory(inject('assembly'));
  const examples = join(root, 'examples/typescript');

  /** Runs one as its reader would, and resolves to what it printed. */
  const example = async (...words: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...words], {
      cwd: project,
      env: environment,
    });
    return `${stdout}${stderr}`;
  };

  beforeAll(async () => {
    for (const file of readdirSync(examples)) cpSync(join(examples, file), join(project, file));
    local = await startLocalBroker({ port: 0, directory, provider: 'oidc-provider' });
    const { provider, credentials, url } = local;
    const body = JSON.stringify({ ...provider?.connection, refresh_token: await provider?.issueRefreshToken?.() });
    expect((await local.fetch('/connections/demo', { method: 'PUT', body })).status).toBe(201);
    environment = {
      TOKEN_BROKER_URL: url,
      AWS_REGION: account.region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  }, 120_000);

  afterAll(async () => {
    await local.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('call-api.ts', async () => {
    expect(await example('call-api.ts', 'demo', local.provider?.apiUrl ?? '')).toMatch(/^200 \{.*"sub"/);
    await expect(example('call-api.ts', 'missing', 'https://api.example')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^connection_not_found: There is no connection "missing"\. Create it/),
    });
  });

  test('lambda-worker.ts', async () => {
    writeFileSync(
      join(project, 'invoke.ts'),
      `import { handler } from './lambda-worker.ts';
       const record = (messageId: string, url: string) => ({ messageId, body: JSON.stringify({ url, payload: {} }) });
       const [good = '', bad = ''] = process.argv.slice(2);
       console.log(JSON.stringify(await handler({ Records: [record('good', good), record('bad', bad)] })));`,
    );
    const api = createServer(({ url, headers }, response) => {
      response.statusCode = url === '/orders' && headers.authorization?.startsWith('Bearer ') ? 201 : 404;
      response.end();
    });
    const { url, close } = await listen(api);
    const printed = (await example('invoke.ts', `${url}/orders`, `${url}/missing`)).trim().split('\n');
    await close();
    expect(printed).toContainEqual(JSON.stringify({ batchItemFailures: [{ itemIdentifier: 'bad' }] }));
    expect(printed).toContainEqual(expect.stringContaining('"kind":"token_received"'));
    expect(printed).toContainEqual(expect.stringMatching(/^bad: 404/));
  });

  test('poller.ts', async () => {
    const child = spawn(process.execPath, ['poller.ts', 'demo', local.provider?.apiUrl ?? '', '0.1'], {
      cwd: project,
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      expect(line).toMatch(/^\d{4}-.*Z \d+ characters$/);
      lines += 1;
      if (lines === 3) child.kill('SIGTERM');
    }
    expect(await exited).toEqual([0, null]);
    expect(lines).toBeGreaterThanOrEqual(3);
  });

  test('the sample of the README', async () => {
    const { provider, url } = local;
    const here = sampleWith("from 'token-broker-client'")
      .replaceAll('http://127.0.0.1:44849/me', provider?.apiUrl ?? '')
      .replaceAll('http://127.0.0.1:8790', url);
    writeFileSync(join(project, 'sample.ts'), here);
    expect(await example('sample.ts')).toMatch(/^200 \{.*"sub".*\} undefined\n\d+ \d{4}-/s);
  });

  test.each(globSync('*.ts', { cwd: examples }))('%s has no fault of types', (file) => {
    compile(file, readFileSync(join(examples, file), 'utf8'), {
      types: [join(root, 'node_modules/@types/node')],
      skipLibCheck: true,
    });
  });
});

describe('token-broker, installed', () => {
  const app = `
    import { App, Stack } from 'aws-cdk-lib';
    import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
    const app = new App({ outdir: 'cdk.out' });
    const shop = new Stack(app, 'Shop', { env: { account: '123456789012', region: 'us-east-1' } });
    const worker = new Role(shop, 'Worker', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    ${sampleWith("from 'token-broker'").replace('(this,', '(shop,')}
    app.synth();`;

  test('is one module beside the functions', () => {
    const names = readdirSync(join(project, 'node_modules/token-broker')).filter((name) => name.endsWith('.js'));
    expect(names).toEqual(['index.js']);
  });

  test('needs CDK, and no AWS SDK', () => {
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(project, 'node_modules/token-broker/package.json'), 'utf8'),
    );
    expect(dependencies).toBeUndefined();
    expect(Object.keys(peerDependencies)).toEqual(['aws-cdk-lib', 'constructs']);
    expect(globSync('node_modules/{,token-broker*/node_modules/}@aws-sdk', { cwd: project })).toEqual([]);
  });

  test('is part of another app, which has neither lock file nor bundler', () => {
    rmSync(join(project, 'package-lock.json'), { force: true });
    run('app.mjs', app);
    const { artifacts } = JSON.parse(readFileSync(join(project, 'cdk.out/manifest.json'), 'utf8')) as {
      readonly artifacts: Readonly<
        Record<
          string,
          {
            readonly type: string;
            readonly environment?: string;
            readonly properties?: { readonly templateFile: string };
          }
        >
      >;
    };
    const stacks = Object.values(artifacts).filter(({ type }) => type === 'aws:cloudformation:stack');
    expect(stacks.map(({ environment }) => environment)).toEqual(Array(3).fill('aws://123456789012/us-east-1'));
    const templates = stacks.map(({ properties }) =>
      readFileSync(join(project, 'cdk.out', properties?.templateFile ?? ''), 'utf8'),
    );
    expect(templates.filter((text) => text.includes('GET/token/exact-nl'))).toHaveLength(1);
    const bundles = globSync('cdk.out/asset.*/index.js', { cwd: project }).map((path) =>
      readFileSync(join(project, path), 'utf8'),
    );
    const own = globSync('**/asset.*/index.js', { cwd: inject('assembly') }).map((path) =>
      readFileSync(join(inject('assembly'), path), 'utf8'),
    );
    expect(bundles.toSorted()).toEqual(own.toSorted());
  });

  test('has the canary’s bundle too, which no assembly has unless it was chosen', () => {
    run('canary.mjs', app.replace("'cdk.out'", "'canary.out'").replace('{ throttle', '{ canary: true, throttle'));
    const bundles = globSync('canary.out/asset.*/index.js', { cwd: project }).map((path) =>
      readFileSync(join(project, path), 'utf8'),
    );
    expect(bundles).toContain(
      readFileSync(join(project, 'node_modules/token-broker/functions/canary/index.js'), 'utf8'),
    );
  });

  test('has types that hold with those of CDK', () => {
    compile('app.mts', app, { types: [], skipLibCheck: true, lib: ['es2023', 'dom'] });
  });

  const why = motoMissing ? ': skipped, because moto is not installed (pip install "moto[server]")' : '';
  test.skipIf(motoMissing)(`is deployed by another app, and serves a token${why}`, { timeout: 400_000 }, async () => {
    run('app.mjs', app);
    const provider = await startOidcProvider(elsewhere, 3_600);
    onTestFinished(provider.close);
    const cloud = await startAccount();
    onTestFinished(cloud.close);
    const assembly = join(project, 'cdk.out');
    await cloud.cdk('bootstrap', `aws://${accountId}/us-east-1`, '--app', assembly);
    await cloud.cdk('deploy', '--all', '--app', assembly, '--method', 'direct', '--require-approval', 'never');
    const report = await cloud.report();
    expect(Object.keys(report.stacks).toSorted()).toEqual([
      'CDKToolkit',
      'Shop',
      expect.stringMatching(/^ShopBrokerApi/),
      expect.stringMatching(/^ShopBrokerState/),
    ]);
    const deployed = await runDeployed(cloud, report);
    onTestFinished(deployed.stop);
    const body = JSON.stringify({
      provider: 'generic-oauth2',
      settings: { token_endpoint: provider.tokenEndpoint },
      client: provider.client,
      refresh_token: provider.firstRefreshToken,
    });
    expect((await deployed.fetch('/connections/exact-nl', { method: 'PUT', body })).status).toBe(201);
    const { url, credentials } = deployed;
    const broker = tokenBroker({ url, credentials, region: 'us-east-1', timeoutMs: 60_000 });
    expect(await broker.token('exact-nl')).toMatchObject({ generation: 1, tokenType: 'Bearer' });
    expect(deployed.log.filter((line) => line.includes('"level":"ERROR"'))).toEqual([]);
  });
});
