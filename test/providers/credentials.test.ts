import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { parseConnectionRequest } from '../../shared/providers/parse-request.ts';

const pemOf = ({ privateKey }: { readonly privateKey: KeyObject }) =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const pem = pemOf({ privateKey });
const encrypted = privateKey
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString();

const ixon = (settings: object = {}) => ({
  provider: 'ixon-user',
  settings: { application_id: 'aB3dE6gH9jK2', email: 'jo@example.com', password: 'pä ss', ...settings },
});
const intacct = (settings: object = {}) => ({
  provider: 'sage-intacct-xml',
  settings: { sender_id: 's', sender_password: 'sp', company_id: 'c', user_id: 'u', user_password: 'up', ...settings },
});
const netsuite = (settings: object = {}) => ({
  provider: 'netsuite',
  settings: { account: '1234567', key_id: 'k', private_key: pem, ...settings },
  client: { client_id: 'id' },
});
const signing = { token_endpoint: 'https://id.example.com/token', client_authentication: 'private_key_jwt' };

/** As a body has it: what is undefined is not there. */
const parse = (body: unknown) => parseConnectionRequest(JSON.parse(JSON.stringify(body)), { allowLoopback: false });

function parsed(body: unknown) {
  const result = parse(body);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.value;
}
function faultsOf(body: unknown): Record<string, string> {
  const result = parse(body);
  return result.ok ? {} : Object.fromEntries(result.faults.map(({ path, message }) => [path, message]));
}

describe('secret settings', () => {
  test('leave the settings, and are kept apart', () => {
    const { config, grant, credentials, needed } = parsed(ixon({ otp_seed: 'GEZD GNBV GY3T QOJQ' }));
    expect(config.settings).toEqual({ application_id: 'aB3dE6gH9jK2', email: 'jo@example.com' });
    expect(grant).toBe('mint');
    expect(Object.entries(credentials ?? {}).map(([name, secret]) => [name, secret.reveal()])).toEqual([
      ['password', 'pä ss'],
      ['otp_seed', 'GEZD GNBV GY3T QOJQ'],
    ]);
    expect(needed).toEqual([{ name: 'password', path: 'settings.password' }]);
    expect(JSON.stringify({ config, credentials })).not.toMatch(/pä ss|GEZD/);
  });

  test('may all be left out: perhaps they are stored', () => {
    expect(parsed(intacct({ sender_password: undefined, user_password: undefined }))).not.toHaveProperty('credentials');
  });

  test('are given all or none', () => {
    const message = expect.stringMatching(/replaced together/);
    expect(faultsOf(intacct({ user_password: undefined }))).toEqual({ 'settings.user_password': message });
    expect(faultsOf(ixon({ password: undefined, otp_seed: 'GEZDGNBVGY3TQOJQ' }))).toEqual({
      'settings.password': message,
    });
    expect(faultsOf({ provider: 'maesn', settings: { account_key: 'a' } })).toEqual({ 'settings.api_key': message });
  });

  test.each<[string, object, string]>([
    ['an empty password', ixon({ password: '' }), 'settings.password'],
    ['a password with a line break', ixon({ password: 'p\n' }), 'settings.password'],
    ['a password that is no text', ixon({ password: 7 }), 'settings.password'],
    ['a seed that is none', ixon({ otp_seed: '123456' }), 'settings.otp_seed'],
    ['a seed of fewer than 10 bytes', ixon({ otp_seed: 'GEZDGNBVGY3TQOJ' }), 'settings.otp_seed'],
    ['a key that is none', netsuite({ private_key: '-----BEGIN' }), 'settings.private_key'],
    ['a key with a passphrase', netsuite({ private_key: encrypted }), 'settings.private_key'],
    [
      'a public key',
      netsuite({ private_key: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), d: undefined }) }),
      'settings.private_key',
    ],
    [
      'a key too short to sign with',
      netsuite({ private_key: pemOf(generateKeyPairSync('rsa', { modulusLength: 1_024 })) }),
      'settings.private_key',
    ],
    [
      'a key for another signature',
      netsuite({ private_key: pemOf(generateKeyPairSync('rsa-pss', { modulusLength: 2_048 })) }),
      'settings.private_key',
    ],
    [
      'a key of a curve without an algorithm',
      netsuite({ private_key: pemOf(generateKeyPairSync('ed448')) }),
      'settings.private_key',
    ],
    [
      'a key of a foreign curve',
      netsuite({ private_key: pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' })) }),
      'settings.private_key',
    ],
    [
      'a key that signs nothing',
      netsuite({ private_key: pemOf(generateKeyPairSync('x25519')) }),
      'settings.private_key',
    ],
    ['a secret beyond its size', ixon({ password: 'p'.repeat(8_193) }), 'settings.password'],
    ['a host that is not IXON', ixon({ host: 'evil.example' }), 'settings.host'],
    ['an application id of another form', ixon({ application_id: 'short' }), 'settings.application_id'],
    ['an e-mail address with a colon', ixon({ email: 'a:b@example.com' }), 'settings.email'],
    ['a life that IXON does not give', ixon({ token_lifetime_seconds: 59 }), 'settings.token_lifetime_seconds'],
    ['an account that would be another host', netsuite({ account: 'evil.example/' }), 'settings.account'],
  ])('refuse %s', (_, body, path) => {
    expect(Object.keys(faultsOf(body))).toEqual([path]);
  });

  test('have the form that is asked for', () => {
    expect(parsed(netsuite()).credentials).toHaveProperty('private_key');
    expect(
      parsed(netsuite({ private_key: JSON.stringify(privateKey.export({ format: 'jwk' })) })).credentials,
    ).toHaveProperty('private_key');
    for (const pair of [
      generateKeyPairSync('rsa', { modulusLength: 2_048 }),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('ec', { namedCurve: 'P-521' }),
      generateKeyPairSync('ed25519'),
    ])
      expect(parsed(netsuite({ private_key: pemOf(pair) })).credentials).toHaveProperty('private_key');
    expect(parsed(ixon({ password: 'p'.repeat(8_192), token_lifetime_seconds: 60 })).credentials).toHaveProperty(
      'password',
    );
  });

  test('are in no fault', () => {
    const hunted = 'hunter2\nhunter2';
    for (const body of [
      ixon({ password: hunted }),
      ixon({ otp_seed: hunted }),
      netsuite({ private_key: hunted }),
      ixon({ email: hunted }),
    ]) {
      expect(JSON.stringify(parse(body))).not.toContain('hunter2');
    }
  });
});

