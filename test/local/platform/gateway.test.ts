import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Gateway, type Refusal, startGateway } from '../../../local/platform/gateway.ts';
import { type Lambda, startLambda } from '../../../local/platform/lambda.ts';
import { Sha256 } from '../../../local/platform/signature.ts';
import { type SignedFetch, signedFetch } from '../../../local/platform/signed-fetch.ts';
import { fixtureFunction } from './fixtures/functions.ts';

const credentials = { accessKeyId: 'LOCALKEY', secretAccessKey: 'secret/with+signs' };
const keys = [
  'GET /items/{item}',
  'PUT /items/{item}',
  'GET /items',
  'GET /plain',
  'GET /wrong',
  'GET /binary',
  'GET /throw',
  'GET /slow',
  'POST /echo',
];

let gateway: Gateway;
let lambda: Lambda;
let signed: SignedFetch;
/** What the person at the terminal is told. */
const refusals: Refusal[] = [];
beforeEach(() => void refusals.splice(0));

beforeAll(async () => {
  lambda = startLambda([fixtureFunction('http')], { variables: {} });
  gateway = await startGateway(0);
  const route = { functionName: 'http', timeoutMs: 5_000 };
  const routes = [
    ...keys.map((routeKey) => ({
      ...route,
      routeKey,
      authorization: 'AWS_IAM' as const,
      timeoutMs: routeKey === 'GET /slow' ? 200 : 5_000,
    })),
    { ...route, routeKey: 'GET /open', authorization: 'NONE' as const },
  ];
  gateway.serve({ routes, lambda, credentials, onRefusal: (refusal) => refusals.push(refusal) });
  signed = signedFetch(gateway.url, credentials);
});

afterAll(async () => {
  await lambda.close(0);
  await gateway.close();
});

const eventOf = async (response: Response) => {
  expect(response.status).toBe(200);
  return JSON.parse(await response.text());
};

describe('a request that is signed', () => {
  test('reaches the function as payload format 2.0', async () => {
    const event = await eventOf(
      await signed('/items/a%20b?min_ttl=5&tag=x&tag=y', {
        headers: { 'X-Custom': ' two  words ', Cookie: 'a=1; b=2' },
      }),
    );
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'GET /items/{item}',
      rawPath: '/items/a%20b',
      rawQueryString: 'min_ttl=5&tag=x&tag=y',
      cookies: ['a=1', 'b=2'],
      queryStringParameters: { min_ttl: '5', tag: 'x,y' },
      pathParameters: { item: 'a b' },
      isBase64Encoded: false,
      requestContext: {
        accountId: '000000000000',
        stage: '$default',
        routeKey: 'GET /items/{item}',
        http: { method: 'GET', path: '/items/a%20b', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' },
        authorizer: {
          iam: { accessKey: 'LOCALKEY', accountId: '000000000000', userArn: 'arn:aws:iam::000000000000:user/local' },
        },
      },
    });
    expect(event.headers).toMatchObject({ 'x-custom': 'two  words', host: new URL(gateway.url).host });
    expect(event).not.toHaveProperty('body');
    expect(event.requestContext.time).toMatch(/^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
  });

  test('brings a JSON body as text, and any other as base64', async () => {
    const text = await eventOf(
      await signed('/items/a', {
        method: 'PUT',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: '{"ü":1}',
      }),
    );
    expect(text).toMatchObject({ body: '{"ü":1}', isBase64Encoded: false });
    const form = await eventOf(
      await signed('/items/a', {
        method: 'PUT',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'a=1',
      }),
    );
    expect(form).toMatchObject({ body: Buffer.from('a=1').toString('base64'), isBase64Encoded: true });
  });

  test('is refused without a signature, unless its route needs none', async () => {
    const refused = await fetch(`${gateway.url}/items/a`);
    expect([refused.status, await refused.json()]).toEqual([403, { message: 'Forbidden' }]);
    const reason = 'it is not signed; sign it for execute-api in us-east-1, as curl does with --aws-sigv4';
    expect(refusals).toEqual([{ request: 'GET /items/a', status: 403, reason }]);
    const event = await eventOf(await fetch(`${gateway.url}/open`));
    expect(event.requestContext).not.toHaveProperty('authorizer');
  });
});

