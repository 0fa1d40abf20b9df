import { afterEach, describe, expect, test, vi } from 'vitest';
import { cloudWatchTelemetry } from '../../shared/adapters/telemetry.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { Unavailable } from '../../shared/ports/errors.ts';

/** The lines that a block writes to standard output and standard error. */
function linesOf(block: () => void): string[] {
  const lines: string[] = [];
  const write = (chunk: string | Uint8Array): boolean => lines.push(String(chunk)) > 0;
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  try {
    block();
  } finally {
    vi.restoreAllMocks();
  }
  return lines;
}

describe('telemetry', () => {
  const telemetry = cloudWatchTelemetry('refresh', 'token-broker');
  afterEach(() => vi.restoreAllMocks());

  const directive = (line: string | undefined) => JSON.parse(line ?? '{}')._aws.CloudWatchMetrics;

  test('a metric without a provider has no dimension at all', () => {
    const [line, ...more] = linesOf(() => telemetry.count('OverdueConnections', 0));
    expect(more).toEqual([]);
    expect(directive(line)).toEqual([
      { Namespace: 'TokenBroker', Dimensions: [[]], Metrics: [{ Name: 'OverdueConnections', Unit: 'Count' }] },
    ]);
    expect(JSON.parse(line ?? '').OverdueConnections).toBe(0);
  });

  test('another deployment has a namespace of its own', () => {
    const [line] = linesOf(() => cloudWatchTelemetry('plan', 'token-broker-staging').count('OverdueConnections', 0));
    expect(directive(line)).toMatchObject([{ Namespace: 'TokenBroker/token-broker-staging' }]);
  });

  test('a metric with a provider is counted without and with it', () => {
    const [line, ...more] = linesOf(() => telemetry.count('RefreshDurationMs', 412, 'exact-online'));
    expect(more).toEqual([]);
    expect(directive(line)).toEqual([
      {
        Namespace: 'TokenBroker',
        Dimensions: [[], ['provider']],
        Metrics: [{ Name: 'RefreshDurationMs', Unit: 'Milliseconds' }],
      },
    ]);
    expect(JSON.parse(line ?? '')).toMatchObject({ provider: 'exact-online', RefreshDurationMs: 412 });
  });

  test('one metric’s provider does not stick to the next', () => {
    const [, second] = linesOf(() => {
      telemetry.count('RefreshFailed', 1, 'exact-online');
      telemetry.count('RefreshFailed', 1, 'xero');
    });
    expect(JSON.parse(second ?? '')).toMatchObject({ provider: 'xero', RefreshFailed: 1 });
  });

  test.each(['info', 'warn', 'error'] as const)('%s is one JSON line with the event and its fields', (level) => {
    const lines = linesOf(() => telemetry[level]('refresh_succeeded', { connection: 'exact-nl', generation: 3 }));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: level.toUpperCase(),
      message: 'refresh_succeeded',
      service: 'refresh',
      connection: 'exact-nl',
      generation: 3,
    });
  });

  test('a secret is redacted wherever it is', () => {
    const secret = new Secret('a-refresh-token');
    const error = new Unavailable('table', { cause: new Error('time-out') });
    const [line] = linesOf(() =>
      telemetry.error('request_failed', { secret, nested: { list: [secret], map: { secret } }, error }),
    );
    expect(line).not.toContain('a-refresh-token');
    expect(JSON.parse(line ?? '')).toMatchObject({
      secret: '[redacted]',
      nested: { list: ['[redacted]'], map: { secret: '[redacted]' } },
      error: { name: 'Unavailable', message: 'table unavailable', cause: { message: 'time-out' } },
    });
  });
});
