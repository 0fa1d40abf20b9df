/** The recipes of docs/consumers.md, as far as this machine can try them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { root, run, without } from './programs.ts';
import { environment, SignedBroker } from './signed-broker.ts';

const document = readFileSync(join(root, 'docs/consumers.md'), 'utf8');
const sample = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(document)?.[1] ?? '';

const server = new SignedBroker();
const folder = mkdtempSync(join(tmpdir(), 'consumers-'));
beforeAll(() => server.start());
beforeEach(() => server.forget());
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});
vi.setConfig({ testTimeout: 120_000 });

describe('Google Sheets', () => {
  const token = (lifeSeconds: number) => ({
    access_token: 'at-1',
    expires_in: lifeSeconds,
    expires_at: '2026-01-01T00:10:00.000Z',
    refresh_after: '2026-01-01T00:09:30.000Z',
    headers: { Authorization: 'Bearer at-1' },
  });

  /** Runs the script on stand-ins for Google's services, and tells what it asked for. */
  function run(lifeSeconds: number, calls: number) {
    const asked: [url: string, options: unknown][] = [];
    const kept = new Map<string, string>();
    const lives: number[] = [];
    const properties = {
      CLIENT_ID: 'id',
      CLIENT_SECRET: 'cs',
      ISSUER: 'https://idp.example/token',
      BROKER: 'https://b.example',
    };
    const headers = runInNewContext(
      `${sample('js')}\nArray.from({ length: ${calls} }, () => headersOf('demo')).at(-1)`,
      {
        UrlFetchApp: {
          fetch(url: string, options: unknown) {
            asked.push([url, options]);
            const reply = url.startsWith(properties.ISSUER) ? { access_token: 'jwt' } : token(lifeSeconds);
            return { getContentText: () => JSON.stringify(reply) };
          },
        },
        CacheService: {
          getScriptCache: () => ({
            get: (key: string) => kept.get(key) ?? null,
            put(key: string, value: string, seconds: number) {
              kept.set(key, value);
              lives.push(seconds);
            },
          }),
        },
        PropertiesService: { getScriptProperties: () => ({ getProperties: () => properties }) },
      },
    ) as unknown;
    return { headers, asked, lives };
  }

  test('the script asks the issuer and the broker, and keeps the headers until refresh_after', () => {
    const { headers, asked, lives } = run(600, 2);
    expect(headers).toEqual({ Authorization: 'Bearer at-1' });
    expect(asked).toEqual([
      [
        'https://idp.example/token',
        {
          method: 'post',
          payload: { grant_type: 'client_credentials', client_id: 'id', client_secret: 'cs', scope: 'token:demo' },
        },
      ],
      ['https://b.example/token/demo', { headers: { Authorization: 'Bearer jwt' } }],
    ]);
    expect(lives).toEqual([570]);
  });

  test('a token that is to be asked for again already is not kept', () => {
    expect(run(20, 2).asked).toHaveLength(4);
  });
});

describe.skipIf(without.python)('Python', () => {
  test('the sample calls an API', async () => {
    const local = sample('python')
      .replace(/"https:\/\/…[^"]*"/, `"${server.origin}", region="us-east-1"`)
      .replace('https://start.exactonline.nl/api/v1/current/Me', `${server.origin}/api/me`)
      .replaceAll('exact-nl', 'demo');
    const program = `import sys; sys.path.insert(0, "clients/python")\n${local}\nprint(me["name"])`;
    expect(await run('python3', ['-c', program], environment)).toEqual({ code: 0, stdout: 'Jansen\n', stderr: '' });
  });

  test('a file follows the newest token', async () => {
    const file = join(folder, 'headers.json');
    const { HOME = '', PATH = '' } = process.env;
    const keeper: ChildProcess = spawn('python3', ['examples/python/keep_file.py', 'demo', file], {
      cwd: root,
      env: { HOME, PATH, ...environment, AWS_REGION: 'us-east-1', TOKEN_BROKER_URL: server.origin },
      stdio: 'ignore',
    });
    const ended = once(keeper, 'exit');
    const headers = (): unknown => {
      try {
        return JSON.parse(readFileSync(file, 'utf8')).headers;
      } catch {
        return undefined;
      }
    };
    // Tokens that are to be asked for again at once.
    server.lifeSeconds = 32;
    while (headers() === undefined) await pause(50);
    expect(headers()).toEqual({ Authorization: 'Bearer token-1' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    server.renew();
    while (JSON.stringify(headers()) !== '{"Authorization":"Bearer token-2"}') await pause(50);
    keeper.kill();
    await ended;
    expect(server.faults).toEqual([]);
  });
});