/** Signs by the same library, lets `tamper` change what was signed, and sends it. */
async function send(tamper: {
  method?: string;
  path?: string;
  body?: string;
  headers?: Record<string, string>;
  key?: string;
  secret?: string;
  service?: string;
  region?: string;
  host?: null;
  at?: Date;
}) {
  const {
    key = credentials.accessKeyId,
    secret = credentials.secretAccessKey,
    service = 'execute-api',
    region = 'us-east-1',
    at = new Date(),
  } = tamper;
  const url = new URL('/items/a?x=1', gateway.url);
  const body = 'body';
  const signer = new SignatureV4({
    credentials: { accessKeyId: key, secretAccessKey: secret },
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
  });
  const request = {
    method: 'PUT',
    protocol: 'http:',
    hostname: url.hostname,
    path: url.pathname,
    query: { x: '1' },
    headers: { ...(tamper.host === null ? {} : { host: url.host }), 'x-signed': 'yes' },
    body,
  };
  const { headers } = await signer.sign(request, { signingDate: at });
  const sent = await fetch(new URL(tamper.path ?? '/items/a?x=1', gateway.url), {
    method: tamper.method ?? 'PUT',
    headers: { ...headers, ...tamper.headers },
    body: tamper.body ?? body,
  });
  return sent.status;
}

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
/** As `x-amz-date` has it. */
const dateOf = (minutes: number): string =>
  minutesAgo(minutes)
    .toISOString()
    .replace(/[-:]|\.\d+/g, '');

describe('a signature', () => {
  test('holds for what was signed', async () => {
    expect(await send({})).toBe(200);
    expect(await send({ headers: { 'x-not-signed': 'added on the way' } })).toBe(200);
  });

  test.each([
    ['another secret', /^its signature is another one: the secret key, or/, { secret: 'guess' }],
    ['another key', /^it is signed with another access key than LOCALKEY/, { key: 'OTHERKEY' }],
    ['another service', /^it is signed for another service or Region; .* execute-api in us-east-1$/, { service: 's3' }],
    ['another Region', /^it is signed for another service or Region/, { region: 'eu-west-1' }],
    ['a host that was not signed', /does not cover the Host header$/, { host: null }],
    ['another body', /^its signature is another one:/, { body: 'bodY' }],
    ['another path', /^its signature is another one:/, { path: '/items/b?x=1' }],
    ['another query', /^its signature is another one:/, { path: '/items/a?x=2' }],
    ['a longer query', /^its signature is another one:/, { path: '/items/a?x=1&y=1' }],
    ['a query that is not sorted', /its query parameters are not sorted by name/, { path: '/items/a?x=1&min_ttl=1' }],
    ['another value of a signed header', /^its signature is another one:/, { headers: { 'x-signed': 'no' } }],
    ['another date than signed', /^its signature is another one:/, { headers: { 'x-amz-date': dateOf(1) } }],
    ['no date', /^its X-Amz-Date header is missing/, { headers: { 'x-amz-date': '' } }],
    [
      'a hash of another body',
      /^its signature is another one:/,
      { headers: { 'x-amz-content-sha256': createHash('sha256').update('other').digest('hex') }, body: 'other' },
    ],
    [
      'a garbled authorization',
      /^its Authorization header is not a signature/,
      { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=LOCALKEY' } },
    ],
  ])('is refused with %s, and the terminal says so', async (_, reason, tamper) => {
    expect(await send(tamper)).toBe(403);
    expect(refusals).toEqual([
      { request: expect.stringMatching(/^PUT \/items\/[ab]$/), status: 403, reason: expect.stringMatching(reason) },
    ]);
  });

  test('with key and secret exchanged is refused, and the terminal does not show the secret', async () => {
    const { accessKeyId: secret, secretAccessKey: key } = {
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: 'not-a-slash',
    };
    expect(await send({ key, secret })).toBe(403);
    expect(JSON.stringify(refusals)).not.toContain(key);
    expect(refusals).toHaveLength(1);
  });

  test('holds for five minutes, before and after', async () => {
    const statuses = [];
    for (const minutes of [4.9, 5.1, -4.9, -5.1]) statuses.push(await send({ at: minutesAgo(minutes) }));
    expect(statuses).toEqual([200, 403, 200, 403]);
    expect(refusals.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(
        /^it was signed 30[5-9] s in the past, and 300 s are allowed; is the client's clock right\?$/,
      ),
      expect.stringMatching(/^it was signed 30[5-7] s in the future, /),
    ]);
  });

  test('over a claimed hash of the body is refused when the body is another', async () => {
    const url = new URL('/items/a', gateway.url);
    const signer = new SignatureV4({ credentials, region: 'us-east-1', service: 'execute-api', sha256: Sha256 });
    const request = {
      method: 'PUT',
      protocol: 'http:',
      hostname: url.hostname,
      path: url.pathname,
      headers: { host: url.host },
      body: 'body',
    };
    const { headers } = await signer.sign(request);
    expect(headers).toHaveProperty('x-amz-content-sha256');
    expect((await fetch(url, { method: 'PUT', headers, body: 'body' })).status).toBe(200);
    expect((await fetch(url, { method: 'PUT', headers, body: 'bodY' })).status).toBe(403);
    expect(refusals).toMatchObject([{ reason: 'its body is not the one whose hash X-Amz-Content-SHA256 names' }]);
  });
});

