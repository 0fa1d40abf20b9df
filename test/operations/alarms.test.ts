/**
 * Each alarm rung and silenced: the functions' own code runs into trouble, a minute at a time, and the alarm's
 * definition in the template is evaluated on what that left. Metrics of the broker's own come from the functions' log
 * lines; those of AWS count what AWS would count: crashes, throttled invocations, messages, answers.
 */
import { DatabaseSync } from 'node:sqlite';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startSqs } from '../../local/aws/sqs/sqs.ts';
import { isThrottled, startLambda } from '../../local/platform/lambda.ts';
import { handlerWorld, hunt, nobody } from '../handlers/world.ts';
import { propertiesIn, templatesOf, unbundled, withoutHash } from '../infra/deployed.ts';
import { sqsClient } from '../local/aws/worlds.ts';
import { type AlarmDefinition, type Datum, dataIn, minuteOf, rings } from './alarm-states.ts';

// Hours are played, by functions that start cold now and then.
vi.setConfig({ testTimeout: 120_000 });

const { broker, read } = templatesOf(unbundled());
const world = await handlerWorld();

interface Alarm extends AlarmDefinition {
  readonly AlarmDescription: string;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Value: unknown }[];
}

const alarms = new Map<string, Alarm>(
  Object.entries(broker.findResources('AWS::CloudWatch::Alarm')).map(([id, { Properties }]) => [
    withoutHash(id).replace('Alarms', ''),
    Properties,
  ]),
);

/** What AWS itself would count, by metric and the resource that it is about. */
const platform = new Map<string, Datum[]>();
const count = (metric: string, value: number): void => {
  platform.set(metric, [...(platform.get(metric) ?? []), { minute: minuteOf(Date.now()), value }]);
};

function dataOf({ Namespace, MetricName, Dimensions = [] }: Alarm): readonly Datum[] {
  if (Namespace === 'TokenBroker' && MetricName !== 'RequestsThrottled')
    return dataIn(world.lines(), Namespace, MetricName);
  return platform.get([MetricName, ...Dimensions.map(({ Value }) => read(Value))].join(' ')) ?? [];
}

const queries = Object.values(broker.findResources('AWS::Logs::QueryDefinition')).map(({ Properties }) => Properties);

/** The lines that the query of an alarm's text picks, of those that were written from this one on. */
function foundBy({ AlarmDescription }: Alarm, from: number) {
  const [, name] = /the saved query (\S+)/.exec(AlarmDescription) ?? [];
  const [filter = ''] = queries.find(({ Name }) => Name === name)?.QueryString.split('\n') ?? [];
  const events = [...filter.matchAll(/"(\w+)"/g)].map(([, event]) => event);
  return world
    .lines()
    .slice(from)
    .filter(({ message }) => events.includes(String(message)));
}

interface Course {
  /** Connections whose calls failed: the query that the alarm's text names has to name them. */
  readonly about?: readonly string[];
  /** What happens in each minute of trouble, and in each one before and after. */
  readonly trouble: () => unknown;
  readonly calm?: () => unknown;
  readonly minutes: number;
}

/** Lets trouble come and go, and returns for each minute whether the alarm rang, by each way to read CloudWatch. */
async function play(name: string, { trouble, calm = () => {}, minutes }: Course): Promise<readonly boolean[][]> {
  const alarm = alarms.get(name);
  if (alarm === undefined) throw new Error(`there is no alarm ${name}`);
  // What other tests left is out of every alarm's sight.
  world.later(60 * 60);
  // With a planner that speaks, if that is what it watches.
  for (let i = 0; i < alarm.EvaluationPeriods; i += 1) await pass(calm);
  const first = minuteOf(Date.now());
  await pass(calm);
  for (let i = 0; i < minutes; i += 1) await pass(trouble);
  for (let i = 0; i < alarm.EvaluationPeriods + 6; i += 1) await pass(calm);
  const last = minuteOf(Date.now());
  const data = dataOf(alarm);
  return [0, 2, 4].map((more) => Array.from({ length: last - first }, (_, i) => rings(alarm, data, first + i, more)));
}

