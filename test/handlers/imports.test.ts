/**
 * A PUT that is sent twice: its answer was lost, or a tool applies again what it applied before. The refresh token in
 * it may be used by then.
 */
import { describe, expect, test } from 'vitest';
import { limits } from '../../shared/domain/limits.ts';
import { handlerWorld, hunt } from './world.ts';

const world = await handlerWorld();

const clientSecret = () => world.secret('client');
const request = (refresh_token: string, more: object = {}) => ({
  provider: 'generic-oauth2',
  settings: { token_endpoint: world.provider.tokenEndpoint },
  client: { client_id: 'app', client_secret: clientSecret() },
  refresh_token,
  ...more,
});
const itemOf = async (name: string) => (await world.stores.items())[name] ?? expect.fail(`there is no item ${name}`);
const put = (name: string, body: object) => world.call(`PUT /connections/${name}`, body);
const sentLast = () => world.provider.calls.at(-1)?.parameters.get('refresh_token');

/** Has it renewed, so that the refresh token that was put is used up, and returns that. */
async function renewed(name: string, more: object = {}): Promise<string> {
  const first = world.secret('refresh');
  expect((await put(name, request(first, more))).status).toBe(201);
  await world.call(`GET /token/${name}?wait=0`);
  await world.refresh(name);
  expect(sentLast()).toBe(first);
  return first;
}

async function renew(name: string): Promise<void> {
  world.later(600);
  await world.call(`GET /token/${name}?wait=0`);
  await world.refresh(name);
}

describe('the refresh token that the present grant began with', () => {
  test('sent again changes the settings only: the newest one is kept, and is the one that is used', async () => {
    const first = await renewed('twice');
    const before = await itemOf('twice');
    const secrets = world.stores.vault().length;
    const { status, body } = await put('twice', request(first, { margin_seconds: 90 }));
    expect({ status, ...body }).toMatchObject({ status: 200, margin_seconds: 90, generation: 1, state: 'active' });
    const { grant, refreshToken, tokens } = before;
    expect(await itemOf('twice')).toMatchObject({ grant, refreshToken, tokens });
    // The client's secret, which came with it, and nothing else.
    expect(world.stores.vault()).toHaveLength(secrets + 1);
    await renew('twice');
    expect(sentLast()).not.toBe(first);
    expect((await world.call('GET /connections/twice')).body).toMatchObject({ generation: 2 });
    expect(world.logged('connection_put').at(-1)).toMatchObject({ connection: 'twice', imported: false });
    // However often.
    await put('twice', request(first));
    expect((await itemOf('twice')).grant.id).toBe(grant.id);
  });

  test('before it was used changes nothing either', async () => {
    const first = world.secret('refresh');
    await put('early', request(first));
    const { grant } = await itemOf('early');
    expect((await put('early', request(first))).status).toBe(200);
    expect((await itemOf('early')).grant.id).toBe(grant.id);
  });

  test('of two that come at the same time begins one grant', async () => {
    const first = world.secret('refresh');
    const answers = await Promise.all([put('race', request(first)), put('race', request(first))]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 201]);
    expect((await itemOf('race')).fence).toBe(1);
  });

  test('mends a connection that is misconfigured, with the newest one', async () => {
    const first = await renewed('mended');
    world.provider.instead = () => ({ status: 401, body: { error: 'invalid_client' } });
    await renew('mended');
    world.provider.instead = undefined;
    expect((await world.call('GET /connections/mended')).body).toMatchObject({ state: 'misconfigured' });
    expect((await put('mended', request(first))).body).toMatchObject({ state: 'active' });
    await renew('mended');
    expect(sentLast()).not.toBe(first);
    expect((await world.call('GET /connections/mended')).body).toMatchObject({ state: 'active', generation: 2 });
  });

  test('is imported anew where the grant is dead: somebody wants it tried', async () => {
    const first = await renewed('tried');
    world.provider.instead = () => ({ status: 400, body: { error: 'invalid_grant' } });
    await renew('tried');
    world.later(limits.refreshTimeoutMs / 1_000);
    await world.refresh('tried');
    world.provider.instead = undefined;
    expect((await world.call('GET /connections/tried')).body).toMatchObject({ state: 'reauthorization_required' });
    expect((await put('tried', request(first))).body).toMatchObject({ state: 'active' });
    await renew('tried');
    expect(sentLast()).toBe(first);
  });

  test('is refused, once it is used, for a client or an endpoint that the newest one may not be sent to', async () => {
    const first = await renewed('elsewhere');
    const before = await world.stored();
    const others = [
      { client: { client_id: 'other', client_secret: clientSecret() } },
      {
        settings: {
          token_endpoint: world.provider.tokenEndpoint,
          revocation_endpoint: `${world.provider.tokenEndpoint}-revoke`,
        },
      },
    ];
    for (const more of others) {
      const answer = await put('elsewhere', request(first, more));
      expect(answer).toMatchObject({
        status: 400,
        body: { faults: [{ path: 'refresh_token', message: expect.stringMatching(/used/) }] },
      });
    }
    expect(await world.stored()).toEqual(before);
  });

  test('is imported anew with what was mistaken put right, as long as nobody has used it', async () => {
    const first = world.secret('refresh');
    await put('mistaken', request(first, { settings: { token_endpoint: 'https://example.com/token' } }));
    const { grant } = await itemOf('mistaken');
    expect((await put('mistaken', request(first))).status).toBe(200);
    expect((await itemOf('mistaken')).grant.id).not.toBe(grant.id);
  });
});

