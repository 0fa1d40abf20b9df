import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Advice, type Asked, adviceOn } from '../../client/advice.ts';
import { parseApiPreset } from '../../client/api-preset.ts';
import { knownApis } from '../../client/apis/index.ts';
import { knownPresets } from '../../shared/providers/presets/index.ts';
import { now } from '../providers/loopback.ts';

const root = join(import.meta.dirname, '../..');

type Reply = readonly [status: number, body?: object | string, headers?: Record<string, string>];

function advice(provider: string, reply: Reply | undefined, asked: Partial<Asked> = {}): Advice {
  if (reply === undefined) return adviceOn(provider, undefined, { now, ...asked });
  const [status, body = '', headers = {}] = reply;
  return adviceOn(
    provider,
    { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) },
    { now, ...asked },
  );
}

type Row = readonly [what: string, reply: Reply | undefined, asked: Partial<Asked>, expected: object];
const post = { method: 'POST' };
const again = { failures: 1 };
const wait = (seconds: number, more: object = {}) => ({ do: 'retry', retryAfterSeconds: seconds, ...more });

describe('Exact Online', () => {
  const odata = (value: string) => ({ error: { code: '', message: { lang: '', value } } });
  test.each<Row>([
    ['a refused token is reported once', [401], {}, { do: 'report_token' }],
    ['a renewed token that is refused is not reported again', [401], again, { do: 'reauthorize' }],
    [
      'a wrong request is not repeated',
      [400, odata('Mandatory: Name')],
      post,
      { do: 'correct_request', description: 'Mandatory: Name' },
    ],
    [
      'a missing right is no matter of the token',
      [403],
      {},
      { do: 'correct_request', reason: expect.stringMatching(/ten errors an hour/) },
    ],
    [
      'what is not there is not asked for again',
      [404],
      {},
      { do: 'correct_request', reason: expect.stringMatching(/ten errors an hour/) },
    ],
    [
      'a missing general ledger account is no outage, though it is a 500',
      [500, odata('Verplicht: Grootboekrekening')],
      post,
      { do: 'correct_request', description: 'Verplicht: Grootboekrekening' },
    ],
    [
      'a contact that may not be deleted is no outage, though it is a 503',
      [503],
      { method: 'DELETE' },
      { do: 'correct_request' },
    ],
    ['a request whose method is not told is taken for a write', [503], {}, { do: 'correct_request' }],
    ['a read may be repeated', [503], { method: 'GET' }, wait(15, { mayHaveActed: false })],
    [
      'the limit of the minute says when it ends',
      [429, '', { 'X-RateLimit-Minutely-Reset': String(now + 23_000) }],
      {},
      wait(23, { retryAt: now + 23_000 }),
    ],
    [
      'the limit of the day says when it ends',
      [429, '', { 'X-RateLimit-Reset': String(now + 7_200_000) }],
      again,
      wait(7_200),
    ],
    ['a limit that says nothing is a minute long', [429], {}, wait(60)],
    [
      'the header of the day means nothing beside an error',
      [500, '', { 'x-ratelimit-reset': String(now + 7_200_000) }],
      { method: 'GET' },
      wait(15),
    ],
  ])('%s', (_, reply, asked, expected) => {
    expect(advice('exact-online', reply, asked)).toMatchObject(expected);
  });
});

