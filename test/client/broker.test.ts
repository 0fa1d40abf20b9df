/** What the table of cases cannot say in every language's words: signals, signatures, secrets, hooks, options. */
import { inspect } from 'node:util';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { adviceOf } from '../../client/advice-of.ts';
import type { TokenBrokerOptions } from '../../client/api.ts';
import { brokerOf } from '../../client/broker.ts';
import { TokenBrokerError } from '../../client/errors.ts';
import { tokenBroker } from '../../client/index.ts';
import '../../client/advice-on-response.ts';
import type { BrokerEvent } from '../../client/events.ts';
import { rejectionBody } from '../../lambdas/parse.ts';
import { account } from '../../local/platform/account.ts';
import { signatureFault } from '../../local/platform/signature.ts';
import { queryOf } from '../../local/platform/signed-fetch.ts';
import { VirtualClock, virtualWorld } from './virtual.ts';

const secret = 'the-secret-access-token';
const url = 'https://broker.example';

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
  readonly redirect: RequestInit['redirect'];
}

type Answer = (sent: Sent) => Response | Promise<Response>;

const tokenReply = (generation: number, more: object = {}): Response =>
  Response.json({
    connection: 'demo',
    access_token: `${secret}-${generation}`,
    token_type: 'Bearer',
    expires_in: 600,
    expires_at: '2026-01-01T00:10:00Z',
    refresh_after: '2026-01-01T00:09:30Z',
    generation,
    headers: { Authorization: `Bearer ${secret}-${generation}`, 'X-ACCOUNT-KEY': `${secret}-key` },
    ...more,
  });

/** A client on a virtual clock, whose every request is answered by `answer`. */
type Options = { readonly [K in keyof TokenBrokerOptions]?: TokenBrokerOptions[K] | undefined };

function clientWith(answer: Answer, options: Options = {}, aheadMs = 0) {
  const clock = new VirtualClock();
  const sent: Sent[] = [];
  const send: typeof fetch = async (input, init) => {
    const request: Sent = {
      url: input instanceof Request ? input.url : String(input),
      method: init?.method ?? (input instanceof Request ? input.method : 'GET'),
      headers: new Headers(init?.headers),
      body: init?.body === undefined ? '' : await new Response(init.body).text(),
      redirect: init?.redirect,
    };
    sent.push(request);
    return Promise.race([
      answer(request),
      new Promise<never>((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))),
    ]);
  };
  const broker = brokerOf(
    { url, credentials: { bearer: 'a-jwt' }, ...options } as TokenBrokerOptions,
    virtualWorld(clock, send, { aheadMs }),
  );
  return { clock, sent, broker };
}

const failureOf = async (promise: Promise<unknown>): Promise<TokenBrokerError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TokenBrokerError)) throw new Error(`no TokenBrokerError: ${inspect(error)}`);
  return error;
};

