/** What can go wrong at Sage Intacct's XML gateway: what clients are told of it, what it costs, and how it recovers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mishaps } from '../../local/simulators/sage-intacct-xml.ts';
import type { Mishap } from '../../local/simulators/simulator.ts';
import {
  answered,
  rest,
  type SageBroker,
  startSageBroker,
  untilDue,
  vendorsByXml,
  xmlBody,
} from './sage-intacct-broker.ts';

let world: SageBroker;
beforeAll(async () => {
  world = await startSageBroker();
});
afterAll(() => world.close());

/** A refresh is asked for at most so often. */
const askedSeconds = 5;

describe('a session that the XML gateway does not give', () => {
  test.each<[string, object, string, string]>([
    ['user_password', { user_password: 'guess' }, 'invalid_client', 'Sign-in information is incorrect'],
    [
      'sender_password',
      { sender_password: 'guess' },
      'invalid_client',
      'Incorrect Intacct XML Partner ID or password.',
    ],
    ['entity_id', { entity_id: 'E999' }, 'invalid_request', 'There is no such entity'],
  ])(
    'for a wrong %s: 409 with its words, no second try that could lock the user, and a PUT mends it',
    async (setting, wrong, cause, words) => {
      const connection = `xml-${setting.replace('_', '-')}`;
      const sage = await world.xmlFor(connection, { signInsBorne: 2 });
      await world.connect(connection, xmlBody(sage, wrong));
      for (const { status, body } of [
        await world.token(connection),
        await world.token(connection),
        await world.token(connection),
      ]) {
        expect([status, body]).toMatchObject([
          409,
          { code: 'misconfigured', retryable: false, cause, downstream_errors: [{ error_description: words }] },
        ]);
      }
      expect(answered(sage)).toEqual([200]);
      await world.connect(connection, xmlBody(sage));
      await world.forward(askedSeconds);
      expect(await vendorsByXml(sage, await world.served(connection))).toContain('<function>query</function>');
    },
  );

  test('as the password was changed meanwhile: the session is served to its end, then 409, and a PUT mends it', async () => {
    const sage = await world.xmlInUse('changed', { signInErrorAt: 'authentication' });
    sage.changeUserPassword('another');
    await world.forward(untilDue);
    await world.until('changed', { state: 'misconfigured' });
    expect(await world.token('changed')).toMatchObject({
      status: 200,
      body: { generation: 1, warning: expect.stringContaining('misconfigured') },
    });
    await world.forward(rest);
    expect(await world.token('changed')).toMatchObject({ status: 409 });
    await world.connect('changed', xmlBody(sage, { user_password: 'another' }));
    expect(await world.served('changed')).toMatchObject({ generation: 2 });
  });

  test.each<[string, Mishap, object]>([
    ['429', mishaps.throttled('30'), { class: 'transient', error: 'http_429' }],
    ['500 without a body', mishaps.midProcess, { class: 'in_doubt', error: 'http_500' }],
    ['503', mishaps.down, { class: 'in_doubt', error: 'http_503' }],
    ['no reply at all', mishaps.replyLost, { class: 'in_doubt' }],
  ])(
    'at the first try (%s): it is asked for again by itself, since a second session does no harm',
    async (what, mishap, failure) => {
      const connection = `again-${what.slice(0, 3).trim()}`;
      const sage = await world.xmlInUse(connection);
      const { last_failure } = await world.failing(connection, sage, mishap);
      expect(last_failure).toMatchObject(failure);
      expect(await world.token(connection)).toMatchObject({
        status: 200,
        body: { generation: 1, warning: expect.any(String) },
      });
      await world.forward(40);
      await world.until(connection, { state: 'active', generation: 2 });
      await world.served(connection);
      expect(answered(sage)).toHaveLength(3);
    },
  );

  test('for an inactive sender: 409', async () => {
    const sage = await world.xmlFor('inactive');
    sage.next(mishaps.inactive);
    await world.connect('inactive', xmlBody(sage));
    expect(await world.token('inactive')).toMatchObject({
      status: 409,
      body: { code: 'misconfigured', downstream_errors: [{ error: 'gw-0011' }] },
    });
  });

  test('to anybody but Intacct: a session for another host is not handed out', async () => {
    const sage = await world.xmlFor('elsewhere', {
      endpoint: 'https://api.intacct.com.evil.example/ia/xml/xmlgw.phtml',
    });
    await world.connect('elsewhere', xmlBody(sage));
    expect(await world.token('elsewhere', 'wait=3')).toMatchObject({
      status: 503,
      body: { downstream_errors: [{ error: 'endpoint_not_allowed' }] },
    });
  });

  test('although it was good: a client reports it, and there is a new one soon', async () => {
    const sage = await world.xmlInUse('reported');
    await world.forward(20);
    const answers = await Promise.all(
      [1, 2, 3].map(() => world.reject('reported', { generation: 1, detail: 'XL03000006' })),
    );
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { generation: 2 } });
    expect(answered(sage)).toEqual([200, 200]);
  });
});

test('nothing secret is in what the functions wrote', () => {
  expect(world.secrets.length).toBeGreaterThan(20);
  expect(world.leaked(world.secrets)).toEqual([]);
});