async function pass(act: () => unknown): Promise<void> {
  await act();
  world.later(60);
}

const rung = new Set<string>();

/** It is silent before, rings while the trouble lasts (or at once after its last minute), and has ended at the end. */
async function expectRung(name: string, course: Course): Promise<void> {
  const from = world.lines().length;
  for (const states of await play(name, course)) {
    expect(states[0]).toBe(false);
    expect(states.slice(0, course.minutes + 2)).toContain(true);
    expect(states.at(-1)).toBe(false);
  }
  const alarm = alarms.get(name);
  const named = alarm && foundBy(alarm, from).flatMap(({ connection, longestOverdue }) => [connection, longestOverdue]);
  expect(named ?? []).toEqual(expect.arrayContaining([...(course.about ?? [])]));
  rung.add(name);
}

async function expectSilent(name: string, course: Course): Promise<void> {
  for (const states of await play(name, course)) expect(states).not.toContain(true);
}

const answering = (status: number, error?: string) => () => {
  world.provider.instead = () => ({ status, body: error === undefined ? {} : { error } });
};
const answeringTokens = (): void => {
  world.provider.instead = undefined;
};

/** Connections of an application of their own, the grants of which are as good as new. */
async function connected(application: string, how = 1): Promise<readonly string[]> {
  const names = Array.from({ length: how }, (_, i) => `${application}-${i}`);
  for (const name of names) {
    await world.call(`PUT /connections/${name}`, {
      provider: 'generic-oauth2',
      settings: { token_endpoint: world.provider.tokenEndpoint },
      client: { client_id: application, client_secret: world.secret('client') },
      refresh_token: world.secret('refresh'),
      renewal: 'always',
    });
    await world.refresh(name);
  }
  return names;
}

const refreshed = async (names: readonly string[]): Promise<void> => {
  for (const name of names) await world.refresh(name);
};

describe('overdue connections', () => {
  const watched = async () => {
    const names = await connected('watched');
    const renewed = async () => {
      await refreshed(names);
      await world.plan();
    };
    return { names, renewed };
  };

  test('ring when a connection is not renewed although the planner asks, until it is', async () => {
    const { names, renewed } = await watched();
    // Due after nine and a half minutes, overdue two and a half later, and then for three minutes.
    await expectRung('OverdueConnections', { about: names, trouble: () => world.plan(), calm: renewed, minutes: 17 });
  });

  test('ring when the planner is silent, until it speaks', async () => {
    const { renewed } = await watched();
    await expectRung('OverdueConnections', { trouble: () => {}, calm: renewed, minutes: 8 });
  });

  test('are silent where a renewal comes two minutes late, and the planner misses one minute', async () => {
    const { renewed } = await watched();
    await expectSilent('OverdueConnections', { trouble: () => world.plan(), calm: renewed, minutes: 9 });
    await expectSilent('OverdueConnections', { trouble: () => {}, calm: renewed, minutes: 1 });
  });
});