describe('a signal', () => {
  test('ends the wait of its caller, and not the request that other callers wait for', async () => {
    let answer = (_: Response): void => {};
    const { broker, sent } = clientWith(() => new Promise((resolve) => (answer = resolve)));
    const impatient = new AbortController();
    const first = broker.token('demo', { signal: impatient.signal });
    const second = broker.token('demo');
    impatient.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    answer(tokenReply(1));
    expect((await second).generation).toBe(1);
    expect(sent).toHaveLength(1);
  });

  test('that has been given before stops even a kept token', async () => {
    const { broker, sent } = clientWith(() => tokenReply(1));
    await broker.token('demo');
    await expect(broker.token('demo', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(sent).toHaveLength(1);
  });

  test('ends a wait between two requests, and leaves no listener behind', async () => {
    const { broker, clock } = clientWith(() => new Response('{}', { status: 429 }));
    const impatient = new AbortController();
    const added = vi.spyOn(impatient.signal, 'addEventListener');
    const removed = vi.spyOn(impatient.signal, 'removeEventListener');
    const call = broker.token('demo', { signal: impatient.signal });
    call.catch(() => {});
    await clock.settle();
    impatient.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
    expect(clock.waiting).toBe(0);
  });

  test('of a call of an API ends that as well', async () => {
    const { broker } = clientWith(({ url: to }) =>
      to.startsWith(url) ? tokenReply(1) : new Promise<Response>(() => {}),
    );
    const call = broker.fetch('demo', 'https://api.example', { signal: AbortSignal.timeout(20) });
    await expect(call).rejects.toThrow(/timeout/);
  });
});

describe('no secret is shown', () => {
  const shown = (value: unknown): string =>
    `${inspect(value, { depth: 9, showHidden: true })} ${String(value)} ${JSON.stringify(value)}`;

  test('of a token', async () => {
    const { broker } = clientWith(() => tokenReply(3));
    const token = await broker.token('demo');
    expect(shown(token)).toContain('generation');
    expect(shown(token)).not.toContain(secret);
    expect(inspect(token.headers)).not.toContain(secret);
    expect(inspect({ nested: [token.headers] })).not.toContain(secret);
    // And yet they are ordinary headers.
    expect(new Headers(token.headers).get('x-account-key')).toBe(`${secret}-key`);
    expect({ ...token.headers }).toEqual({
      Authorization: `Bearer ${secret}-3`,
      'X-ACCOUNT-KEY': `${secret}-key`,
    });
    expect(token.accessToken).toBe(`${secret}-3`);
  });

  test('in an error, whatever came', async () => {
    const replies = [
      () => new Response(`{"access_token":"${secret}"}`, { headers: { 'content-type': 'application/json' } }),
      () => new Response(`<p>${secret}</p>`, { headers: { 'content-type': 'text/html' } }),
      () => Response.json({ message: secret }, { status: 403 }),
    ];
    for (const reply of replies) {
      const { broker } = clientWith(reply, { credentials: { bearer: `jwt-${secret}` } });
      expect(shown(await failureOf(broker.token('demo')))).not.toContain(secret);
      expect(shown(broker)).not.toContain(secret);
    }
  });

  test('of a URL that is refused', () => {
    expect(() => tokenBroker({ url: `https://me:${secret}@broker.example` })).toThrow(/^(?!.*the-secret).*ApiUrl/s);
  });
});

test.each([
  'http://broker.example',
  'broker.example',
  '',
  'https://broker.example?x=1',
  'https://broker.example#x',
  'ftp://127.0.0.1',
])('a URL that no broker has is refused at once: "%s"', (wrong) => {
  expect(() => tokenBroker({ url: wrong })).toThrow(TokenBrokerError);
});

test.each([
  ['https://broker.example/', 'https://broker.example/token/demo'],
  ['https://broker.example/apis/broker/', 'https://broker.example/apis/broker/token/demo'],
  ['http://127.0.0.1:8790', 'http://127.0.0.1:8790/token/demo'],
  ['http://localhost:8790', 'http://localhost:8790/token/demo'],
  ['https://localhost', 'https://localhost/token/demo'],
])('%s is a URL to ask', async (base, asked) => {
  const { broker, sent } = clientWith(() => tokenReply(1), { url: base });
  await broker.token('demo');
  expect(sent[0]?.url).toBe(asked);
});

test.each(['', 'UPPER', '../demo', 'a/b', `${'x'.repeat(64)}`, '-a', 'a-'])(
  'a name that no connection has asks nothing: "%s"',
  async (name) => {
    const { broker, sent } = clientWith(() => tokenReply(1));
    expect(await failureOf(broker.token(name))).toMatchObject({ code: 'invalid_request', retryable: false });
    expect(sent).toEqual([]);
  },
);

describe('credentials', () => {
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-key' };
  const regional = `https://abc123.execute-api.${account.region}.amazonaws.com`;

  /** What an independent signer finds wrong with a request; `undefined` for nothing. */
  const faultOf = ({ url: to, method, headers, body }: Sent, now: number): Promise<string | undefined> => {
    const { pathname, search, host } = new URL(to);
    return signatureFault(
      {
        method,
        path: pathname,
        query: queryOf(search.slice(1)),
        headers: { host, ...Object.fromEntries(headers) },
        body: Buffer.from(body),
      },
      keys,
      now,
    );
  };

  test.each([
    ['a key pair', keys],
    ['with a session token', { ...keys, sessionToken: 'a+session/token==' }],
    ['a function', () => keys],
    ['a function that promises', async () => ({ ...keys, sessionToken: 'x' })],
  ])('%s signs as an independent signer does', async (_, credentials) => {
    const { broker, sent, clock } = clientWith(() => tokenReply(1), { credentials, url: regional });
    await broker.token('demo', { minTtl: 60 });
    const rejection = { generation: 1, status: 401, detail: 'é "quoted"' };
    expect(await failureOf(broker.reject('demo', rejection, { timeoutMs: 1 }))).toMatchObject({ retryable: true });
    expect(sent.map(({ method }) => method)).toEqual(['GET', 'POST']);
    for (const each of sent) expect(await faultOf(each, clock.timeOfDay)).toBeUndefined();
  });

  describe('in the environment', () => {
    afterEach(() => vi.unstubAllEnvs());
    const fromEnvironment = (to: string) => clientWith(() => tokenReply(1), { credentials: undefined, url: to });
    const scopeOf = (sent: Sent | undefined): string =>
      /Credential=([^,]+)/.exec(sent?.headers.get('authorization') ?? '')?.[1] ?? '';

    test('are read at each use, with their session token', async () => {
      const { broker, sent, clock } = fromEnvironment(regional);
      vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId);
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey);
      vi.stubEnv('AWS_SESSION_TOKEN', 'first');
      await broker.token('one');
      expect(sent[0]?.headers.get('x-amz-security-token')).toBe('first');
      expect(sent[0] && (await faultOf(sent[0], clock.timeOfDay))).toBeUndefined();
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDSECOND');
      vi.stubEnv('AWS_SESSION_TOKEN', '');
      await broker.token('two');
      expect(scopeOf(sent[1])).toMatch(/^AKIDSECOND\//);
      expect(sent[1]?.headers.has('x-amz-security-token')).toBe(false);
    });

    test.each([
      ['https://abc.execute-api.eu-west-1.amazonaws.com', 'eu-west-1'],
      ['https://abc.execute-api.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
      ['https://broker.example', 'ap-south-1'],
    ])('are used for the Region of %s', async (to, region) => {
      vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId);
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey);
      vi.stubEnv('AWS_REGION', 'ap-south-1');
      const { broker, sent } = fromEnvironment(to);
      await broker.token('demo');
      expect(scopeOf(sent[0])).toMatch(new RegExp(`^AKIDEXAMPLE/\\d{8}/${region}/execute-api/aws4_request$`));
    });

    test('are missed at once, and so is the Region', async () => {
      for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION', 'AWS_DEFAULT_REGION'])
        vi.stubEnv(name, '');
      const { broker, sent } = fromEnvironment(url);
      expect(await failureOf(broker.token('demo'))).toMatchObject({
        code: 'no_credentials',
        retryable: false,
        message: expect.stringContaining('AWS_ACCESS_KEY_ID'),
      });
      vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId);
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey);
      expect(await failureOf(broker.token('other'))).toMatchObject({
        code: 'no_credentials',
        message: expect.stringContaining('AWS_REGION'),
      });
      expect(sent).toEqual([]);
    });
  });

  test('a JWT is asked for at each use', async () => {
    const jwts = ['first', 'second'];
    const { broker, sent } = clientWith(() => tokenReply(1), {
      credentials: { bearer: async () => jwts.shift() ?? '' },
    });
    await broker.token('one');
    await broker.token('two');
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer first', 'Bearer second']);
    expect(await failureOf(broker.token('three'))).toMatchObject({ code: 'no_credentials' });
  });

  test('a function that fails is named, and what it threw is kept', async () => {
    const cause = new Error('no metadata service');
    const credentials = (): never => {
      throw cause;
    };
    const { broker } = clientWith(() => tokenReply(1), { credentials });
    expect(await failureOf(broker.token('demo'))).toMatchObject({ code: 'no_credentials', cause });
  });

  test('a function that hangs takes no longer than an unanswered request', async () => {
    const { broker, clock } = clientWith(() => tokenReply(1), { credentials: () => new Promise(() => {}) });
    const call = failureOf(broker.token('demo', { timeoutMs: 16_000 }));
    await clock.until(call);
    expect(await call).toMatchObject({ code: 'timed_out' });
    expect(clock.seconds).toBeLessThanOrEqual(16);
  });
});

