/** The command line as people and scripts have it: a process of its own, beside a local broker that it finds. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startClock } from '../../local/simulators/clock.ts';
import { startSageIntacct } from '../../local/simulators/sage-intacct.ts';
import { bodyFor, type ExactBroker, startExactBroker } from './exact-online-broker.ts';

let world: ExactBroker;
let folder: string;
beforeAll(async () => {
  world = await startExactBroker();
  folder = mkdtempSync(join(tmpdir(), 'command-line-'));
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Running {
  /** Resolves with what the expression finds in standard error, as soon as it is there. */
  said(expression: RegExp): Promise<string>;
  readonly ended: Promise<Ended>;
  interrupt(): void;
}

function start(...argv: readonly string[]): Running {
  const child = spawn(process.execPath, ['cli/start.mjs', ...argv], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end();
  const written = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    written.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    written.err += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, ...written }));
  onTestFinished(() => void child.kill());
  return {
    async said(expression) {
      await expect.poll(() => written.err, { timeout: 40_000 }).toMatch(expression);
      return expression.exec(written.err)?.[1] ?? '';
    },
    ended,
    interrupt: () => void child.kill('SIGINT'),
  };
}

/** Runs a command to its end, against the broker of this file. */
const run = (...argv: readonly string[]): Promise<Ended> => start(...argv, '--data', world.directory).ended;

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function connecting(name: string) {
  const exact = await world.exactFor(name);
  const { settings, client } = bodyFor(exact);
  const command = start(
    ...['connect', name, '--provider', 'exact-online', '--no-browser', '--data', world.directory],
    ...Object.entries(settings).flatMap(([setting, value]) => ['--set', `${setting}=${value}`]),
    ...['--client-id', client.client_id, '--client-secret-file', file(`${name}.secret`, `${client.client_secret}\n`)],
  );
  return { exact, command, link: await command.said(/(http:\S+\/connect\/\S+)/) };
}

test('connects by a login, and shows what came of it', async () => {
  const { exact, command, link } = await connecting('books');
  expect(await world.logInBy(link)).toMatchObject({ status: 200 });
  const { code, out, err } = await command.ended;
  expect([code, out]).toEqual([0, expect.stringMatching(/^books\n.*state +active\n +generation +1\n/s)]);
  expect(out + err).not.toContain(exact.client.clientSecret);

  const token = await run('token', 'books', '--header', 'authorization');
  expect(token).toMatchObject({ code: 0, out: expect.stringMatching(/^Bearer \S+\n$/) });
  expect((await fetch(exact.apiEndpoint, { headers: { authorization: token.out.trim() } })).status).toBe(200);
  expect((await run('logs', 'books')).out).toMatch(/^\S+ INFO .*books: authorized /m);
  expect(await run('doctor')).toMatchObject({ code: 0, out: expect.stringContaining('healthy') });
  expect(JSON.parse((await run('list', '--json', '--state', 'active')).out)).toContainEqual(
    expect.objectContaining({ connection: 'books', generation: 1 }),
  );
});

test('takes back what was only begun, at Ctrl-C', async () => {
  const { command } = await connecting('given-up');
  command.interrupt();
  expect(await command.ended).toMatchObject({ code: 130, err: expect.stringContaining('given-up was taken back') });
  await expect
    .poll(() => world.status('given-up'), { timeout: 40_000 })
    .toMatchObject({ code: 'connection_not_found' });
});

test('imports forty connections of one file, after it has told two faulty lines', async () => {
  const exact = await world.exactFor('import-00');
  const { settings, client } = bodyFor(exact);
  const row = (number: number, secret = client.client_secret): string =>
    [
      `import-${String(number).padStart(2, '0')}`,
      'exact-online',
      ...[settings.token_endpoint, settings.authorization_endpoint, client.client_id, secret, `company ${number}`],
    ].join(',');
  const header = [
    ...['connection', 'provider', 'settings.token_endpoint', 'settings.authorization_endpoint'],
    ...['client_id', 'client_secret', 'account'],
  ].join(',');
  const rows = Array.from({ length: 40 }, (_, number) => row(number));
  const faulty = rows
    .with(11, row(11).replace('exact-online', 'exact'))
    .with(30, row(30).replace('import-30', 'Import 30'));
  const refused = await run('import', file('faulty.csv', [header, ...faulty].join('\n')), '--yes');
  expect(refused.code).toBe(2);
  expect(refused.err.split('\n').slice(0, 3)).toEqual([
    expect.stringContaining('line 13: provider is not known'),
    expect.stringContaining('line 32: connection must be'),
    expect.stringContaining('Nothing was sent'),
  ]);
  expect(await world.status('import-00')).toMatchObject({ code: 'connection_not_found' });

  const good = file('good.csv', [header, ...rows].join('\n'));
  expect(await run('import', good, '--dry-run')).toMatchObject({
    code: 0,
    out: '40 to create, 0 to replace. Nothing was sent.\n',
  });
  expect(await run('import', good)).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
  expect(await run('import', good, '--yes')).toMatchObject({
    code: 0,
    out: expect.stringContaining('40 of 40 imported'),
  });
  expect(await run('import', good, '--dry-run')).toMatchObject({
    code: 0,
    out: expect.stringContaining('0 to create, 40 to replace'),
  });
  const exported = await run('export');
  expect(
    JSON.parse(exported.out).filter(({ connection }: { connection: string }) => connection.startsWith('import-')),
  ).toHaveLength(40);
  expect(exported.out).not.toContain(client.client_secret);
  for (let number = 1; number < 40; number += 1) await world.remove(`import-${String(number).padStart(2, '0')}`);
});