describe('a route', () => {
  test.each(['/nothing', '/items/', '/items/a/b', '/Items/a', '/%zz'])('is not found at %s', async (path) => {
    const response = await fetch(gateway.url + path);
    expect([response.status, await response.json()]).toEqual([404, { message: 'Not Found' }]);
  });

  test('is not found for another method', async () => {
    expect((await signed('/items', { method: 'DELETE' })).status).toBe(404);
  });
});

describe('a function’s answer', () => {
  test('without a status is the body of a 200', async () => {
    const response = await signed('/plain');
    expect([response.status, response.headers.get('content-type'), await response.json()]).toEqual([
      200,
      'application/json',
      { hello: 'world' },
    ]);
  });

  test('with a status brings headers, cookies and bytes', async () => {
    const response = await signed('/binary');
    expect([response.status, response.headers.get('x-kind'), response.headers.getSetCookie()]).toEqual([
      201,
      'binary',
      ['a=1', 'b=2'],
    ]);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255]);
  });

  test.each(['/wrong', '/throw'])('that is no answer (%s) is a 500', async (path) => {
    const response = await signed(path);
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
  });

  test('that comes too late is a 503', async () => {
    const response = await signed('/slow');
    expect([response.status, await response.json()]).toEqual([503, { message: 'Service Unavailable' }]);
    expect(response.headers.get('retry-after')).toBeNull();
    expect(refusals).toEqual([{ request: 'GET /slow', status: 503, reason: 'http did not answer within 0.2 s' }]);
  });
});

describe('what API Gateway lets through', () => {
  const bare = async (response: Response) => ({
    status: response.status,
    type: response.headers.get('content-type'),
    retryAfter: response.headers.get('retry-after'),
    body: await response.json(),
  });
  const tooMany = {
    status: 429,
    type: 'application/json',
    retryAfter: null,
    body: { message: 'Too Many Requests' },
  };

  test('is so many at once, and so many a second from then on; the rest is a bare 429, and no function runs', async () => {
    const limited = await startGateway(0);
    let [now, invoked] = [0, 0];
    const answering = {
      invoke: async () => {
        invoked += 1;
        return { payload: '{"statusCode":204}' };
      },
    };
    const shared = { requestsPerSecond: 2, burst: 3 };
    const route = { functionName: 'http', timeoutMs: 5_000, authorization: 'NONE' as const };
    const told: Refusal[] = [];
    limited.serve({
      routes: [
        { ...route, routeKey: 'GET /one', throttle: shared },
        { ...route, routeKey: 'GET /two', throttle: shared },
        { ...route, routeKey: 'GET /page', throttle: { requestsPerSecond: 1, burst: 1 } },
        { ...route, routeKey: 'GET /free' },
      ],
      lambda: answering,
      credentials,
      now: () => now,
      onRefusal: (refusal) => told.push(refusal),
    });
    const statusOf = async (path: string) => (await fetch(limited.url + path)).status;
    try {
      expect([await statusOf('/one'), await statusOf('/two'), await statusOf('/one')]).toEqual([204, 204, 204]);
      expect(await bare(await fetch(`${limited.url}/two`))).toEqual(tooMany);
      expect(told).toEqual([
        { request: 'GET /two', status: 429, reason: 'more requests came than 2 a second, and 3 at once' },
      ]);
      // A route with settings of its own has a bucket of its own.
      expect([await statusOf('/page'), await statusOf('/page'), await statusOf('/free')]).toEqual([204, 429, 204]);
      now = 499;
      expect(await statusOf('/one')).toBe(429);
      now = 500;
      expect([await statusOf('/one'), await statusOf('/one')]).toEqual([204, 429]);
      now = 3_600_000;
      expect([await statusOf('/one'), await statusOf('/one'), await statusOf('/one'), await statusOf('/one')]).toEqual([
        204, 204, 204, 429,
      ]);
      expect(invoked).toBe(9);
    } finally {
      await limited.close();
    }
  });

  test('a function that Lambda throttles is a bare 503', async () => {
    const busy = await startGateway(0);
    const none = startLambda([fixtureFunction('http')], { variables: {}, quota: 0 });
    const route = { functionName: 'http', timeoutMs: 5_000, authorization: 'NONE' as const };
    busy.serve({ routes: [{ ...route, routeKey: 'GET /one' }], lambda: none, credentials });
    try {
      expect(await bare(await fetch(`${busy.url}/one`))).toEqual({
        status: 503,
        type: 'application/json',
        retryAfter: null,
        body: { message: 'Service Unavailable' },
      });
    } finally {
      await none.close(0);
      await busy.close();
    }
  });
});

