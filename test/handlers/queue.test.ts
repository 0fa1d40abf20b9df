import { describe, expect, test } from 'vitest';
import { limits } from '../../shared/domain/limits.ts';
import { lifetimeSeconds } from './provider.ts';
import { handlerWorld, hunt, nobody } from './world.ts';

const world = await handlerWorld();

const put = (connection: string) =>
  world.call(`PUT /connections/${connection}`, {
    provider: 'generic-oauth2',
    // Its renewal is not spread: it is known to the second when it falls due.
    settings: { token_endpoint: world.provider.tokenEndpoint, renewal_ends: 'previous_token' },
    client: { client_id: 'app', client_secret: world.secret('client') },
    refresh_token: world.secret('refresh'),
    renewal: 'always',
  });
const asking = (connection: string): string => JSON.stringify({ connection });
/** The messages that a block sends for a connection. */
const sentFor = async (connection: string, block: () => Promise<void>) => {
  const before = world.stores.messages().length;
  await block();
  return world.stores
    .messages()
    .flatMap(({ body, delaySeconds }, i) => (i >= before && body === asking(connection) ? [delaySeconds] : []));
};

describe('plan', () => {
  test('sends what falls due within its horizon with the delay that is left, and leaves the rest to later plans', async () => {
    await put('planned');
    expect(await sentFor('planned', () => world.plan())).toEqual([0]);
    await world.refresh('planned');
    const dueInSeconds = lifetimeSeconds - limits.marginMs / 1_000;
    expect(await sentFor('planned', () => world.plan())).toEqual([]);
    world.later(dueInSeconds - limits.planHorizonMs / 1_000 - 5);
    expect(await sentFor('planned', () => world.plan())).toEqual([]);
    world.later(65);
    const [delay, ...more] = await sentFor('planned', () => world.plan());
    expect(more).toEqual([]);
    // 30 s are left but for what this test has taken: not early, since it is rounded up.
    expect(delay).toBeGreaterThan(25);
    expect(delay).toBeLessThanOrEqual(30);
  });

  test('counts who is overdue, and says so even when nobody is', async () => {
    await world.plan();
    expect(world.counted('OverdueConnections').at(-1)).toBe(0);
    // It falls due in 30 s; then its renewal may begin a planner's interval late and take as long as the function may.
    const underWayMs = limits.planIntervalMs + limits.refreshTimeoutMs;
    world.later(30 + underWayMs / 1_000);
    await world.plan();
    expect(world.counted('OverdueConnections').at(-1)).toBe(0);
    world.later((limits.overdueAfterMs - underWayMs) / 1_000 + 1);
    expect(await sentFor('planned', () => world.plan())).toEqual([0]);
    expect(world.counted('OverdueConnections').at(-1)).toBe(1);
    await world.refresh('planned');
    await world.plan();
    expect(world.counted('OverdueConnections').at(-1)).toBe(0);
  });

  test('fails, for its alarm to see, when it cannot look', async () => {
    const counted = world.counted('OverdueConnections').length;
    await world.with({ AWS_ENDPOINT_URL_DYNAMODB: nobody }, () =>
      expect(world.plan()).rejects.toThrow('table unavailable'),
    );
    expect(world.counted('OverdueConnections')).toHaveLength(counted);
  });
});

