import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseArguments, usage } from '../../../local/arguments.ts';
import type { DeliveredEvent } from '../../../local/aws/eventbridge/eventbridge.ts';
import { narrate, narrateEvent, narrateRefusal } from '../../../local/narrate.ts';
import { lockDirectory } from '../../../local/platform/lock.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'console-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the command line', () => {
  test('has a default for everything', () => {
    expect(parseArguments([])).toEqual({
      port: 8790,
      directory: '.broker',
      provider: 'oidc-provider',
      secretStore: 'secrets-manager',
    });
  });

  test('is understood', () => {
    expect(parseArguments(['--port', '0', '--data', directory, '--provider=none'])).toEqual({
      port: 0,
      directory,
      provider: 'none',
      secretStore: 'secrets-manager',
    });
    expect(parseArguments(['--port', '65535', '--provider', 'exact-online'])).toMatchObject({
      port: 65_535,
      provider: 'exact-online',
    });
    expect(parseArguments(['--secret-store', 'dynamodb'])).toMatchObject({ secretStore: 'dynamodb' });
    expect(parseArguments(['--concurrency', '10'])).toMatchObject({ concurrency: 10 });
    expect(parseArguments(['--requests-per-second', '5'])).toMatchObject({
      throttle: { requestsPerSecond: 5, burst: 500 },
    });
    expect(parseArguments(['--port', 'x', '--help'])).toBe('help');
    expect(parseArguments(['--jwt-issuer', 'http://127.0.0.1:9000', '--jwt-audience', 'broker,workers'])).toMatchObject(
      {
        jwt: { issuer: 'http://127.0.0.1:9000', audience: ['broker', 'workers'] },
      },
    );
  });

  test('is told every fault at once', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const given = [
      '--port',
      '65536',
      '--data',
      file,
      '--provider',
      'exact',
      '--secret-store',
      'vault',
      '--request-burst',
      '0',
      '--jwt-issuer',
      'idp',
      '--concurrency',
      '0',
      '--verbose',
      'now',
    ];
    expect(parseArguments(given)).toEqual({
      faults: [
        '--verbose: there is no such option.',
        'now: what is it? Every argument has a name, such as --port.',
        '--port: takes a number from 0 to 65535, not 65536.',
        `--data: ${file} is not a directory.`,
        expect.stringMatching(
          /^--provider: takes oidc-provider, exact-online, .*sage-intacct-xml.* or none, not exact\.$/,
        ),
        '--concurrency: takes a number from 1 to 100, not 0.',
        '--secret-store: takes secrets-manager or dynamodb, not vault.',
        '--jwt-issuer: takes an https URL without credentials, query and fragment, which API Gateway can reach.',
        expect.stringMatching(/^--jwt-audience: is missing, and --jwt-issuer needs it; it takes up to 50 names/),
        '--request-burst: takes a whole number from 1 to 100000, not 0.',
      ],
    });
  });

  test.each(['--port', '--data', '--provider', '--secret-store'])('misses the value of %s', (name) => {
    expect(parseArguments([name])).toEqual({ faults: [expect.stringMatching(`^${name}: takes .*, not nothing\\.$`)] });
  });
});

test('the help names every option', () => {
  for (const name of ['port', 'concurrency', 'data', 'provider', 'jwt-issuer', 'jwt-audience', 'help'])
    expect(usage).toContain(`\n  --${name} `);
});

describe('the data directory', () => {
  test('is for one broker at a time', () => {
    const lock = lockDirectory(directory);
    expect(() => lockDirectory(directory)).toThrow(
      `${directory} is in use by another local broker (process ${process.pid}).`,
    );
    lock.release();
    lockDirectory(directory).release();
  });
});

describe('what is said of a log line', () => {
  const now = new Date('2026-11-22T12:00:00.000Z');
  const clock = now.toTimeString().slice(0, 8);
  const say = (record: object): string | undefined => narrate('RefreshFunction', JSON.stringify(record), now);

  test('a renewal: which connection, which generation, and when the next one is', () => {
    const record = {
      level: 'INFO',
      message: 'refresh_succeeded',
      connection: 'demo',
      generation: 3,
      refreshAt: '2026-11-22T12:00:30.000Z',
    };
    expect(say(record)).toBe(`${clock}  demo: renewed, generation 3, next renewal in 30 s`);
  });

  test('a warning and an error, with what the provider said', () => {
    const record = {
      level: 'WARN',
      message: 'refresh_failed',
      connection: 'demo',
      code: 'http_503',
      description: 'down',
    };
    expect(say(record)).toBe(`${clock}  warning  demo: refresh_failed (http_503) down`);
    expect(say({ level: 'ERROR', message: 'refresh_crashed' })).toBe(`${clock}  ERROR  refresh_crashed`);
  });

  test('a line that is no record, such as a crash, as it is', () => {
    expect(narrate('RefreshFunction', 'TypeError: x', now)).toBe(`${clock}  RefreshFunction: TypeError: x`);
  });

  test('nothing of other news and of metrics', () => {
    expect(say({ level: 'INFO', message: 'planned', connection: 'demo' })).toBeUndefined();
    expect(say({ _aws: {}, RefreshSucceeded: 1 })).toBeUndefined();
  });
});

describe('what is said of an event', () => {
  const now = new Date('2026-11-22T12:00:00.000Z');
  const clock = now.toTimeString().slice(0, 8);
  const event: DeliveredEvent = {
    version: '0',
    id: '1',
    'detail-type': 'Connection State Changed',
    source: 'token-broker',
    account: '000000000000',
    time: '2026-11-22T12:00:00Z',
    region: 'us-east-1',
    resources: [],
    detail: {},
  };

  test.each([
    [{ connection: 'demo', change: 'authorized' }, 'demo: authorized'],
    [
      { connection: 'demo', change: 'reauthorization_required', cause: 'invalid_grant' },
      'demo: reauthorization_required (invalid_grant)',
    ],
    [
      { connection: 'demo', change: 'reauthorization_due', grant_ends_at: '2026-12-01T00:00:00.000Z' },
      'demo: reauthorization_due by 2026-12-01T00:00:00.000Z',
    ],
    [
      {
        connection: 'demo',
        change: 'client_secret_ends_soon',
        client_secret_expires_at: '2026-12-01T00:00:00.000Z',
      },
      'demo: client_secret_ends_soon by 2026-12-01T00:00:00.000Z',
    ],
    [{}, 'Connection State Changed'],
  ])('%j', (detail, said) => {
    expect(narrateEvent({ ...event, detail }, now)).toBe(`${clock}  event  ${said}`);
  });
});

test('what is said of a refusal: which request, which status, and why', () => {
  const now = new Date('2026-11-22T12:00:00.000Z');
  const refusal = { request: 'GET /token/demo', status: 403, reason: 'it is not signed' };
  const clock = now.toTimeString().slice(0, 8);
  expect(narrateRefusal(refusal, now)).toBe(`${clock}  refused  GET /token/demo: 403, it is not signed`);
});
