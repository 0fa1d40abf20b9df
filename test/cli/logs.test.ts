/** Which lines of the functions a person at a terminal is shown. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { logsOf } from '../../cli/logs.ts';
import { logFileIn } from '../../local/log-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'token-broker-logs-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('what happened, of all connections or of one, without metrics and without the audit log', async () => {
  const write = logFileIn(directory);
  const line = (fields: object) => write('token', JSON.stringify({ level: 'INFO', ...fields }));
  line({ message: 'answered', connection: 'exact-nl', route: 'GET /token/{connection}', status: 200 });
  line({ message: 'token_rejected', connection: 'exact-nl', generation: 7 });
  line({ message: 'request_failed', level: 'ERROR', connection: 'other', route: 'GET /token/{connection}' });
  write('token', JSON.stringify({ _aws: {}, RefreshSucceeded: 1 }));
  write('token', 'Killed');
  const messages = async (connection?: string) => {
    const found: string[] = [];
    for await (const { message } of logsOf({ kind: 'local', directory }, { from: 0, connection })) found.push(message);
    return found;
  };
  expect(await messages()).toEqual(['token_rejected', 'request_failed', 'Killed']);
  expect(await messages('exact-nl')).toEqual(['token_rejected']);
});