describe('a client', () => {
  test.each([ixon(), intacct(), { provider: 'maesn', settings: { api_key: 'a', account_key: 'b' } }])(
    'is not known to %j',
    (body) => {
      expect(faultsOf(body)).toEqual({});
      expect(faultsOf({ ...body, client: { client_id: 'id' } })).toEqual({
        client: 'is not used by this provider: remove it',
      });
      expect(Object.keys(faultsOf({ ...body, refresh_token: 'rt' }))).toEqual(['refresh_token']);
    },
  );

  test('that signs has a key and no secret', () => {
    const client = { client_id: 'id' };
    expect(parsed({ provider: 'generic-oauth2', settings: { ...signing, private_key: pem }, client }).needed).toEqual([
      { name: 'private_key', path: 'settings.private_key' },
    ]);
    const both = {
      provider: 'generic-oauth2',
      settings: { ...signing, private_key: pem },
      client: { ...client, client_secret: 's' },
    };
    expect(Object.keys(faultsOf(both))).toEqual(['client.client_secret']);
    const wrong = {
      provider: 'generic-oauth2',
      settings: { token_endpoint: signing.token_endpoint, private_key: pem },
      client: { ...client, client_secret: 's' },
    };
    expect(Object.keys(faultsOf(wrong))).toEqual(['settings.private_key']);
  });
});

describe('what secrets are bound to', () => {
  const identity = (body: unknown): string => {
    return providersFrom().of(parsed(body).config).identity;
  };

  test.each<[string, object, object]>([
    ['the user', ixon(), ixon({ email: 'x@example.com' })],
    ['the host', ixon(), ixon({ host: 'cloudvpn.acirroplus.com' })],
    ['the company', intacct(), intacct({ company_id: 'other' })],
    ['the entity of a session', intacct(), intacct({ entity_id: 'E1' })],
    ['the account', netsuite(), netsuite({ account: '7654321' })],
  ])('%s', (_, one, other) => {
    expect(identity(one)).not.toBe(identity(other));
  });

  test('and not how long a token lives, or which company its headers name', () => {
    expect(
      identity(ixon({ token_lifetime_seconds: 60, company_id: '1111-2222-3333-4444-5555', password: undefined })),
    ).toBe(identity(ixon()));
    expect(identity(ixon({ host: 'portal.ixon.cloud' }))).toBe(identity(ixon()));
  });
});