describe('a clock that is wrong by minutes', () => {
  const regional = `https://abc123.execute-api.${account.region}.amazonaws.com`;
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-key' };
  const start = Date.UTC(2026, 0, 1);
  const date = { date: new Date(start).toUTCString() };
  const signedAt = ({ headers }: Sent): string => headers.get('x-amz-date') ?? '';
  const punctual = (sent: Sent): Response =>
    signedAt(sent).startsWith('20260101T0000')
      ? tokenReply(1)
      : Response.json({ message: 'Forbidden' }, { status: 403, headers: date });

  test.each([20, -20])('%d minutes: the request is signed again by the time of the broker', async (minutes) => {
    const { broker, sent } = clientWith(punctual, { url: regional, credentials }, minutes * 60_000);
    const { expiresAt } = await broker.token('demo');
    // What a program compares it with is its own clock.
    expect(expiresAt).toBe(start + minutes * 60_000 + 600_000);
    expect(sent).toHaveLength(2);
    await broker.token('another');
    expect(sent).toHaveLength(3);
  });

  test('a refusal for another reason is not repeated, and names the clock if that may be it', async () => {
    const refuse = (): Response => Response.json({ message: 'Forbidden' }, { status: 403, headers: date });
    const wrong = clientWith(refuse, { url: regional, credentials }, 1_200_000);
    expect((await failureOf(wrong.broker.token('demo'))).message).toContain('1200 s');
    expect(wrong.sent).toHaveLength(2);
    const right = clientWith(refuse, { url: regional, credentials }, 1_000);
    expect((await failureOf(right.broker.token('demo'))).message).not.toMatch(/clock/);
    expect(right.sent).toHaveLength(1);
  });
});

