/** Which messages the planner sends while many connections wait in line for refreshers, as after an outage. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type PlanWorld, plan } from '../../shared/application/plan.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { limits } from '../../shared/domain/limits.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import { at, minute, now } from '../domain/fixtures.ts';

type Message = Parameters<PlanWorld['queue']['sendAll']>[0][number];

const names = (count: number): ConnectionName[] =>
  Array.from({ length: count }, (_, index) => `connection-${index}` as ConnectionName);
const many = names(limits.overdueInLine + 1);

describe('the planner', () => {
  let time: EpochMs;
  let due: Map<ConnectionName, EpochMs>;
  let sent: Message[];
  let down: boolean;
  let told: object[];
  const line: PlanWorld['line'] = new Map();

  beforeEach(() => {
    time = now;
    due = new Map();
    sent = [];
    down = false;
    told = [];
    line.clear();
  });

  const run = async (): Promise<readonly Message[]> => {
    sent = [];
    await plan({
      clock: { now: () => time, sleep: async () => {} },
      store: {
        listDue: async (shard, until) =>
          shard === '0'
            ? [...due].flatMap(([connection, dueAt]) => (dueAt <= until ? [{ connection, dueAt }] : []))
            : [],
      },
      queue: {
        send: async () => {},
        sendAll: async (messages) => {
          if (down) throw new Error('down');
          sent.push(...messages);
        },
      },
      telemetry: { info: (_event, fields) => void told.push(fields), warn: () => {}, error: () => {}, count: () => {} },
      line,
    });
    return sent;
  };

  const overdue = (connections: readonly ConnectionName[]): void => {
    for (const connection of connections) due.set(connection, at(-limits.overdueAfterMs));
  };

  test('names a few of those that are overdue, the longest first, and only those', async () => {
    const all = names(limits.overdueNamed + 2);
    for (const [i, connection] of all.entries()) due.set(connection, at(-limits.overdueAfterMs - i));
    due.set('in-time' as ConnectionName, now);
    await run();
    const longest = all.toReversed().slice(0, limits.overdueNamed).join(', ');
    expect(told).toEqual([{ sent: all.length + 1, overdue: all.length, longestOverdue: longest }]);
  });

  test('says what is overdue also in a minute in which nothing is sent, and is silent where nothing is', async () => {
    overdue(many);
    await run();
    await run();
    expect(told).toMatchObject([{ sent: many.length }, { sent: 0, overdue: many.length }]);
    due.clear();
    await run();
    expect(told).toHaveLength(2);
  });

  test('sends every minute what is due, as long as few are overdue', async () => {
    overdue(names(limits.overdueInLine));
    expect(await run()).toHaveLength(limits.overdueInLine);
    time = plus(time, minute);
    expect(await run()).toHaveLength(limits.overdueInLine);
  });

  test('sends none again that waits in line, but what has come to it since', async () => {
    overdue(many);
    expect(await run()).toHaveLength(many.length);
    time = plus(time, minute);
    const newcomer = 'newcomer' as ConnectionName;
    due.set(newcomer, time);
    expect(await run()).toEqual([{ connection: newcomer, delayMs: 0 }]);
  });

  test('sends one again that is due at another instant by now', async () => {
    overdue(many);
    await run();
    time = plus(time, minute);
    due.set(many[3] as ConnectionName, at(-limits.overdueAfterMs + 1));
    expect(await run()).toEqual([{ connection: many[3], delayMs: 0 }]);
  });

  test('sends all again after five minutes, since a message may be lost', async () => {
    overdue(many);
    await run();
    time = plus(now, limits.lineAgainMs - 1);
    expect(await run()).toEqual([]);
    time = plus(now, limits.lineAgainMs);
    expect(await run()).toHaveLength(many.length);
  });

  test('sends all again where the queue did not take them', async () => {
    overdue(many);
    down = true;
    await expect(run()).rejects.toThrow('down');
    down = false;
    time = plus(time, minute);
    expect(await run()).toHaveLength(many.length);
  });

  test('sends all again from a new environment, which remembers nothing', async () => {
    overdue(many);
    await run();
    line.clear();
    time = plus(time, minute);
    expect(await run()).toHaveLength(many.length);
  });
});
