import { describe, expect, test } from 'vitest';
import { systemChance, systemClock } from '../../shared/adapters/system.ts';
import { versionIdOf } from '../plain.ts';

describe('the system', () => {
  test('a sleep that is aborted ends at once and does not reject, also if it was aborted before', async () => {
    const abort = new AbortController();
    const asleep = systemClock.sleep(60_000, abort.signal);
    abort.abort();
    await asleep;
    await systemClock.sleep(60_000, abort.signal);
  });

  test('a sleep lasts as long as asked', async () => {
    const start = performance.now();
    await systemClock.sleep(20);
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
  });

  test('a grant id and a fencing token make a UUID, which Secrets Manager takes for a version id', () => {
    expect(versionIdOf(systemChance.grantId(), 255)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-0000000000ff$/,
    );
    expect(systemChance.grantId()).not.toBe(systemChance.grantId());
  });
});