describe.each(['ixon-user', 'ixon-service-account'])('IXON, %s', (provider) => {
  const error = (message: string, propertyName?: string) => ({
    type: 'Error',
    data: [{ message, propertyName }],
    moreAfter: null,
    status: 'error',
  });
  test.each<Row>([
    [
      'a network error',
      undefined,
      post,
      wait(1, { mayHaveActed: true, reason: expect.stringMatching(/^A network error/) }),
    ],
    ['an expired token is reported', [401, error('Invalid value', 'Authorization')], {}, { do: 'report_token' }],
    [
      'a new token that is refused needs its credentials',
      [401, error('Invalid value', 'Authorization')],
      again,
      { do: 'reauthorize' },
    ],
    [
      'an invalid value elsewhere is the request’s',
      [400, error('Invalid value', 'Api-Company')],
      {},
      { do: 'correct_request', description: 'Invalid value' },
    ],
    [
      'a header is missing',
      [400, error('Required header', 'Api-Company')],
      {},
      { do: 'correct_request', reason: expect.stringMatching(/header is missing/) },
    ],
    [
      'a second factor is needed',
      [403, error('2FA is required')],
      {},
      { do: 'reauthorize', description: '2FA is required' },
    ],
    [
      'a token that is too short is made anew',
      [400, error('Value is too short', 'Authorization')],
      {},
      { do: 'report_token' },
    ],
    [
      'a token that is too long is made anew',
      [400, error('Value is too long', 'Authorization')],
      {},
      { do: 'report_token' },
    ],
    [
      'a token without its type',
      [400, error('Authorization must start with a type and have a credentials', 'Authorization')],
      {},
      { do: 'report_token' },
    ],
    [
      'a token of another form',
      [400, error('Value does not match regex expression', 'Authorization')],
      {},
      { do: 'report_token' },
    ],
    [
      'a new one that is wrong again was sent wrongly',
      [400, error('Value is too long', 'Authorization')],
      again,
      { do: 'correct_request' },
    ],
    [
      'a name that is too short is the request’s',
      [400, error('Value is too short', 'name')],
      {},
      { do: 'correct_request' },
    ],
    [
      'anything else is the request’s',
      [404, error('Not found')],
      {},
      { do: 'correct_request', reason: expect.stringMatching(/propertyName tell which/) },
    ],
    ['a block stays for ten minutes', [429], {}, wait(600)],
    ['and for no longer, however often one comes too early', [429], { failures: 5 }, wait(600)],
    ['an incident', [500], again, wait(30, { reason: expect.stringMatching(/incident/) })],
    [
      'what took too long',
      [504],
      post,
      wait(15, { mayHaveActed: true, reason: expect.stringMatching(/ask for less/) }),
    ],
  ])('%s', (_, reply, asked, expected) => {
    expect(advice(provider, reply, asked)).toMatchObject(expected);
  });
});

describe.each(['sage-intacct-rest', 'sage-intacct-client-credentials'])('Sage Intacct, %s', (provider) => {
  const wrapped = (code: string, errorId: string) => ({
    'ia::result': { 'ia::error': { code, message: 'no', errorId } },
  });
  const bare = (code: string) => ({ 'ia::error': { code, message: 'no' } });
  const plain = (errorId: string) => ({ error: { code: 'x', message: 'no', errorId } });
  const throttled = (value: string, header: string) => [429, wrapped('x', 'GW-0010'), { [header]: value }] as const;
  test.each<Row>([
    ['an expired token', [401, bare('GW-0040')], {}, { do: 'report_token', error: 'GW-0040', description: 'no' }],
    ['an expired token by another status', [400, plain('REST-1206')], {}, { do: 'report_token', error: 'REST-1206' }],
    [
      'a token that another grant replaced',
      [401, wrapped('tokenInvalid', 'REST-2102')],
      {},
      { do: 'report_token', error: 'REST-2102' },
    ],
    ['a token that is refused again', [401, wrapped('tokenInvalid', 'REST-2102')], again, { do: 'reauthorize' }],
    ['a refusal without a code, again', [401], again, { do: 'reauthorize' }],
    ['an inactive tenant', [400, wrapped('x', 'GW-0011')], {}, { do: 'reauthorize' }],
    ['a malformed header', [401, bare('GW-0031')], {}, { do: 'correct_request' }],
    ['a malformed path', [404, bare('GW-0034')], {}, { do: 'correct_request' }],
    [
      'the same key twice',
      [409, plain('x')],
      post,
      { do: 'correct_request', reason: expect.stringMatching(/done already/) },
    ],
    ['too much, with seconds', throttled('17', 'Retry-After'), {}, wait(17)],
    [
      'too much, with seconds in a header of its own',
      throttled('18', 'X-IA-Minute-Rate-Limit-Retry-After'),
      {},
      wait(18),
    ],
    [
      'too much, with a date',
      throttled('Sun, 01 Mar 2026 12:00:19 GMT', 'X-IA-Throttle-Limit-Retry-After'),
      {},
      wait(19),
    ],
    ['too much, without a word', [429], again, wait(120, { reason: expect.stringMatching(/GW-0010/) })],
    ['a wrong request', [422, plain('REST-1028')], {}, { do: 'correct_request' }],
    ['an outage', [503], { method: 'GET' }, wait(15, { mayHaveActed: false })],
  ])('%s', (_, reply, asked, expected) => {
    expect(advice(provider, reply, asked)).toMatchObject(expected);
  });
});