describe('what happens to connections', () => {
  test('RefreshFailing rings from the third failure in a row until the renewals come back', async () => {
    const names = await connected('failing');
    const trouble = async () => {
      answering(503)();
      await refreshed(names);
    };
    const calm = async () => {
      answeringTokens();
      await refreshed(names);
    };
    const course = { about: names, trouble, calm, minutes: 45 };
    await expectRung('RefreshFailing', course);
    // It does not end between two attempts, however long the back-off: each end would be a mail.
    for (const states of await play('RefreshFailing', course)) {
      const during = states.slice(states.indexOf(true), course.minutes);
      expect(during.length).toBeGreaterThan(20);
      expect(during).not.toContain(false);
    }
  });

  test('RefreshFailing does not end while a refusal that no rule knows is hardly asked for any more', async () => {
    const names = await connected('on-hold');
    let calls = 0;
    world.provider.instead = () => {
      calls += 1;
      return { status: 400, body: { error: 'account_on_hold' } };
    };
    const course = { trouble: () => refreshed(names), calm: () => refreshed(names), minutes: 6 * 60 };
    const [states = []] = await play('RefreshFailing', course);
    const during = states.slice(states.indexOf(true), course.minutes);
    expect(during.length).toBeGreaterThan(5 * 60);
    expect(during).not.toContain(false);
    expect(calls).toBeLessThan(15);
  });

  test('RefreshFailing rings for a renewal that is late, since no secret can be read, until one can', async () => {
    const names = await connected('locked-out');
    const down = (is: boolean) => async () => {
      world.stores.secretsManager.down = is;
      await refreshed(names);
    };
    // Due after nine and a half minutes, late two and a half later, and then for three minutes.
    await expectRung('RefreshFailing', { trouble: down(true), calm: down(false), minutes: 15 });
    const held = world.logged('renewal_held_up').filter(({ connection }) => connection === names[0]);
    expect(held.at(-1)?.reason).toMatch(/^secrets unavailable: .+/);
  });

  test('RefreshFailing is silent for two failures', async () => {
    const names = await connected('stumbling');
    let left = 2;
    const trouble = async () => {
      const before = world.counted('RefreshFailed').length;
      world.provider.instead = left > 0 ? () => ({ status: 503, body: {} }) : undefined;
      await refreshed(names);
      left -= world.counted('RefreshFailed').length - before;
    };
    await expectSilent('RefreshFailing', { trouble, minutes: 30 });
    expect(left).toBe(0);
  });

  test('ReauthorizationRequired rings for a grant that died, and not for one that never was', async () => {
    const names = await connected('dying');
    const trouble = async () => {
      answering(400, 'invalid_grant')();
      await refreshed(names);
    };
    await expectRung('ReauthorizationRequired', { about: names, trouble, minutes: 2 });
    await expectSilent('ReauthorizationRequired', {
      trouble: async () => {
        await world.call('PUT /connections/never', {
          provider: 'generic-oauth2',
          settings: { token_endpoint: world.provider.tokenEndpoint },
          client: { client_id: 'never', client_secret: world.secret('client') },
        });
        await world.refresh('never');
      },
      minutes: 2,
    });
  });

  test('Misconfigured rings for a client that is refused, and not for a provider that fails', async () => {
    const names = await connected('refused');
    const trouble = (status: number, error?: string) => async () => {
      answering(status, error)();
      await refreshed(names);
    };
    await expectSilent('Misconfigured', { trouble: trouble(500), minutes: 2 });
    answeringTokens();
    await expectRung('Misconfigured', { about: names, trouble: trouble(401, 'invalid_client'), minutes: 2 });
  });

  test('BudgetSpent rings when the errors of an hour are used up, and not for one', async () => {
    const { tokenEndpoint: token_endpoint } = world.provider;
    await world.call('PUT /connections/exact', {
      provider: 'exact-online',
      settings: { token_endpoint },
      client: { client_id: 'exact', client_secret: world.secret('client') },
      refresh_token: world.secret('refresh'),
      renewal: 'always',
    });
    await world.refresh('exact');
    const trouble = async () => {
      world.provider.instead = () => ({
        status: 403,
        body: { error: 'access_denied', error_description: 'Rate limit exceeded: access_token not expired' },
      });
      await world.refresh('exact');
    };
    await expectSilent('BudgetSpent', { trouble, minutes: 1 });
    answeringTokens();
    await world.refresh('exact');
    const heldBack = world.counted('CallHeldBack').length;
    await expectRung('BudgetSpent', { about: ['exact'], trouble, minutes: 15 });
    expect(world.counted('CallHeldBack').length).toBeGreaterThan(heldBack);
  });

  test('ProviderDown rings when three connections get no answer, and not for one', async () => {
    const down = (names: readonly string[]) => async () => {
      answering(503)();
      await refreshed(names);
    };
    await expectSilent('ProviderDown', { trouble: down(await connected('lonely')), minutes: 6 });
    answeringTokens();
    const crowd = await connected('crowd', 4);
    await expectRung('ProviderDown', { about: crowd.slice(0, 3), trouble: down(crowd), minutes: 6 });
  });

  test('RefusalsWithheld rings when many living grants are refused at once, and not for three', async () => {
    const refused = (names: readonly string[]) => async () => {
      answering(400, 'invalid_grant')();
      await refreshed(names);
    };
    await expectSilent('RefusalsWithheld', { trouble: refused(await connected('few', 3)), minutes: 2 });
    answeringTokens();
    const many = await connected('many', 6);
    await expectRung('RefusalsWithheld', { about: many.slice(0, 4), trouble: refused(many), minutes: 2 });
  });
});

