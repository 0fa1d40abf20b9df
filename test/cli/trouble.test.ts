/** Commands beside a broker that is slow to answer, away for a while, or in another state than was thought. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Refused } from '../../cli/api.ts';
import type { Description } from '../../cli/broker.ts';
import { putAll } from '../../cli/commands/import.ts';
import { CommandFailure, exitCodes } from '../../cli/failure.ts';
import type { ImportEntry } from '../../cli/import-file.ts';
import { takenBack } from '../../cli/link.ts';
import { run } from '../../cli/run.ts';
import { logFile } from '../../local/log-file.ts';
import { type Endpoint, listen } from '../../local/platform/loopback.ts';
import { credentialsFile, runningBrokerFile } from '../../local/running-broker.ts';
import { healthy } from '../local/page/samples.ts';

type Answer = readonly [status: number, body: object];
const busy: Answer = [503, { code: 'temporarily_unavailable', title: 'Not now', retryable: true }];
const gone: Answer = [404, { code: 'connection_not_found', title: 'There is no connection of this name' }];
const generation = (number: number): Answer => [200, healthy('books', { generation: number })];

let answers: Answer[];
let broker: Endpoint;
let directory: string;
const said = { out: '', err: '' };
beforeEach(async () => {
  const server = createServer((_request, response) => {
    const [status, body] = answers.shift() ?? gone;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  broker = await listen(server);
  directory = mkdtempSync(join(tmpdir(), 'trouble-'));
  writeFileSync(join(directory, runningBrokerFile), JSON.stringify({ url: broker.url }));
  writeFileSync(
    join(directory, credentialsFile),
    JSON.stringify({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not a secret' }),
  );
  Object.assign(said, { out: '', err: '' });
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said.out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.err += text;
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await broker.close();
  rmSync(directory, { recursive: true });
});

test('a watch outlives a broker that is away for a while', async () => {
  answers = [generation(1), busy, busy, generation(2), gone];
  expect(await run(['status', 'books', '--watch', '--data', directory])).toBe(exitCodes.failed);
  expect(said.out.match(/generation +\d/g)).toEqual(['generation    1', 'generation    2']);
  expect(said.err.match(/asked again/g)).toHaveLength(1);
}, 30_000);

test('so does the wait for a login', async () => {
  const link: Answer = [
    201,
    { connect_url: 'https://broker.example/connect/books', expires_at: '2026-12-01T00:00:00Z' },
  ];
  answers = [generation(1), link, busy, generation(2)];
  expect(await run(['reauthorize', 'books', '--data', directory])).toBe(0);
  expect(said.out).toMatch(/generation +2/);
}, 30_000);

test.each<[Description['state'], string[], string]>([
  ['active', [], 'one that has a token'],
  ['reauthorization_required', ['--client-id', 'another'], 'what is given for it'],
  ['reauthorization_required', ['--client-secret-expires-at', '2027-03-31'], 'what is given for it'],
])(
  'connect changes no connection that is there: %s, %j, %s',
  async (state, options) => {
    answers = [[200, healthy('books', { state })]];
    expect(await run(['connect', 'books', '--timeout', '1', '--data', directory, ...options])).toBe(exitCodes.failed);
    expect(said.err).toContain(`books is there already (exact-online, ${state})`);
  },
  30_000,
);

test('what Ctrl-C cannot take back is named, with the command that can', async () => {
  const unreachable = new CommandFailure('The broker cannot be reached.', exitCodes.tryAgain);
  await expect(takenBack('books', () => Promise.reject(unreachable), 'delete books')).rejects.toMatchObject({
    exitCode: exitCodes.interrupted,
    message: 'books could not be taken back: The broker cannot be reached. Later: token-broker delete books.',
  });
});

const entries = ['one', 'two', 'three'].map((connection): ImportEntry => ({ place: '', connection, body: {} }));
const notNow = new Refused(503, { retryable: true });
const never = new Refused(400, { code: 'invalid_request' });
const away = new CommandFailure('The broker cannot be reached.', exitCodes.tryAgain);

test.each([
  ['nothing', {}, ['replaced', 'created', 'created'], undefined],
  ['a busy broker', { two: notNow }, ['replaced', 'failed', 'created'], exitCodes.tryAgain],
  ['a refusal beside it', { one: never, two: notNow }, ['failed', 'failed', 'created'], exitCodes.failed],
  ['a broker that is gone', { two: away }, ['replaced', 'failed'], exitCodes.tryAgain],
])('an import that meets %s', async (_title, failures: Record<string, Error>, results, exitCode) => {
  const put = async (name: string) => {
    if (failures[name] !== undefined) throw failures[name];
    return healthy(name);
  };
  const done = await putAll({ broker: { put }, screen: { note: () => {} } }, entries, new Set(['one']));
  expect([done.outcomes.map(({ result }) => result), done.exitCode]).toEqual([results, exitCode]);
});

test('an import that is stopped says so', async () => {
  const put = async (name: string) => {
    process.emit('SIGINT');
    return healthy(name);
  };
  const done = await putAll({ broker: { put }, screen: { note: () => {} } }, entries, new Set());
  expect([done.outcomes.length, done.exitCode]).toEqual([1, exitCodes.interrupted]);
});

test('a log whose last line is half written is read up to there', async () => {
  const line = JSON.stringify({ level: 'INFO', message: 'renewed', connection: 'books' });
  const record = JSON.stringify({ at: new Date().toISOString(), function: 'refresh', line });
  writeFileSync(join(directory, logFile), `${record}\n${record.slice(0, 40)}`);
  expect([await run(['logs', '--data', directory]), said.err]).toEqual([0, '']);
  expect(said.out).toContain('books: renewed');
});

test.each([
  ['export', '--stack', 'broker', '--secrets', '/nonexistent/grants.jwe'],
  ['probe', '--output', '/nonexistent/facts.txt', '--yes'],
])('%s does no work whose result has no place', async (...argv) => {
  expect([await run(argv), said.err]).toEqual([exitCodes.usage, expect.stringContaining('cannot be written: ENOENT')]);
});

test('a port that cannot be listened on', async () => {
  const argv = ['open', '--no-browser', '--data', directory, '--port'];
  expect(await run([...argv, new URL(broker.url).port])).toBe(exitCodes.usage);
  expect(await run([...argv, '65536'])).toBe(exitCodes.usage);
  expect(said.err).toMatch(
    /^--port: \d+ cannot be listened on: EADDRINUSE\.\n--port: 65536 .*ERR_SOCKET_BAD_PORT\.\n$/,
  );
});