describe('hooks', () => {
  test('hear what happens, without a secret', async () => {
    const events: BrokerEvent[] = [];
    const replies = [
      () => new Response('{}', { status: 429 }),
      () => tokenReply(1, { warning: 'the last renewal failed' }),
      () => new Response('{}', { status: 401 }),
      () => tokenReply(2),
      () => new Response('{}', { status: 401 }),
    ];
    const { broker, clock } = clientWith(() => replies.shift()?.() ?? new Response('{}', { status: 500 }), {
      onEvent: (event) => events.push(event),
    });
    await clock.until(broker.fetch('demo', 'https://api.example/me'));
    expect(events).toMatchObject([
      { kind: 'ask_failed', error: { code: 'throttled' }, failures: 1, pauseMs: 1_000 },
      { kind: 'token_received', generation: 1, warning: 'the last renewal failed' },
      { kind: 'api_refused', status: 401, generation: 1, advice: { do: 'report_token' } },
      { kind: 'token_reported', generation: 1 },
      { kind: 'token_received', generation: 2 },
      { kind: 'api_refused', status: 401, generation: 2 },
    ]);
    expect(inspect(events, { depth: 9 })).not.toContain(secret);
  });

  test('that throw disturb no caller', async () => {
    const { broker } = clientWith(() => tokenReply(1), {
      onEvent() {
        throw new Error('the hook is broken');
      },
    });
    expect((await broker.token('demo')).generation).toBe(1);
  });
});