describe('functions that crash', () => {
  /** Runs a function as Lambda does, and counts as Lambda does. */
  const run = (id: string, act: () => Promise<unknown>) => async () => {
    const error = await act().then(
      () => 0,
      () => 1,
    );
    count(`Errors ${id}`, error);
  };
  /** As after half a deployment. */
  const without = (act: () => Promise<unknown>) => () =>
    new Promise<void>((resolve, reject) => {
      world.with({ TABLE_NAME: '', DEPLOYMENT: '' }, async () => void (await act())).then(resolve, reject);
    });
  const planned = () => world.plan();
  const tableGone = () => world.with({ AWS_ENDPOINT_URL_DYNAMODB: nobody }, planned);

  test('PlanErrors rings for two minutes of three, and not for one', async () => {
    await expectSilent('PlanErrors', {
      trouble: run('PlanFunction', tableGone),
      calm: run('PlanFunction', planned),
      minutes: 1,
    });
    await expectRung('PlanErrors', {
      trouble: run('PlanFunction', tableGone),
      calm: run('PlanFunction', planned),
      minutes: 3,
    });
  });

  test('RefreshErrors rings for two minutes of three, and not for a message that fails', async () => {
    const calm = run('RefreshFunction', () => world.deliver('{"connection":"nowhere"}'));
    await expectSilent('RefreshErrors', {
      trouble: run('RefreshFunction', () => world.deliver('garbage')),
      calm,
      minutes: 3,
    });
    await expectRung('RefreshErrors', {
      trouble: run(
        'RefreshFunction',
        without(() => world.deliver('{"connection":"nowhere"}')),
      ),
      calm,
      minutes: 3,
    });
  });

  test.each([
    ['ConnectionsErrors', 'ConnectionsFunction', 'GET /connections'],
    ['AuthorizationsErrors', 'AuthorizationsFunction', 'POST /connections/nowhere/authorizations'],
  ])('%s rings for the first crash, and not for what the function answers', async (name, id, request) => {
    const calm = run(id, () => world.call(request));
    const unreachable = () =>
      world.with({ AWS_ENDPOINT_URL_DYNAMODB: nobody }, async () => void (await world.call(request)));
    await expectSilent(name, { trouble: run(id, unreachable), calm, minutes: 2 });
    await expectRung(name, {
      trouble: run(
        id,
        without(() => world.call(request)),
      ),
      calm,
      minutes: 1,
    });
  });
});

