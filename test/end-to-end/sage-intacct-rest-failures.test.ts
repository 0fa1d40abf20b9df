/** What can go wrong at Sage Intacct's REST API: what clients are told of it, what it costs, and how it recovers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mishaps, type SageIntacct, type SageIntacctFacts } from '../../local/simulators/sage-intacct.ts';
import type { Mishap } from '../../local/simulators/simulator.ts';
import {
  answered,
  clientCredentialsBody,
  clientOf,
  rest,
  restBody,
  type SageBroker,
  startSageBroker,
  untilDue,
  untilExpired,
  vendors,
} from './sage-intacct-broker.ts';

let world: SageBroker;
beforeAll(async () => {
  world = await startSageBroker();
});
afterAll(() => world.close());

/** A refresh is asked for at most so often. */
const askedSeconds = 5;

describe('a renewal at the REST API that fails for a while', () => {
  test.each<[string, Mishap, number]>([
    ['as long as a header of Intacct’s own says', mishaps.throttled('200'), 200],
    ['for a minute, if none says how long', mishaps.throttledWithoutHeader, 60],
  ])('429: nobody calls %s, and clients are served with a warning', async (_, mishap, seconds) => {
    const connection = `throttled-${seconds}`;
    const sage = await world.restInUse(connection);
    await world.failing(connection, sage, mishap);
    expect(await world.token(connection)).toMatchObject({
      status: 200,
      body: { generation: 1, warning: expect.stringContaining('http_429') },
    });
    await world.forward(seconds - 15);
    await Promise.all([1, 2, 3].map(() => world.token(connection)));
    expect(answered(sage)).toEqual([200, 429]);
    await world.forward(17);
    await world.until(connection, { generation: 2 });
    await world.served(connection);
    expect(answered(sage)).toEqual([200, 429, 200]);
  });

  test('500 for an hour: few calls, 503 with Retry-After to clients, and renewed by itself when it is over', async () => {
    const sage = await world.restInUse('down');
    const outage: Mishap = { answer: { status: 500 } };
    await world.failing('down', sage, outage);
    const hour = Date.now() + 3_600_000;
    for (let count = 2; Date.now() < hour; count += 1) {
      sage.next(outage);
      await world.forwardPastBackOff('down');
      await world.until('down', { state: 'active', last_failure: { class: 'in_doubt', error: 'http_500', count } });
    }
    const answer = await world.token('down', 'wait=0');
    expect(answer).toMatchObject({
      status: 503,
      body: {
        code: 'temporarily_unavailable',
        retryable: true,
        downstream_errors: [{ error: 'http_500', status: 500 }],
      },
    });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    // A quarter of a minute, doubled each time up to fifteen minutes.
    expect(answered(sage).length).toBeLessThan(13);
    await world.forwardPastBackOff('down');
    await world.until('down', { generation: 2 });
    await world.served('down');
  });

  test('an answer lost behind the gateway, where a refresh token works twice: it is sent again, and nothing is lost', async () => {
    const sage = await world.restInUse('lost', { refreshTokens: 'reusable' });
    await world.failing('lost', sage, mishaps.gatewayTimeOut);
    await world.forward(60);
    await world.until('lost', { state: 'active', generation: 2 });
    await world.served('lost');
    expect(answered(sage)).toEqual([200, 504, 200]);
  });
});