describe('Sage Intacct, XML', () => {
  const message = (errorno: string, words = '') =>
    `<errormessage><error><errorno>${errorno}</errorno><description2>${words}</description2></error></errormessage>`;
  const response = (control: string, operation = '', rest = '') =>
    `<?xml version="1.0"?><response><control><status>${control}</status></control>${operation && `<operation>${operation}</operation>`}${rest}</response>`;
  const signedIn = '<authentication><status>success</status></authentication>';
  const result = (status: string, id: string, rest = '') =>
    `<result>\n<status>${status}</status><controlid>${id}</controlid>${rest}</result>`;
  test.each<Row>([
    [
      'control level: wrong sender',
      [200, response('failure', '', message('XL03000006', 'Incorrect Intacct XML Partner ID or password.'))],
      {},
      {
        do: 'correct_request',
        error: 'XL03000006',
        description: 'Incorrect Intacct XML Partner ID or password.',
        reason: expect.stringMatching(/sender/),
      },
    ],
    [
      'control level: XML that is not well formed',
      [200, response('failure', '', message('XL03000003'))],
      {},
      { do: 'correct_request', error: 'XL03000003', reason: expect.stringMatching(/not well formed/) },
    ],
    [
      'control level: anything else',
      [400, response('failure', '', message('XL03000009'))],
      {},
      { do: 'correct_request', reason: expect.stringMatching(/nothing was run/) },
    ],
    [
      'authentication level: the session was refused',
      [
        200,
        response(
          'success',
          `<authentication><status>failure</status></authentication>${message('XL03000006', 'Sign-in information is incorrect')}`,
        ),
      ],
      {},
      { do: 'report_token', description: 'Sign-in information is incorrect' },
    ],
    [
      'authentication level, with the message inside',
      [
        200,
        response('success', `<authentication><status>failure</status>${message('XL03000006', 'no')}</authentication>`),
      ],
      again,
      { do: 'reauthorize', description: 'no' },
    ],
    [
      'function level: the second of two failed',
      [
        200,
        response('success', `${signedIn}${result('success', 'a')}${result('failure', 'b', message('BL01001973'))}`),
      ],
      post,
      { do: 'correct_request', reason: expect.stringMatching(/others in it may have succeeded/) },
    ],
    [
      'every function succeeded',
      [200, response('success', `${signedIn}${result('success', 'a')}`)],
      {},
      { do: 'proceed' },
    ],
    [
      'a rate limit, in XML',
      [200, response('failure', '', message('GW-0010'))],
      again,
      wait(120, { error: 'GW-0010', mayHaveActed: false }),
    ],
    ['a rate limit', [429, '', { 'retry-after': '31' }], {}, wait(31, { reason: expect.stringMatching(/GW-0010/) })],
    ['an inactive tenant', [400, response('failure', '', message('GW-0011'))], {}, { do: 'reauthorize' }],
    [
      'a failure in the middle',
      [500],
      post,
      wait(15, { mayHaveActed: true, reason: expect.stringMatching(/<uniqueid>true<\/uniqueid>/) }),
    ],
    [
      'a failure in the middle, again, with a page for people',
      [502, '<html>'],
      { ...post, ...again },
      wait(30, { mayHaveActed: true }),
    ],
    [
      'no reply',
      undefined,
      post,
      wait(15, { mayHaveActed: true, reason: expect.stringMatching(/^No reply.*<uniqueid>true/) }),
    ],
    [
      'no XML at all',
      [200, ' \n'],
      post,
      wait(15, { mayHaveActed: true, reason: expect.stringMatching(/control ids/) }),
    ],
  ])('%s', (_, reply, asked, expected) => {
    expect(advice('sage-intacct-xml', reply, asked)).toMatchObject(expected);
  });
});