describe('what clients get', () => {
  test('ApiServerErrors rings for five 503 a minute in three minutes of five, and not for four', async () => {
    await world.call('PUT /connections/empty', {
      provider: 'generic-oauth2',
      settings: { token_endpoint: world.provider.tokenEndpoint },
      client: { client_id: 'empty', client_secret: world.secret('client') },
      refresh_token: world.secret('refresh'),
    });
    const asked = (times: number) => async () => {
      for (let i = 0; i < times; i += 1) {
        const { status } = await world.call('GET /token/empty?wait=0');
        count('5xx Api', status >= 500 ? 1 : 0);
      }
    };
    await expectSilent('ApiServerErrors', { trouble: asked(4), minutes: 6 });
    await expectRung('ApiServerErrors', { trouble: asked(5), minutes: 4 });
  });

  test('TokenThrottles rings when Lambda has no concurrency left', async () => {
    const definition = {
      name: 'token',
      arn: '',
      directory: '',
      handler: '',
      environment: {},
      timeoutMs: 1,
      memoryMb: 1,
    };
    const busy = startLambda([definition], { variables: {}, quota: 0 });
    onTestFinished(() => busy.close());
    const trouble = async () => count('Throttles TokenFunction', isThrottled(await busy.invoke('token', {})) ? 1 : 0);
    const calm = () => count('Throttles TokenFunction', 0);
    await expectSilent('TokenThrottles', { trouble: calm, minutes: 3 });
    await expectRung('TokenThrottles', { trouble, calm, minutes: 1 });
  });

  test('RequestsThrottled rings for five 429 in the access log, and not for other answers', async () => {
    const { FilterPattern } = propertiesIn(broker)('AWS::Logs::MetricFilter', 'Throttled');
    const { AccessLogSettings } = propertiesIn(broker)('AWS::ApiGatewayV2::Stage', 'ApiStage');
    const [, field = '', value = ''] = /^\{ \$\.(\w+) = "(.*)" \}$/.exec(FilterPattern) ?? [];
    const answered = (status: number) => () => {
      for (let i = 0; i < 5; i += 1) {
        const line = JSON.parse(AccessLogSettings.Format.replace('$context.status', String(status)));
        if (line[field] === value) count('RequestsThrottled', 1);
      }
    };
    await expectSilent('RequestsThrottled', { trouble: answered(503), minutes: 6 });
    await expectRung('RequestsThrottled', { trouble: answered(429), minutes: 4 });
  });
});

describe('queues of what could not be handled', async () => {
  const database = new DatabaseSync(':memory:');
  const server = await startSqs({ database });
  const client = sqsClient();
  afterAll(async () => {
    client.destroy();
    await server.close();
    database.close();
  });
  const { maxReceiveCount } = propertiesIn(broker)('AWS::SQS::Queue', 'RefreshQueue').RedrivePolicy;
  const dead = server.createQueue('dead');
  const source = server.createQueue('source', {
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ maxReceiveCount, deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' }),
  });
  const send = (QueueUrl: string, MessageBody: string) =>
    client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const remove = (QueueUrl: string, ReceiptHandle: string | undefined) =>
    client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  const receive = async (QueueUrl: string) =>
    (await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1 }))).Messages ?? [];

  /** What the metric of AWS says each minute. */
  const look = (queue: string) => async () => {
    const asked = new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ['ApproximateNumberOfMessages'] });
    const { Attributes } = await client.send(asked);
    count(`ApproximateNumberOfMessagesVisible ${queue}.QueueName`, Number(Attributes?.ApproximateNumberOfMessages));
  };
  const drainedThen = (then: () => Promise<void>) => async () => {
    for (const { ReceiptHandle } of await receive(dead)) await remove(dead, ReceiptHandle);
    await then();
  };

  /** The event source: what fails comes back. */
  async function deliver(): Promise<number> {
    const messages = await receive(source);
    for (const { Body = '', ReceiptHandle } of messages) {
      const { batchItemFailures } = await world.deliver(Body);
      if (batchItemFailures.length === 0) await remove(source, ReceiptHandle);
    }
    return messages.length;
  }

  test('DeadLetters rings for a message that fails at each delivery, until the queue is drained', async () => {
    const looking = look('RefreshQueueDeadLetters');
    const sent = (body: string) => async () => {
      await send(source, body);
      while ((await deliver()) > 0);
      await looking();
    };
    const calm = drainedThen(looking);
    await expectSilent('DeadLetters', { trouble: sent('{"connection":"nowhere"}'), calm, minutes: 2 });
    await expectRung('DeadLetters', { trouble: sent('no message of ours'), calm, minutes: 1 });
  });

  test('UndeliveredEvents rings for an event in its queue, where EventBridge puts it, until the queue is drained', async () => {
    const looking = look('EventsUndelivered');
    const trouble = async () => {
      await send(dead, '{"detail":{"change":"authorized"}}');
      await looking();
    };
    await expectRung('UndeliveredEvents', { trouble, calm: drainedThen(looking), minutes: 1 });
  });
});

test('each alarm of the template was rung here', () => {
  expect([...rung].sort()).toEqual([...alarms.keys()].sort());
});

hunt(() => world);