describe('a REST connection that is not configured right', () => {
  test.each([
    [
      'user',
      (sage: SageIntacct) => clientCredentialsBody(sage, { username: 'nobody@northwind' }),
      (sage: SageIntacct) => clientCredentialsBody(sage),
    ],
    [
      'secret',
      (sage: SageIntacct) => ({
        ...clientCredentialsBody(sage),
        client: { ...clientOf(sage), client_secret: 'an old one' },
      }),
      (sage: SageIntacct) => clientCredentialsBody(sage),
    ],
  ] as const)(
    'a wrong %s: 409 with Intacct’s words, not one more call, and a PUT mends it',
    async (what, wrong, right) => {
      const connection = `wrong-${what}`;
      const sage = await world.restFor(connection);
      await world.connect(connection, wrong(sage));
      for (const { status, body } of [
        await world.token(connection),
        await world.token(connection),
        await world.token(connection),
      ]) {
        expect([status, body]).toMatchObject([
          409,
          {
            code: 'misconfigured',
            retryable: false,
            cause: 'invalid_client',
            downstream_errors: [{ error: 'rest-1216' }],
          },
        ]);
        expect(body.detail).toContain(`PUT /connections/${connection}`);
      }
      expect(answered(sage)).toEqual([400]);
      await world.connect(connection, right(sage));
      await world.forward(askedSeconds);
      expect((await vendors(sage, await world.served(connection))).status).toBe(200);
    },
  );

  test('a client that the company does not authorize any more: served to the end, then 409, and put again it works', async () => {
    const sage = await world.restInUse('unauthorized');
    sage.allowClient(false);
    await world.forward(untilDue);
    await world.until('unauthorized', { state: 'misconfigured', cause: 'invalid_client' });
    expect(await world.token('unauthorized')).toMatchObject({
      status: 200,
      body: { warning: expect.stringContaining('misconfigured') },
    });
    await world.forward(rest);
    expect(await world.token('unauthorized')).toMatchObject({ status: 409, body: { code: 'misconfigured' } });
    expect(answered(sage)).toEqual([200, 400]);
    sage.allowClient(true);
    await world.connect('unauthorized', restBody(sage));
    await world.served('unauthorized');
    expect(answered(sage)).toEqual([200, 400, 200]);
  });

  test('a dead refresh token that Intacct calls an invalid client: the refresh token is kept, and a login recovers it', async () => {
    const sage = await world.restInUse('misnamed', { deadGrantToldAs: 'invalid_client', refusalStatus: 401 });
    sage.authorize();
    await world.forward(untilExpired);
    expect(await world.token('misnamed')).toMatchObject({
      status: 409,
      body: { code: 'misconfigured', downstream_errors: [{ error: 'invalid_client', status: 401 }] },
    });
    expect(await world.login('misnamed')).toMatchObject({ title: 'Connected' });
    expect((await vendors(sage, await world.served('misnamed'))).status).toBe(200);
    expect(await world.status('misnamed')).toMatchObject({ state: 'active' });
  });
});

describe('a grant that is dead', () => {
  test.each<[string, Partial<SageIntacctFacts>]>([
    ['invalid_grant', {}],
    ['rest-2102', { deadGrantToldAs: 'REST-2102' }],
    ['rest-2102', { deadGrantToldAs: 'REST-2102', envelope: 'error', refusalStatus: 401 }],
  ])('told as %s (%j): 409, not one more call, and a login recovers it', async (error, facts) => {
    const connection = `dead-${Object.keys(facts).length}`;
    const sage = await world.restInUse(connection, facts);
    sage.authorize();
    await world.forward(untilExpired);
    const gone = {
      code: 'reauthorization_required',
      retryable: false,
      cause: 'invalid_grant',
      downstream_errors: [{ error }],
    };
    expect(await world.token(connection)).toMatchObject({ status: 409, body: gone });
    await world.forward(3_600);
    for (const answer of await Promise.all([1, 2, 3].map(() => world.token(connection))))
      expect(answer).toMatchObject({ status: 409, body: gone });
    expect(answered(sage)).toHaveLength(2);
    expect(await world.login(connection)).toMatchObject({ title: 'Connected' });
    expect((await vendors(sage, await world.served(connection))).status).toBe(200);
  });

  test('by an answer that was lost after the rotation: it is called in doubt, not Intacct’s verdict', async () => {
    const sage = await world.restInUse('doubt');
    await world.failing('doubt', sage, mishaps.gatewayTimeOut);
    await world.forward(60);
    await world.until('doubt', { state: 'reauthorization_required', cause: 'refresh_in_doubt' });
    expect(answered(sage)).toEqual([200, 504, 400]);
    expect(await world.login('doubt')).toMatchObject({ title: 'Connected' });
  });
});

test('nothing secret is in what the functions wrote', () => {
  expect(world.secrets.length).toBeGreaterThan(15);
  expect(world.leaked(world.secrets)).toEqual([]);
});