test('says by its exit code what to do next', async () => {
  const exact = await world.exactFor('exit-codes');
  await world.connect('exit-codes', bodyFor(exact));
  expect(await run('token', 'exit-codes', '--wait', '0')).toMatchObject({
    code: 4,
    err: expect.stringContaining('authorize'),
  });
  expect(await run('status', 'not-there')).toMatchObject({
    code: 1,
    err: expect.stringContaining('connection_not_found'),
  });
  expect(await run('lst')).toMatchObject({ code: 2, err: expect.stringContaining('list') });
  expect(await start('list', '--data', folder).ended).toMatchObject({
    code: 3,
    err: expect.stringContaining('npm start'),
  });
  expect(await start('list', '--url', 'http://127.0.0.1:9', '--data', folder).ended).toMatchObject({ code: 2 });
});

test('makes links for days, and ends them', async () => {
  const exact = await world.exactFor('mailed');
  await world.connect('mailed', bodyFor(exact));
  const { code, out } = await run('link', 'mailed', '--for', '3d');
  expect([code, out]).toEqual([0, expect.stringMatching(/^http:\S+\/connect\/mailed\?link=\S+\n$/)]);
  expect(await run('link', 'mailed', '--for', '3 days')).toMatchObject({ code: 2 });
  expect(await run('link', 'mailed', '--end')).toMatchObject({ code: 0 });
  expect((await fetch(out.trim())).status).not.toBe(200);
});

test('pauses and resumes a connection, or all of a provider', async () => {
  await world.inUse('halted');
  expect(await run('pause')).toMatchObject({ code: 2, err: expect.stringContaining('--provider') });
  expect(await run('pause', 'halted')).toMatchObject({ code: 0, out: expect.stringContaining('halted is paused') });
  const { out } = await run('list', '--state', 'paused', '--json');
  expect(JSON.parse(out)).toMatchObject([{ connection: 'halted', state: 'active', paused_since: expect.any(String) }]);
  expect(await run('resume', '--provider', 'exact-online')).toMatchObject({
    code: 0,
    out: expect.stringContaining('halted is renewed again'),
  });
  expect(await world.status('halted')).not.toHaveProperty('paused_since');
});

test('deletes only when told so', async () => {
  const exact = await world.exactFor('kept');
  await world.connect('kept', bodyFor(exact));
  expect(await run('delete', 'kept')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
  expect(await world.status('kept')).toMatchObject({ connection: 'kept' });
  expect(await run('delete', 'kept', '--yes')).toMatchObject({ code: 0 });
  await expect.poll(() => world.status('kept'), { timeout: 40_000 }).toMatchObject({ code: 'connection_not_found' });
});

test('moves a grant in from a file, and says what to switch off', async () => {
  const exact = await world.exactFor('moved');
  const { settings, client } = bodyFor(exact);
  const { refreshToken } = exact.authorize({ secondsAgo: 600 });
  const row = {
    ...{
      connection: 'moved',
      provider: 'exact-online',
      client_id: client.client_id,
      client_secret: client.client_secret,
    },
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`settings.${name}`, value])),
    refresh_token: refreshToken,
  };
  const source = file('moved.csv', [Object.keys(row).join(','), Object.values(row).join(',')].join('\n'));
  const command = ['move-in', 'moved', '--from', 'file', '--file', source] as const;
  expect(await run(...command, '--dry-run')).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was') });
  expect(await run(...command)).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
  const moved = await run(...command, '--yes');
  expect(moved).toMatchObject({ code: 0, out: expect.stringMatching(/generation +1.*Switch off:\n.*moved\.csv/s) });
  expect(moved.out + moved.err).not.toContain(refreshToken);
  // Once more: the grant is left alone.
  expect(await run(...command, '--yes')).toMatchObject({ code: 0, out: expect.stringMatching(/generation +1/) });
  expect(exact.accepts(refreshToken)).toBe(false);
});

test('probes a provider with a sandbox grant, and writes facts', async () => {
  const intacct = await startSageIntacct({ clock: startClock() });
  onTestFinished(() => intacct.close());
  const { refreshToken } = intacct.authorize();
  const output = join(folder, 'facts.txt');
  const command = [
    ...['probe', '--provider', 'sage-intacct-rest', '--loopback', '--output', output],
    ...[
      '--set',
      `token_endpoint=${intacct.tokenEndpoint}`,
      '--set',
      `authorization_endpoint=${intacct.authorizationEndpoint}`,
    ],
    ...['--api-url', intacct.apiEndpoint, '--client-id', intacct.client.clientId],
    ...['--client-secret-file', file('intacct.secret', intacct.client.clientSecret)],
    ...['--refresh-token-file', file('intacct.token', refreshToken)],
  ];
  expect(await start(...command).ended).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
  expect(intacct.accepts(refreshToken)).toBe(true);
  expect(await start(...command, '--yes').ended).toMatchObject({ code: 0 });
  const facts = readFileSync(output, 'utf8');
  expect(facts).toMatch(/^ {4}rotation: 'single_use', \/\/ \[P \d{4}-\d\d-\d\d\] /m);
  expect(facts).toMatch(/^ {4}minTokenAgeSeconds: 0, /m);
  expect(facts).toMatch(/^ {4}renewalEnds: 'nothing', /m);
});
