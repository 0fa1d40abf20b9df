/**
 * AWS does not do what was asked: each fault at each service, through the real SDK. Clients get their token or 503 with
 * `Retry-After`, nothing of what AWS said; the log says what was wrong and where; and when it is over, nothing is lost.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LoopbackProxy, startProxy } from '../kill/proxy.ts';
import { type AwsFault, faultsOf, quoted, type Service, services } from './aws-faults.ts';
import { lifetimeSeconds } from './provider.ts';
import { type Answer, hunt, openWorld } from './world.ts';

let world: Awaited<ReturnType<typeof openWorld>>;
const proxies: LoopbackProxy[] = [];
/** What fails, and which operations of it. */
let now: { readonly service: Service; readonly fault: AwsFault; readonly at: RegExp } | undefined;

const endpoints = {
  dynamodb: 'AWS_ENDPOINT_URL_DYNAMODB',
  secretsmanager: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  sqs: 'REFRESH_QUEUE_URL',
  events: 'AWS_ENDPOINT_URL_EVENTBRIDGE',
} as const satisfies Record<Service, string>;

beforeAll(async () => {
  world = await openWorld();
  for (const service of services) {
    const url = new URL(process.env[endpoints[service]] ?? '');
    const proxy = await startProxy(url.origin, async ({ headers, socket }, forward) => {
      const failing = now?.service === service && now.at.test(String(headers['x-amz-target'])) ? now.fault : undefined;
      return failing === undefined ? forward() : failing.reply(forward, socket);
    });
    proxies.push(proxy);
    process.env[endpoints[service]] = url.pathname === '/' ? proxy.url : `${proxy.url}${url.pathname}`;
  }
});
beforeEach(() => {
  now = undefined;
});
afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
  await world.close();
});

let connections = 0;

/** A connection that was renewed a moment ago. */
async function connected(): Promise<string> {
  connections += 1;
  const name = `aws-${connections}`;
  await put(name);
  await world.refresh(name);
  return name;
}

const put = (name: string) =>
  world.call(`PUT /connections/${name}`, {
    provider: 'generic-oauth2',
    settings: {
      token_endpoint: world.provider.tokenEndpoint,
      authorization_endpoint: 'https://id.example.com/authorize',
    },
    client: { client_id: 'app', client_secret: world.secret('client') },
    refresh_token: world.secret('refresh'),
    renewal: 'always',
  });

/** An answer to a client of the broker: what it wants, or 503, and nothing of what AWS said. */
function proper({ status, headers, body }: Answer): Answer {
  expect(JSON.stringify(body)).not.toMatch(quoted);
  if (status >= 300) {
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'temporarily_unavailable' });
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  }
  return { status, headers, body };
}

/** While the fault lasts; where it is of secrets, in execution environments that have no key yet. */
async function during(service: Service, fault: AwsFault, act: () => Promise<void>): Promise<void> {
  const before = world.lines().length;
  const acting = async () => {
    now = { service, fault, at: /./ };
    try {
      await act();
    } finally {
      now = undefined;
    }
  };
  if (service === 'secretsmanager') await world.with({}, acting);
  else await acting();
  const said = world
    .lines()
    .slice(before)
    .map((line) => JSON.stringify(line));
  expect(
    said.some((line) => line.includes(fault.told)),
    `${said.join('\n')} does not say "${fault.told}"`,
  ).toBe(true);
}

/** What the grant comes to once all is well. */
async function recovers(name: string): Promise<void> {
  world.later(lifetimeSeconds);
  await world.refresh(name);
  expect(await world.call(`GET /token/${name}`)).toMatchObject({ status: 200 });
  expect((await world.call(`GET /connections/${name}`)).body).toMatchObject({ state: 'active' });
}

describe.each(services)('%s fails', (service) => {
  test.each(faultsOf(service).map((fault) => [fault.what, fault] as const))('with %s', async (_, fault) => {
    const name = await connected();
    // No environment remembers its token any more.
    world.later(10);
    await during(service, fault, async () => {
      const answers = await Promise.all([
        world.call(`GET /token/${name}?wait=0`),
        world.call(`POST /token/${name}/rejections?wait=0`, { generation: 1 }),
        world.call(`PUT /connections/${name}/pause`),
        world.call(`GET /connections/${name}`),
        world.call('GET /connections'),
        world.call(`POST /connections/${name}/authorizations`),
        put(`${name}-new`),
      ]);
      for (const answer of answers) proper(answer);
      proper(await world.call(`DELETE /connections/${name}/pause`));
      world.later(lifetimeSeconds);
      await world.deliver(JSON.stringify({ connection: name }));
      await world.plan().catch((error: unknown) => expect(error).toMatchObject({ name: 'Unavailable' }));
    });
    await recovers(name);
  });
});

describe('a new refresh token that Secrets Manager does not take', () => {
  const refusals = faultsOf('secretsmanager').filter(({ what }) =>
    /Throttling|Denied|Encryption|KMS|Limit|InvalidRequest|empty reply|half|broken/.test(what),
  );

  test.each(refusals.map((fault) => [fault.what, fault] as const))('%s: it is sealed', async (_, fault) => {
    const from = world.provider.calls.length;
    const name = await connected();
    const generation = async () => (await world.call(`GET /connections/${name}`)).body.generation;
    now = { service: 'secretsmanager', fault, at: /PutSecretValue|CreateSecret|RestoreSecret/ };
    world.later(lifetimeSeconds);
    await world.refresh(name);
    now = undefined;
    expect(await generation()).toBe(2);
    await recovers(name);
    expect(await generation()).toBe(3);
    // Each call was made with another token: what the one before had brought.
    const sent = world.provider.calls.slice(from).map(({ parameters }) => parameters.get('refresh_token'));
    expect([sent.length, new Set(sent).size]).toEqual([3, 3]);
    expect(world.counted('GrantLost')).toEqual([]);
  });
});

hunt(() => world);
