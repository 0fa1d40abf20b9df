import { describe, expect, test } from 'vitest';
import { byName } from '../../shared/providers/by-name.ts';
import { parseConnectionRequest } from '../../shared/providers/parse-request.ts';
import { newPreset } from './new-preset.ts';

const options = { allowLoopback: false };
const exact = {
  provider: 'exact-online',
  settings: { country: 'nl' },
  client: { client_id: 'id', client_secret: 'cs-1' },
  refresh_token: 'rt-1',
};
const generic = {
  provider: 'generic-oauth2',
  settings: { token_endpoint: 'https://id.example.com/token' },
  client: { client_id: 'id', client_secret: 'cs-1' },
};

function faultsOf(body: unknown, allowLoopback = false): Record<string, string> {
  const parsed = parseConnectionRequest(body, { allowLoopback });
  return parsed.ok ? {} : Object.fromEntries(parsed.faults.map(({ path, message }) => [path, message]));
}

function requestOf(body: unknown) {
  const parsed = parseConnectionRequest(body, options);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

const secretWords =
  'must be a text, or a list of at most two: the one to try first, and the one to try if it is refused';

describe('a request that is right', () => {
  test('becomes a configuration and secrets that do not print', () => {
    const { config, grant, needed, credentials, refreshToken } = requestOf({
      ...exact,
      renewal: 'always',
      margin_seconds: 20,
    });
    expect(config).toEqual({
      provider: 'exact-online',
      settings: { country: 'nl' },
      clientId: 'id',
      renewal: 'always',
      marginSeconds: 20,
    });
    expect({ grant, needed }).toEqual({
      grant: 'refresh_token',
      needed: [{ name: 'client_secret', path: 'client.client_secret' }],
    });
    expect(credentials?.client_secret?.reveal()).toBe('cs-1');
    expect(refreshToken?.reveal()).toBe('rt-1');
    expect(JSON.stringify({ credentials, refreshToken })).not.toMatch(/cs-1|rt-1/);
  });

  test.each([
    ['one in a list', ['a'], { client_secret: 'a' }],
    ['two in order, while one replaces the other', ['a', 'b'], { client_secret: 'a', second_client_secret: 'b' }],
    ['the same one twice', ['a', 'a'], { client_secret: 'a' }],
  ])('names %s as its client secret', (_, client_secret, expected) => {
    const { credentials = {}, needed } = requestOf({ ...exact, client: { client_id: 'id', client_secret } });
    const revealed = Object.entries(credentials).map(([name, secret]) => [name, secret.reveal()]);
    expect(Object.fromEntries(revealed)).toEqual(expected);
    expect(needed).toEqual([{ name: 'client_secret', path: 'client.client_secret' }]);
  });

  test('may leave out everything that has a default or may be kept', () => {
    expect(requestOf({ ...generic, client: { client_id: 'id' } })).toMatchObject({
      config: { renewal: 'while_used' },
      needed: [{ name: 'client_secret' }],
    });
    expect(requestOf({ ...generic, client: { client_id: 'id' } })).not.toHaveProperty('credentials');
    expect(requestOf(generic)).not.toHaveProperty('refreshToken');
    expect(requestOf(generic).config).not.toHaveProperty('marginSeconds');
  });

  test('names a public client, or a client without a grant', () => {
    const settings = { ...generic.settings, client_authentication: 'none' };
    expect(requestOf({ ...generic, settings, client: { client_id: 'id' } }).needed).toEqual([]);
    expect(
      requestOf({ ...generic, settings: { ...generic.settings, grant: 'client_credentials', scope: 'a b' } }).grant,
    ).toBe('client_credentials');
  });

  test('may use a preset that only data describes', () => {
    const parsed = parseConnectionRequest(
      { provider: 'new-books', settings: { region: 'test' }, client: { client_id: 'id' } },
      { ...options, presets: byName([newPreset]) },
    );
    expect(parsed.ok).toBe(true);
  });
});

describe('a request that is wrong', () => {
  test.each([
    ['null', null],
    ['a list', []],
    ['a text', 'x'],
    ['a number', 1],
    ['nothing', undefined],
  ])('as a whole: %s', (_, body) => {
    expect(Object.values(faultsOf(body))).not.toHaveLength(0);
    if (!Array.isArray(body)) expect(faultsOf(body)).toEqual({ '': 'must be a JSON object' });
  });

  test.each<[string, unknown, Record<string, string>]>([
    ['none', [], { 'client.client_secret': secretWords }],
    ['three', ['a', 'b', 'c'], { 'client.client_secret': secretWords }],
    ['one that is no text', ['a', 5], { 'client.client_secret': secretWords }],
    ['an empty one', ['a', ''], { 'client.client_secret.1': 'must not be empty' }],
  ])('has %s in its list of client secrets', (_, client_secret, expected) => {
    expect(faultsOf({ ...exact, client: { client_id: 'id', client_secret } })).toMatchObject(expected);
  });

  const endWords =
    'must be a day (2027-03-31), an instant (2027-03-31T12:00:00Z), seconds since 1970, or 0 for never; of two ' +
    'secrets a list of two';
  test.each<[string, unknown, unknown, string | undefined]>([
    ['a day', 'a', '2028-02-29', undefined],
    ['an instant', 'a', '2027-03-31T12:00:00Z', undefined],
    ['the last second that there is', 'a', 253_402_300_799, undefined],
    ['one for each of two', ['a', 'b'], ['2027-03-31', 0], undefined],
    ['no day of the calendar', 'a', '2027-02-29', endWords],
    ['an instant of no zone', 'a', '2027-03-31T12:00:00', endWords],
    ['words', 'a', 'next spring', endWords],
    ['milliseconds', 'a', 1_806_451_200_000, endWords],
    ['a share of a second', 'a', 0.5, endWords],
    ['a time before 1970', 'a', -1, endWords],
    ['nothing', 'a', null, endWords],
    ['a list of three', ['a', 'b'], [0, 0, 0], endWords],
    ['two for one', 'a', ['2027-03-31', '2027-03-31'], 'must be one: there is one secret'],
    ['one for two', ['a', 'b'], '2027-03-31', 'must be a list of two, in the order of the secrets'],
  ])('has %s as the end of its client secret', (_, client_secret, client_secret_expires_at, fault) => {
    const client = { client_id: 'id', client_secret, client_secret_expires_at };
    expect(faultsOf({ ...exact, client })).toEqual(
      fault === undefined ? {} : { 'client.client_secret_expires_at': fault },
    );
  });

  test('names every wrong field at once', () => {
    const body = {
      provider: 'generic-oauth2',
      settings: {
        tokenEndpoint: 'https://a.example',
        grant: 'password',
        grace_seconds: 1.5,
        scope: '',
        min_token_age_seconds: 5_000,
      },
      client: { clientId: 'x', client_secret: 5 },
      refresh_token: 'two\nlines',
      renewal: 'often',
      margin_seconds: 9,
      colour: 'red',
    };
    expect(faultsOf(body)).toEqual({
      colour:
        'is not known; known are provider, settings, client, refresh_token, renewal, margin_seconds, account, ' +
        'callback, allow_grant_conflict, verify',
      'client.clientId': 'is not known; did you mean client_id?',
      'client.client_id': 'is missing',
      'client.client_secret': secretWords,
      refresh_token: 'must be printable ASCII without line breaks, and without spaces at its ends',
      renewal: 'must be "while_used" or "always"',
      margin_seconds: 'must be a whole number of seconds from 10 to 3600',
      'settings.tokenEndpoint': 'is not known; did you mean token_endpoint?',
      'settings.token_endpoint': 'is missing; give it, or issuer to have it discovered',
      'settings.grant': 'must be one of refresh_token, client_credentials',
      'settings.grace_seconds': 'must be a whole number of seconds from 0 to 2592000',
      'settings.scope': 'must be a text of 1 to 1024 printable ASCII characters, without spaces at its ends',
      'settings.min_token_age_seconds':
        'must be less than the lifetime of 3600 s: no token could be renewed before it expires',
    });
  });

  test('may leave the token endpoint to an issuer, which must be one', () => {
    const issued = (issuer: unknown) => faultsOf({ ...generic, settings: { issuer } });
    expect(issued('https://id.example.com/tenant')).toEqual({});
    expect(issued('http://id.example.com')).toEqual({ 'settings.issuer': 'must begin with https://' });
    expect(issued('https://10.0.0.1')).toEqual({ 'settings.issuer': expect.stringMatching(/private/) });
    expect(issued('https://id.example.com/?tenant=1')).toEqual({
      'settings.issuer': 'must not have a query (RFC 8414 §2)',
    });
    expect(issued(5)).toEqual({ 'settings.issuer': 'must be a text: a URL' });
    expect(faultsOf({ ...exact, settings: { country: 'nl', issuer: 'https://id.example.com' } })).toHaveProperty([
      'settings.issuer',
    ]);
  });

  test('names the providers there are', () => {
    expect(faultsOf({ ...exact, provider: 'exact' })).toEqual({
      provider: expect.stringMatching(/^is not known; known are .*exact-online, .*generic-oauth2/),
    });
    expect(faultsOf({ ...exact, provider: 'constructor' })).toHaveProperty('provider');
    expect(faultsOf({})).toHaveProperty('provider', 'is missing');
  });

  test.each([
    ['settings', []],
    ['settings', null],
    ['settings', 'x'],
    ['client', 'x'],
    ['client', null],
  ])('%s that is no object: %j', (field, value) => {
    expect(faultsOf({ ...exact, [field]: value })).toHaveProperty([field], 'must be an object');
  });

  test('lacks what the token endpoint is made of', () => {
    expect(faultsOf({ ...exact, settings: {} })).toEqual({
      'settings.country': 'is missing; it is one of nl, be, de, fr, es, co.uk, com',
    });
    expect(faultsOf({ ...exact, settings: { country: 'us' } })).toHaveProperty(['settings.country']);
    expect(faultsOf({ ...exact, settings: { token_endpoint: 'https://simulator.example.com/token' } })).toEqual({});
  });

  test('lacks a client', () => {
    const { client: _, ...without } = exact;
    expect(faultsOf(without)).toEqual({ 'client.client_id': 'is missing' });
  });

  test('has credentials that its settings have no use for', () => {
    const settings = { ...generic.settings, client_authentication: 'none' };
    const client = { ...generic.client, client_secret_expires_at: '2027-03-31' };
    expect(Object.keys(faultsOf({ ...generic, settings, client }))).toEqual([
      'client.client_secret',
      'client.client_secret_expires_at',
    ]);
    expect(
      Object.keys(
        faultsOf({ ...generic, settings: { ...generic.settings, grant: 'client_credentials' }, refresh_token: 'rt' }),
      ),
    ).toEqual(['refresh_token']);
    expect(
      Object.keys(
        faultsOf({ ...generic, settings: { ...settings, grant: 'client_credentials' }, client: { client_id: 'x' } }),
      ),
    ).toEqual(['settings.client_authentication']);
  });

  test('has a grace period that its rotation has no use for, or one that is too short', () => {
    const withSettings = (settings: object) => faultsOf({ ...generic, settings: { ...generic.settings, ...settings } });
    expect(withSettings({ grace_seconds: 60 })).toHaveProperty(['settings.grace_seconds']);
    expect(withSettings({ grace_seconds: 0 })).toEqual({});
    expect(withSettings({ grace_seconds: 19, refresh_token_rotation: 'grace' })).toHaveProperty([
      'settings.grace_seconds',
    ]);
    expect(withSettings({ grace_seconds: 20, refresh_token_rotation: 'grace' })).toEqual({});
  });

  test('has fields that every object has', () => {
    const body = JSON.parse(
      '{"provider":"exact-online","settings":{"country":"nl","__proto__":{"a":1}},"client":{"client_id":"id"},"constructor":1}',
    );
    expect(Object.keys(faultsOf(body)).sort()).toEqual(['constructor', 'settings.__proto__']);
  });
});

describe('the margin', () => {
  test.each([
    [9, false],
    [10, true],
    [3_600, true],
    [3_601, false],
    [10.5, false],
    ['30', false],
    [null, false],
  ])('of %j s: %j', (margin_seconds, fits) => {
    expect(faultsOf({ ...generic, margin_seconds })).toEqual(
      fits ? {} : { margin_seconds: expect.stringContaining('10 to 3600') },
    );
  });

  test('is at most what Exact Online leaves of a token: the last 30 s', () => {
    expect(faultsOf({ ...exact, margin_seconds: 30 })).toEqual({});
    expect(faultsOf({ ...exact, margin_seconds: 31 })).toEqual({
      margin_seconds: expect.stringMatching(/at most 30 s.*600 s.*574 s/),
    });
  });
});

describe('the sizes', () => {
  test.each<[string, (text: string) => object, number]>([
    ['refresh_token', (text) => ({ refresh_token: text }), 8_192],
    ['client.client_secret', (text) => ({ client: { client_id: 'id', client_secret: text } }), 4_096],
    ['client.client_id', (text) => ({ client: { client_id: text } }), 1_024],
  ])('of %s', (path, change, most) => {
    expect(faultsOf({ ...exact, ...change('x'.repeat(most)) })).toEqual({});
    expect(faultsOf({ ...exact, ...change('x'.repeat(most + 1)) })).toEqual({
      [path]: `must have at most ${most} characters`,
    });
    expect(faultsOf({ ...exact, ...change('') })).toEqual({ [path]: 'must not be empty' });
  });
});

describe('the token endpoint', () => {
  const fault = (token_endpoint: unknown, allowLoopback = false) =>
    faultsOf({ ...generic, settings: { token_endpoint } }, allowLoopback)['settings.token_endpoint'];

  test.each([
    'https://id.example.com/token',
    'https://id.example.com:8443/token?tenant=a',
    'https://93.184.216.34/token',
    'https://[2606:4700::1111]/t',
  ])('may be %s', (url) => {
    expect(fault(url)).toBeUndefined();
  });

  test.each([
    'http://id.example.com/token',
    'ftp://id.example.com/token',
    '/token',
    'https://user:secret@id.example.com/token',
    'https://id.example.com/token#fragment',
    'https://id.example.com/token#',
    `https://id.example.com/${'x'.repeat(2_048)}`,
    'https://localhost/token',
    'https://localhost./token',
    'https://broker.localhost/token',
    'https://127.0.0.1/token',
    'https://0x7f.1/token',
    'https://2130706433/token',
    'https://[::1]/token',
    'https://[::ffff:127.0.0.1]/token',
    'https://10.0.0.1/token',
    'https://192.168.1.1/token',
    'https://169.254.169.254/latest',
    'https://[fd00:ec2::254]/latest',
    'https://[fe80::1]/token',
    'https://100.64.0.1/token',
    'https://0.0.0.0/token',
    7,
  ])('may not be %s', (url) => {
    expect(fault(url)).toBeDefined();
    expect(fault(url)).not.toContain('secret@');
  });

  test('may be plain http on loopback, and there only, in the local broker', () => {
    for (const url of [
      'http://127.0.0.1:8080/token',
      'http://localhost:8080/token',
      'http://[::1]:8080/token',
      'https://localhost/token',
    ]) {
      expect(fault(url, true)).toBeUndefined();
    }
    for (const url of ['http://id.example.com/token', 'http://10.0.0.1/token', 'https://10.0.0.1/token'])
      expect(fault(url, true)).toBeDefined();
  });
});

test('no fault repeats a value: it might be a secret in the wrong place', () => {
  const secret = 'hunter2-hunter2';
  const bodies = [
    { ...exact, provider: secret },
    { ...exact, client: secret },
    { ...exact, client: { client_id: [secret], client_secret: { secret } } },
    { ...exact, renewal: secret, margin_seconds: secret, refresh_token: [secret] },
    { ...exact, settings: { country: secret, token_endpoint: secret } },
    { ...exact, refresh_token: `${secret}\n` },
    { ...exact, [`${secret} ${secret} ${secret}`]: 1 },
  ];
  for (const body of bodies) {
    const parsed = parseConnectionRequest(body, options);
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  }
});