describe('fetch', () => {
  const api =
    (...replies: readonly (() => Response)[]): Answer =>
    ({ url: to, method }) => {
      if (to.startsWith(url)) return tokenReply(method === 'POST' ? 2 : 1);
      apiReplies ??= [...replies];
      return apiReplies.shift()?.() ?? new Response('{}');
    };
  let apiReplies: (() => Response)[] | undefined;
  beforeEach(() => {
    apiReplies = undefined;
  });
  const ofApi = (sent: readonly Sent[]): readonly Sent[] => sent.filter(({ url: to }) => !to.startsWith(url));

  test('sends the headers of the token, and those of the caller that are no token', async () => {
    const { broker, sent } = clientWith(api());
    await broker.fetch('demo', new URL('https://api.example/me'), {
      headers: { accept: 'text/csv', authorization: 'Bearer stale' },
    });
    const [{ headers, redirect } = { headers: new Headers(), redirect: undefined }] = ofApi(sent);
    expect(Object.fromEntries(headers)).toEqual({
      accept: 'text/csv',
      authorization: `Bearer ${secret}-1`,
      'x-account-key': `${secret}-key`,
    });
    expect(redirect).toBe('manual');
  });

  test('takes a Request, and repeats it if it has no body', async () => {
    const unauthorized = (): Response => new Response('{}', { status: 401 });
    const { broker, sent } = clientWith(api(unauthorized, unauthorized));
    const reply = await broker.fetch('demo', new Request('https://api.example/me', { headers: { accept: 'a/b' } }));
    expect(reply.status).toBe(401);
    expect(ofApi(sent).map(({ headers }) => headers.get('accept'))).toEqual(['a/b', 'a/b']);
    const once = clientWith(api(unauthorized));
    apiReplies = undefined;
    await once.broker.fetch('demo', new Request('https://api.example/me', { method: 'POST', body: 'x' }));
    expect(ofApi(once.sent)).toHaveLength(1);
  });

  test('says what is wrong with a relative URL that nothing completes', async () => {
    const { broker } = clientWith(api());
    await expect(broker.fetch('demo', '/me')).rejects.toThrow('connection "demo" has no endpoint');
  });

  test('tells what the reply of a known provider asks for', async () => {
    const { broker } = clientWith(
      api(
        () => new Response('', { status: 429, headers: { 'x-ratelimit-reset': String(Date.UTC(2026, 0, 1, 0, 5)) } }),
      ),
    );
    const reply = await broker.fetch('demo', 'https://api.example', { provider: 'exact-online' });
    expect(adviceOf(reply)).toMatchObject({ do: 'retry', retryAfterSeconds: 300 });
    expect(adviceOf(new Response('{}'))).toBeUndefined();
  });

  test('goes by the rules of the provider: a refused token may look otherwise', async () => {
    const expired = (): Response =>
      Response.json(
        { 'ia::result': { 'ia::error': { code: 'invalidRequest', errorId: 'REST-1206', message: 'expired' } } },
        { status: 400 },
      );
    const known = clientWith(api(expired));
    expect((await known.broker.fetch('demo', 'https://api.example', { provider: 'sage-intacct-rest' })).status).toBe(
      200,
    );
    expect(known.sent.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST', 'GET']);
    apiReplies = undefined;
    const unknown = clientWith(api(expired));
    expect((await unknown.broker.fetch('demo', 'https://api.example')).status).toBe(400);
  });

  test('looks inside XML that comes with 200, and makes the body anew with the newer token', async () => {
    const refused = (): Response =>
      new Response(
        '<response><control><status>success</status></control><operation><authentication><status>failure</status>' +
          '</authentication><errormessage><error><errorno>XL03000006</errorno></error></errormessage></operation>' +
          '</response>',
        { headers: { 'content-type': 'text/xml; charset=utf-8' } },
      );
    const { broker, sent } = clientWith(api(refused, refused));
    const reply = await broker.fetch('demo', 'https://api.example', {
      method: 'POST',
      body: ({ accessToken }) => `<sessionid>${accessToken}</sessionid>`,
      provider: 'sage-intacct-xml',
    });
    expect(ofApi(sent).map(({ body }) => body)).toEqual([1, 2].map((n) => `<sessionid>${secret}-${n}</sessionid>`));
    expect(adviceOf(reply)?.do).toBe('reauthorize');
    expect(await reply.text()).toContain('XL03000006');
  });

  test('leaves the body of a reply to the caller, however long', async () => {
    const long = 'x'.repeat(300_000);
    const { broker } = clientWith(api(() => new Response(long, { status: 500 })));
    const reply = await broker.fetch('demo', 'https://api.example', { provider: 'exact-online' });
    expect((await reply.text()).length).toBe(long.length);
  });

  test('passes on that the API cannot be reached', async () => {
    const { broker } = clientWith(
      api(() => {
        throw new TypeError('fetch failed');
      }),
    );
    await expect(broker.fetch('demo', 'https://api.example')).rejects.toThrow('fetch failed');
  });
});

test('a caller who was told to wait takes the token that another caller got meanwhile', async () => {
  const replies = [
    () => Response.json({ code: 'temporarily_unavailable', retryable: true, retry_after: 5 }, { status: 503 }),
    () => tokenReply(1),
  ];
  const { broker, sent, clock } = clientWith(() => replies.shift()?.() ?? new Response('{}', { status: 500 }));
  const patient = broker.token('demo', { minTtl: 60 });
  await clock.settle();
  await clock.until(broker.token('demo'));
  await clock.until(patient);
  expect((await patient).generation).toBe(1);
  expect(sent.map(({ url: to }) => to)).toEqual([`${url}/token/demo?min_ttl=60`, `${url}/token/demo`]);
});

test('each question is given to the platform that is to wait until it has ended', async () => {
  const questions: Promise<unknown>[] = [];
  const replies = [() => tokenReply(1), () => new Response('{}', { status: 500 })];
  const { broker, clock } = clientWith(() => replies.shift()?.() ?? tokenReply(2), {
    waitUntil: (question) => questions.push(question),
  });
  await broker.token('demo');
  await clock.moveTo(574);
  // In the background; one that fails does not reject.
  await broker.token('demo');
  expect(
    (await Promise.all(questions)).map((token) => (token as { generation: number } | undefined)?.generation),
  ).toEqual([1, undefined]);
});

describe('a request that the platform has dropped with the call that began it', () => {
  /** As in a Worker whose caller has gone: neither the reply nor the timer of the request ever comes. */
  function droppingClient() {
    const clock = new VirtualClock();
    const answers: (Response | undefined)[] = [];
    const send: typeof fetch = async () => answers.shift() ?? new Promise<never>(() => {});
    const world = virtualWorld(clock, send);
    const timer: typeof world.timer = (ms, then, awaited) => (awaited ? world.timer(ms, then, awaited) : () => {});
    return { clock, answers, broker: brokerOf({ url, credentials: { bearer: 'a-jwt' } }, { ...world, timer }) };
  }

  test('keeps the next callers waiting no longer than a request may take', async () => {
    const { clock, answers, broker } = droppingClient();
    answers.push(undefined, tokenReply(1));
    broker.token('demo', { timeoutMs: 1_000 }).catch(() => {});
    await clock.moveTo(2);
    const next = broker.token('demo');
    await clock.until(next);
    expect((await next).generation).toBe(1);
    expect(clock.seconds).toBe(16);
  });

  test('does not end the questions in the background', async () => {
    const { clock, answers, broker } = droppingClient();
    answers.push(tokenReply(1), undefined, tokenReply(2));
    await broker.token('demo');
    await clock.moveTo(574);
    expect((await broker.token('demo')).generation).toBe(1);
    await clock.moveTo(589.9);
    expect((await broker.token('demo')).generation).toBe(1);
    await clock.moveTo(590);
    await broker.token('demo');
    await clock.settle();
    expect((await broker.token('demo')).generation).toBe(2);
  });
});

test('a report has no more words than the broker takes', async () => {
  const { broker, sent } = clientWith(() => tokenReply(2));
  await broker.reject('demo', { generation: 1, detail: 'x'.repeat(1_000) });
  const bodies = sent.map(({ body }) => v.safeParse(rejectionBody, JSON.parse(body)).success);
  expect(bodies).toEqual([true]);
});
