/** Fleets on the product's own planner and timing: what falls due together, and what an outage leaves behind. */
import { describe, expect, test, vi } from 'vitest';
import { assumed, type FleetOptions, runFleet } from '../../bench/simulated-fleet.ts';
import { limits } from '../../shared/domain/limits.ts';

/** Put within a minute; each token lives for an hour. */
const fleet: FleetOptions = {
  connections: 3_600,
  begin: 'imported',
  lifeMs: 3_600_000,
  store: 'secrets-manager',
  lives: 1.1,
};
// Thousands of renewals are some seconds of work on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

describe('a fleet that was put together', () => {
  test('is spread over its tokens’ lives, so that the store of secrets takes every later renewal in time', async () => {
    const { waves, messages, renewals } = await runFleet(fleet);
    const [first, ...later] = waves;
    // They are put faster than the store takes it.
    expect(first?.sealed).toBeGreaterThan(0);
    expect(later).toMatchObject([{ renewals: fleet.connections, sealed: 0, expired: 0 }]);
    expect(messages / renewals).toBeLessThan(1.6);
  });

  test('kept mistake: without the spread it stays together, and more than the store takes is due at once', async () => {
    const { waves } = await runFleet({ ...fleet, profile: { spreadShare: 0 } });
    expect(waves[1]?.sealed).toBeGreaterThan(fleet.connections / 10);
  });
});

describe('a fleet that is overdue after an outage', () => {
  const overdue: FleetOptions = {
    ...fleet,
    connections: 4_500,
    begin: 'overdue',
    store: 'dynamodb',
    workers: 20,
    lives: 0.1,
  };

  test('is sent one message for each connection, though most wait in line for minutes', async () => {
    const report = await runFleet(overdue);
    expect(report.allRenewedAfterMs).toBeGreaterThan(2 * limits.planIntervalMs);
    expect(report.allRenewedAfterMs).toBeLessThan((1.1 * overdue.connections * assumed.renewalMs) / 20);
    // The last thousand may be sent another one.
    expect(report.messages).toBeLessThanOrEqual(overdue.connections + limits.overdueInLine);
  });

  test('kept mistake: a planner without memory sends those in line another message each minute', async () => {
    const report = await runFleet({ ...overdue, remembers: false });
    expect(report.messages).toBeGreaterThan(1.5 * overdue.connections);
  });
});
