/** The end of a client's secret: put, kept and dropped with its secret, shown, and without a say in renewals. */
import { describe, expect, test } from 'vitest';
import { handlerWorld } from './world.ts';

const world = await handlerWorld();

interface Told {
  readonly client_secret?: unknown;
  readonly client_secret_expires_at?: unknown;
}

const put = (name: string, client: Told, more: object = {}) =>
  world.call(`PUT /connections/${name}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint: world.provider.tokenEndpoint },
    client: { client_id: 'app', ...client },
    ...more,
  });
const endOf = ({ body }: { readonly body: Readonly<Record<string, unknown>> }) =>
  (body.client as Told).client_secret_expires_at;
const secret = () => world.secret('client');

describe('an end that is put', () => {
  test.each([
    ['as a day', '2027-03-31', '2027-03-31T00:00:00.000Z'],
    ['as an instant elsewhere', '2027-03-31T01:00:00+02:00', '2027-03-30T23:00:00.000Z'],
    ['as a registration tells it', 1_806_451_200, '2027-03-31T00:00:00.000Z'],
    ['as never', 0, undefined],
    ['for the only secret', '2020-01-01', '2020-01-01T00:00:00.000Z'],
  ])('%s is told as an instant, in the answer, the status and the list', async (what, given, told) => {
    const name = `put-${what.replaceAll(' ', '-')}`;
    const client_secret = secret();
    expect(endOf(await put(name, { client_secret, client_secret_expires_at: given }))).toBe(told);
    expect(endOf(await world.call(`GET /connections/${name}`))).toBe(told);
    const { body } = await world.call('GET /connections');
    const listed = (body.connections as { connection: string; client: Told }[]).find((one) => one.connection === name);
    expect(listed?.client.client_secret_expires_at).toBe(told);
  });

  test('of two secrets is told of the one that is sent', async () => {
    const ends = { client_secret_expires_at: ['2028-01-01', '2027-01-01'] };
    const [next, former] = [secret(), secret()];
    const refresh_token = world.secret('refresh');
    await put('two', { client_secret: [next, former], ...ends }, { refresh_token });
    expect(endOf(await world.call('GET /connections/two'))).toBe('2028-01-01T00:00:00.000Z');
    world.provider.instead = () => ({ status: 401, body: { error: 'invalid_client' } });
    await world.call('GET /token/two?wait=0');
    await world.refresh('two');
    world.provider.instead = undefined;
    expect((await world.call('GET /connections/two')).body.client).toMatchObject({
      client_secret_in_use: 'second',
      client_secret_expires_at: '2027-01-01T00:00:00.000Z',
    });
  });
});

describe('an end that is stored', () => {
  test('stays with its secret, is put anew or taken away without it, and goes with it', async () => {
    const end = '2027-03-31T00:00:00.000Z';
    await put('stored', { client_secret: secret(), client_secret_expires_at: '2027-03-31' });
    expect(endOf(await put('stored', {}))).toBe(end);
    expect(endOf(await put('stored', { client_secret_expires_at: '2027-04-01' }))).toBe('2027-04-01T00:00:00.000Z');
    expect(endOf(await put('stored', { client_secret_expires_at: 0 }))).toBeUndefined();
    await put('stored', { client_secret_expires_at: '2027-03-31' });
    expect(endOf(await put('stored', { client_secret: secret() }))).toBeUndefined();
  });

  test('is told as changed where it is', async () => {
    await put('changing', { client_secret: secret() }, { refresh_token: world.secret('refresh') });
    await world.refresh('changing');
    await put('changing', { client_secret_expires_at: '2027-03-31' });
    await world.refresh('changing');
    const details = world.stores.events().map(({ detail }) => detail);
    expect(details.filter(({ connection }) => connection === 'changing').at(-1)).toMatchObject({
      change: 'settings_changed',
      changed: ['client.client_secret_expires_at'],
    });
    const before = await world.stored();
    await put('changing', { client_secret_expires_at: '2027-03-31T00:00:00Z' });
    expect(await world.stored()).toEqual(before);
  });

  test('has to be of as many secrets as are stored', async () => {
    await put('one', { client_secret: secret() });
    await put('pair', { client_secret: [secret(), secret()] });
    const faults = [{ path: 'client.client_secret_expires_at' }];
    const two = { client_secret_expires_at: ['2027-03-31', 0] };
    expect((await put('one', two)).body).toMatchObject({ faults });
    expect((await put('pair', { client_secret_expires_at: '2027-03-31' })).body).toMatchObject({ faults });
    expect(endOf(await put('pair', two))).toBe('2027-03-31T00:00:00.000Z');
  });
});

test('an end that is near is told to subscribers once, by the refresher that comes by', async () => {
  const client_secret_expires_at = new Date(Date.now() + 20 * 86_400_000).toISOString();
  await put('near', { client_secret: secret(), client_secret_expires_at }, { refresh_token: world.secret('refresh') });
  for (let look = 0; look < 3; look += 1) await world.refresh('near');
  const told = world.stores.events().map(({ detail }) => detail as { connection?: string; change?: string });
  expect(told.filter(({ connection, change }) => connection === 'near' && change !== 'authorized')).toEqual([
    expect.objectContaining({ change: 'client_secret_ends_soon', client_secret_expires_at }),
  ]);
});

test('an end that is over stops nothing', async () => {
  const ended = { client_secret: secret(), client_secret_expires_at: '2020-01-01' };
  await put('over', ended, { refresh_token: world.secret('refresh') });
  await world.call('GET /token/over?wait=0');
  await world.refresh('over');
  expect(await world.call('GET /token/over')).toMatchObject({ status: 200, body: { generation: 1 } });
});

test('an end that is near when it is put is told in a minute, and makes no connection overdue', async () => {
  const end = new Date(Date.now() + 5 * 86_400_000).toISOString();
  const client = { client_secret: secret(), client_secret_expires_at: end };
  await put('near', client, { refresh_token: world.secret('refresh') });
  await world.refresh('near');
  const status = await world.call('GET /connections/near');
  expect(Date.parse(String(status.body.next_renewal_at))).toBeGreaterThan(Date.now() - 60_000);
  world.later(60);
  const before = world.counted('OverdueConnections').length;
  await world.plan();
  expect(world.counted('OverdueConnections').slice(before)).toEqual([0]);
  await world.refresh('near');
  const told = world.stores.events().filter(({ detail }) => JSON.stringify(detail).includes('client_secret_ends_soon'));
  expect(told.map(({ detail }) => JSON.stringify(detail)).filter((text) => text.includes('near'))).toHaveLength(1);
});