describe('Maesn', () => {
  const downstream = {
    data: null,
    errors: [{ message: 'failed' }],
    downstreamErrors: [{ message: 'GL account 8400 is unknown' }],
  };
  test.each<Row>([
    [
      '400',
      [400, { errors: [{ message: 'no such field' }] }],
      post,
      { do: 'correct_request', description: 'no such field', reason: expect.stringMatching(/downstreamErrors tell/) },
    ],
    ['401: the end user has to reconnect', [401], {}, { do: 'reauthorize' }],
    ['403', [403], {}, { do: 'correct_request', reason: expect.stringMatching(/X-API-KEY/) }],
    ['404', [404], {}, { do: 'correct_request', reason: expect.stringMatching(/path and host/) }],
    ['405', [405], {}, { do: 'correct_request', reason: expect.stringMatching(/does not support/) }],
    ['429: one minute', [429], {}, wait(60)],
    ['429: then two', [429], again, wait(120)],
    ['429: then four', [429], { failures: 2 }, wait(240)],
    ['429: or what it says', [429, '', { 'retry-after': '5' }], {}, wait(5)],
    ['500: 15 seconds at least', [500], { chance: 0 }, wait(15, { reason: expect.stringMatching(/Maesn failed/) })],
    ['500: 30 seconds at most', [500], { chance: 0.999 }, wait(30)],
    ['500: then twice as long', [500], { chance: 0.999, failures: 1 }, wait(60)],
    ['500: a write may have been done', [500], post, { mayHaveActed: true }],
    [
      '500 of the system behind it is not repeated',
      [500, downstream],
      post,
      { do: 'correct_request', description: 'GL account 8400 is unknown' },
    ],
    [
      '500 with an empty list of downstream errors is Maesn’s own',
      [500, { downstreamErrors: [] }],
      {},
      { do: 'retry' },
    ],
    ['too many requests downstream are waited for', [429, downstream], {}, wait(60)],
  ])('%s', (_, reply, asked, expected) => {
    expect(advice('maesn', reply, asked)).toMatchObject(expected);
  });
});

describe('the rules', () => {
  const files = readdirSync(join(root, 'client/apis'))
    .filter((file) => file !== 'index.ts')
    .map((file) => basename(file, '.ts'));

  test.each(files)('of %s keep to the schema, are listed, and are about providers that there are', async (name) => {
    const { default: preset } = await import(`../../client/apis/${name}.ts`);
    expect(parseApiPreset(preset)).toEqual(preset);
    for (const provider of preset.providers) {
      expect(knownApis[provider]).toBe(preset);
      expect(Object.keys(knownPresets)).toContain(provider);
    }
  });

  test('may come from elsewhere, for a provider that is not in the product', () => {
    const rule = {
      when: { status: [418] },
      do: 'retry',
      delaySeconds: 1,
      growth: 'constant',
      comment: 'A teapot.',
      source: 'RFC 2324',
    } as const;
    const preset = { providers: ['new-books'], format: 'json', rules: [rule] } as const;
    expect(adviceOn(parseApiPreset(preset), { status: 418, headers: {}, body: '' }, { now })).toMatchObject({
      do: 'retry',
      reason: 'A teapot.',
    });
  });

  test.each(['xero', 'constructor', 'no-such-provider'])('of %s are the general ones', (provider) => {
    expect(advice(provider, [503])).toMatchObject(wait(15, { source: 'RFC 9110 §15.6' }));
  });

  const rule = { when: { status: [400] }, do: 'correct_request', comment: '-', source: '-' };
  const retry = { ...rule, do: 'retry', delaySeconds: 1, growth: 'constant' };
  const preset = { providers: ['new-books'], format: 'json', rules: [rule] };
  test.each<[string, object, RegExp]>([
    ['an unknown field', { colour: 'red' }, /colour: /],
    ['no provider', { providers: [] }, /providers: /],
    ['no rule', { rules: [] }, /rules: /],
    ['an unknown condition', { rules: [{ ...rule, when: { statuses: [1] } }] }, /rules\.0\.when\.statuses: /],
    ['a rule for everything', { rules: [{ ...rule, when: {} }] }, /rules\.0\.when: must have a condition/],
    [
      'an expression that is none',
      { rules: [{ ...rule, when: { body: '(' } }] },
      /rules\.0\.when\.body: must be a regular expression/,
    ],
    ['an advice that is none', { rules: [{ ...rule, do: 'despair' }] }, /rules\.0\.do: /],
    [
      'a repetition without a delay',
      { rules: [{ ...rule, do: 'retry', growth: 'constant' }] },
      /rules\.0\.delaySeconds: /,
    ],
    ['a range that is none', { rules: [{ ...retry, delaySeconds: { from: 2, to: 2 } }] }, /rules\.0\.delaySeconds: /],
    ['a delay of what is not repeated', { rules: [{ ...rule, delaySeconds: 1 }] }, /rules\.0\.delaySeconds: /],
    [
      'a read that acts',
      { rules: [{ ...retry, mayHaveActed: true, when: { safe: true } }] },
      /rules\.0: says mayHaveActed/,
    ],
    [
      'a rule about no reply that looks at it',
      { rules: [{ ...retry, when: { unanswered: true, status: [500] } }] },
      /rules\.0: is about no reply.*its status/,
    ],
    ['a rule that is never reached', { rules: [rule, retry] }, /rules\.1: is never reached: rule 0/],
    [
      'a rule behind one for its whole class',
      {
        rules: [
          { ...rule, when: { status: ['4xx'] } },
          { ...rule, when: { status: [404], safe: true } },
        ],
      },
      /rules\.1: is never/,
    ],
    [
      'later failures behind earlier ones',
      {
        rules: [
          { ...rule, when: { failures: 1 } },
          { ...rule, when: { failures: 2, status: [400] } },
        ],
      },
      /rules\.1: is never/,
    ],
  ])('with %s are refused, by field', (_, change, expected) => {
    expect(() => parseApiPreset({ ...preset, ...change })).toThrow(expected);
  });

  test('in an order in which each can be reached are accepted', () => {
    const whens = [
      { status: [400], failures: 2 },
      { status: [400], failures: 1 },
      { status: [400] },
      { status: ['4xx'], safe: true },
      { status: ['4xx'] },
    ];
    expect(() => parseApiPreset({ ...preset, rules: whens.map((when) => ({ ...rule, when })) })).not.toThrow();
  });
});