describe('limits', () => {
  test('request line and headers up to 10 KiB', async () => {
    const open = async (length: number) =>
      (await fetch(`${gateway.url}/open`, { headers: { 'x-long': 'x'.repeat(length) } })).status;
    expect([await open(9_900), await open(10_240)]).toEqual([200, 431]);
  });

  test('a body up to 10 MiB', async () => {
    // Not signed, so that what fits is refused for another reason.
    expect(await answerTo(10 * 1024 * 1024)).toContain('403 Forbidden');
    expect(await answerTo(10 * 1024 * 1024 + 1)).toMatch(
      /^HTTP\/1\.1 413 .*\{"message":"Request Entity Too Large"\}$/s,
    );
  });

  /**
   * Sends a body of this length over a connection of its own: fetch would report a broken pipe where the answer comes
   * before the body's end.
   */
  async function answerTo(length: number): Promise<string> {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${length}\r\n\r\n`);
    socket.write(Buffer.alloc(length));
    const [answer] = await once(socket, 'data');
    socket.destroy();
    return String(answer);
  }
});

const curl = await promisify(execFile)('curl', ['--version']).then(
  ({ stdout }) => Number(/^curl (\d+\.\d+)/.exec(stdout)?.[1]) >= 7.75,
  () => false,
);

describe.skipIf(!curl)('curl --aws-sigv4', () => {
  const run = async (secret: string, ...args: string[]) => {
    const signature = [
      '--aws-sigv4',
      'aws:amz:us-east-1:execute-api',
      '--user',
      `${credentials.accessKeyId}:${secret}`,
    ];
    const { stdout } = await promisify(execFile)('curl', [
      '--silent',
      '--write-out',
      '\n%{http_code}',
      ...signature,
      ...args,
    ]);
    const [status = '', ...body] = stdout.split('\n').reverse();
    return { status: Number(status), body: body.reverse().join('\n') };
  };

  // The parameters sorted by name: curl 7.88 signs them in the order in which they stand, which AWS would not accept
  // either.
  test.each(['/items/a', '/items', '/items/a?min_ttl=5', '/items/a?min_ttl=60&wait=25'])(
    'is understood at %s',
    async (path) => {
      expect((await run(credentials.secretAccessKey, gateway.url + path)).status).toBe(200);
    },
  );

  test('is understood with a body', async () => {
    const body = JSON.stringify({ provider: 'generic-oauth2', text: 'ä' });
    const { status, body: answer } = await run(
      credentials.secretAccessKey,
      '-X',
      'PUT',
      '-H',
      'content-type: application/json',
      '--data',
      body,
      `${gateway.url}/items/a`,
    );
    expect(status).toBe(200);
    expect(JSON.parse(answer)).toMatchObject({ body, isBase64Encoded: false });
  });

  test('is refused with another secret', async () => {
    expect(await run('guess', `${gateway.url}/items/a`)).toEqual({ status: 403, body: '{"message":"Forbidden"}' });
  });
});

describe('starting', () => {
  test('answers 503 until it serves, and rejects when the port is taken', async () => {
    const early = await startGateway(0);
    expect((await fetch(`${early.url}/open`)).status).toBe(503);
    await expect(startGateway(Number(new URL(early.url).port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await early.close();
  });
});