test('another refresh token is another grant, and then the one before is a new one too', async () => {
  const first = await renewed('others');
  const second = world.secret('refresh');
  await put('others', request(second));
  await world.call('GET /token/others?wait=0');
  await world.refresh('others');
  expect(sentLast()).toBe(second);
  await put('others', request(first));
  await world.call('GET /token/others?wait=0');
  await world.refresh('others');
  expect(sentLast()).toBe(first);
});

test('the same refresh token in two connections leaves two digests that nobody can compare', async () => {
  const first = world.secret('refresh');
  await put('one', request(first));
  await put('two', request(first));
  const [one, two] = [await itemOf('one'), await itemOf('two')];
  expect(one.grant.importDigest).toMatch(/^[\w-]{43}$/);
  expect(one.grant.importDigest).not.toBe(two.grant.importDigest);
});

describe('a PUT that is to be verified', () => {
  /** The refresher looks as soon as it is asked. */
  async function verified(name: string, more: object = {}) {
    const messages = world.stores.messages().length;
    const putting = put(name, request(world.secret('refresh'), { verify: true, ...more }));
    await expect.poll(() => world.stores.messages().length).toBeGreaterThan(messages + 1);
    await world.refresh(name);
    return putting;
  }

  test('is answered when the first renewal has shown that the grant is good', async () => {
    const { status, body } = await verified('sound');
    expect({ status, body }).toMatchObject({ status: 201, body: { state: 'active', generation: 1 } });
    expect(body).not.toHaveProperty('unproven');
  });

  test('is told what the provider says of nonsense', async () => {
    world.provider.instead = () => ({ status: 400, body: { error: 'invalid_grant', error_description: 'unknown' } });
    const { status, body } = await verified('nonsense');
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        state: 'reauthorization_required',
        cause: 'invalid_grant',
        last_failure: { error: 'invalid_grant', error_description: 'unknown' },
      },
    });
  });

  test('waits no longer than ten seconds, and says that nothing is proven', async () => {
    const putting = put('waiting', request(world.secret('refresh'), { verify: true }));
    await expect.poll(async () => (await world.stores.items()).waiting?.lastUsed).toBeDefined();
    world.later(limits.verifyWaitMs / 1_000);
    expect(await putting).toMatchObject({ status: 201, body: { state: 'active', unproven: true } });
  });

  test('changes nothing of a connection that has its token', async () => {
    await renewed('proven');
    const calls = world.provider.calls.length;
    const more = { refresh_token: undefined, margin_seconds: 20, verify: true };
    expect(await put('proven', request('', more))).toMatchObject({ status: 200, body: { generation: 1 } });
    expect(world.provider.calls).toHaveLength(calls);
  });

  test('without it, the status says that nothing is proven until a renewal has succeeded', async () => {
    expect((await put('unproven', request(world.secret('refresh')))).body).toMatchObject({ unproven: true });
    await world.call('GET /token/unproven?wait=0');
    await world.refresh('unproven');
    expect((await world.call('GET /connections/unproven')).body).not.toHaveProperty('unproven');
  });
});

hunt(() => world);