test('numbers that are none are refused, all at once', () => {
  expect(() => advice('xero', [500], { now: Number.NaN, failures: -1, chance: 1 })).toThrow(
    /failures: .*; now: .*; chance: /,
  );
});

describe('docs/providers.md', () => {
  const documentation = readFileSync(join(root, 'docs/providers.md'), 'utf8');

  const [, command = ''] = /^npx (esbuild .*)$/m.exec(documentation) ?? [];
  const [, from = '', example = ''] =
    /```js\nimport \{ adviceOn \} from '(.+)';\n([\s\S]*?)```/.exec(documentation) ?? [];

  /** Where the file is that the command writes and the example imports: far from this project and its packages. */
  const elsewhere = mkdtempSync(join(tmpdir(), 'api-replies-'));
  afterAll(() => rmSync(elsewhere, { recursive: true }));
  beforeAll(() => {
    const [program = '', ...rest] = command.split(' ');
    const [outfile] = rest.flatMap((argument) => /^--outfile=(.+)$/.exec(argument)?.[1] ?? []);
    expect(from).toBe(`./${outfile}`);
    const redirected = rest.map((argument) => argument.replace(/^--outfile=/, `$&${elsewhere}/`));
    execFileSync(join(root, 'node_modules/.bin', program), redirected, { cwd: root, stdio: 'ignore' });
  });

  /** The example, as a client of these replies runs it. */
  async function running(...replies: Response[]) {
    const { adviceOn: exported } = await import(join(elsewhere, from));
    const send = vi.fn(async () => replies.shift() ?? expect.fail('asked too often'));
    const [report, sleep] = [vi.fn(), vi.fn()];
    const define = new Function('adviceOn', 'send', 'report', 'sleep', `${example}\nreturn call;`);
    const call: (request: object) => Promise<Response> = define(exported, send, report, sleep);
    return { call, report, sleep };
  }

  test('shows how to make one file of it that needs nothing else', () => {
    const program = `
      import { adviceOn } from '${from}';
      console.log(adviceOn('maesn', { status: 200, headers: {}, body: '' }, { now: 0 }).do);
    `;
    expect(String(execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: elsewhere }))).toBe(
      'proceed\n',
    );
  });

  test('shows an example that reports, waits, and ends with the answer', async () => {
    const later = new Response('', { status: 429, headers: { 'retry-after': '7' } });
    const { call, report, sleep } = await running(
      new Response('', { status: 401 }),
      later,
      new Response('{"ok":true}'),
    );
    expect(await (await call({ method: 'GET' })).text()).toBe('{"ok":true}');
    expect(report).toHaveBeenCalledTimes(1);
    expect(sleep.mock.calls).toEqual([[7_000]]);
  });

  test('shows an example that does not repeat what cannot succeed', async () => {
    const { call, sleep } = await running(
      new Response('{"error":{"message":{"value":"no account"}}}', { status: 500 }),
    );
    await expect(call({ method: 'POST' })).rejects.toThrow(/^correct_request: Exact answers .* no account$/);
    expect(sleep).not.toHaveBeenCalled();
  });
});