describe('refresh', () => {
  test('renews what is due, and tells what it did', async () => {
    await put('renewed');
    await world.refresh('renewed');
    expect(world.logged('refresh_succeeded').at(-1)).toMatchObject({
      level: 'INFO',
      service: 'refresh',
      connection: 'renewed',
      generation: 1,
    });
    expect(world.counted('RefreshSucceeded').at(-1)).toBe(1);
    // Once without dimensions and once by provider, as each metric.
    const ofCalls = world.lines().filter((line) => 'ProviderCalled' in line && line.provider !== undefined);
    expect(ofCalls.at(-1)).toMatchObject({ provider: 'generic-oauth2', ProviderCalled: 1 });
    expect(ofCalls).toHaveLength(world.provider.calls.length);
    expect(await world.stores.items()).toMatchObject({ renewed: { generation: 1, attempts: {}, state: 'active' } });
  });

  test('sends each refresh token once: the second time the one that came with the first', async () => {
    await put('rotated');
    await world.refresh('rotated');
    world.later(lifetimeSeconds);
    await world.refresh('rotated');
    const sent = world.provider.calls.slice(-2).map(({ parameters }) => parameters.get('refresh_token'));
    expect(new Set(sent).size).toBe(2);
    expect(sent.every((token) => JSON.stringify(world.stores.vault()).includes(token ?? '?'))).toBe(true);
    expect(await world.stores.items()).toMatchObject({ rotated: { generation: 2 } });
  });

  test('renews once what two messages ask for: one whose reply is lost is sent again', async () => {
    await put('twice');
    const calls = world.provider.calls.length;
    const message = asking('twice');
    const taken = { batchItemFailures: [] };
    // Side by side, in one batch, and once more afterwards.
    expect(await Promise.all([world.deliver(message), world.deliver(message, message)])).toEqual([taken, taken]);
    expect(await world.deliver(message)).toEqual(taken);
    expect(world.provider.calls).toHaveLength(calls + 1);
    expect(await world.stores.items()).toMatchObject({ twice: { generation: 1, attempts: {}, state: 'active' } });
    const told = world.stores.events().filter(({ detail }) => detail.connection === 'twice');
    expect([...new Set(told.map(({ detail }) => detail.id))]).toHaveLength(1);
  });

  test('calls nobody for a connection that is not due, or not there', async () => {
    await put('idle');
    await world.refresh('idle');
    const calls = world.provider.calls.length;
    await world.refresh('idle');
    await world.refresh('nowhere');
    expect(world.provider.calls).toHaveLength(calls);
  });

  test('fails for a message that is none of ours, for it alone, and does not repeat what it says', async () => {
    await put('beside');
    const bodies = [
      `refresh ${world.secret('refresh')}`,
      asking('beside'),
      asking(world.secret('Refresh')),
      '{}',
      'null',
    ];
    const failed = ['message-0', 'message-2', 'message-3', 'message-4'];
    expect(await world.deliver(...bodies)).toEqual({
      batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })),
    });
    expect(world.logged('refresh_crashed').map(({ messageId }) => messageId)).toEqual(failed);
    expect(await world.stores.items()).toMatchObject({ beside: { generation: 1 } });
  });

  test('gives the message back when the table cannot be reached', async () => {
    await put('later');
    await world.with({ AWS_ENDPOINT_URL_DYNAMODB: nobody }, async () => {
      expect(await world.deliver(asking('later'))).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }] });
    });
    expect(world.logged('refresh_crashed').at(-1)).toMatchObject({ connection: 'later' });
    await world.refresh('later');
    expect(await world.stores.items()).toMatchObject({ later: { generation: 1 } });
  });

  test('after a failure backs off, and comes back by itself', async () => {
    await put('failing');
    world.provider.instead = () => ({ status: 429, body: {} });
    await world.refresh('failing');
    expect(world.counted('RefreshFailed')).toEqual([1]);
    expect(world.logged('refresh_failed')).toMatchObject([
      { level: 'WARN', connection: 'failing', code: 'http_429', class: 'transient', count: 1 },
    ]);
    const calls = world.provider.calls.length;
    // The message for the lease's end arrives: it is replaced by one for the end of the back-off, a minute and up to a
    // quarter.
    world.later(20);
    const [delay, ...more] = await sentFor('failing', () => world.refresh('failing'));
    expect(more).toEqual([]);
    expect(delay).toBeGreaterThan(35);
    expect(delay).toBeLessThanOrEqual(56);
    expect(world.provider.calls).toHaveLength(calls);
  });

  test('is failing when it has failed often enough in a row, and for as long as it goes on; a success ends that', async () => {
    await put('down');
    world.provider.instead = () => ({ status: 503, body: {} });
    const failing = () => world.counted('RefreshFailing').length;
    const failures = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i += 1) {
        await world.refresh('down');
        // Longer than any back-off.
        world.later(20 * 60);
      }
    };
    await failures(limits.failingAfterFailures - 1);
    expect(failing()).toBe(0);
    await failures(2);
    expect(failing()).toBe(2);
    world.provider.instead = undefined;
    await failures(1);
    world.provider.instead = () => ({ status: 503, body: {} });
    await failures(limits.failingAfterFailures - 1);
    expect(failing()).toBe(2);
  });
});

describe('whoever puts a connection', () => {
  test('has it looked at at once, for its first token and for its subscribers', async () => {
    const first = () => put('eager').then(() => undefined);
    expect(await sentFor('eager', first)).toEqual([0]);
    await world.refresh('eager');
    // Before a client has asked.
    expect(await world.call('GET /connections/eager')).toMatchObject({ body: { state: 'active', generation: 1 } });
  });

  test('has put it, even if the queue cannot be reached', async () => {
    await world.with({ REFRESH_QUEUE_URL: `${nobody}/000000000000/refresh` }, async () =>
      expect((await put('unheard')).status).toBe(201),
    );
    expect(world.logged('wake_not_sent').at(-1)).toMatchObject({ level: 'WARN', connection: 'unheard' });
  });
});

hunt(() => world);
