/**
 * What a refused PUT advises, followed: each request has faults, and the one beside it has each of them mended as its
 * words say. A text that no entry brings about fails the last test.
 */
import { createServer } from 'node:http';
import { afterAll, describe, expect, test } from 'vitest';
import { listen } from '../../local/platform/loopback.ts';
import { unheardIn } from './heard.ts';
import { handlerWorld } from './world.ts';

const world = await handlerWorld();
const said: string[] = [];
const closing: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

type Body = Readonly<Record<string, unknown>>;
interface Fault {
  readonly path: string;
  readonly message: string;
}
const put = (name: string, body: Body) => world.call(`PUT /connections/${name}`, body);
const secret = () => world.secret('secret');
const client = () => ({ client_id: 'app', client_secret: secret() });
const generic = (settings: object = {}, more: object = {}): Body => ({
  provider: 'generic-oauth2',
  settings: { token_endpoint: world.provider.tokenEndpoint, ...settings },
  client: client(),
  refresh_token: secret(),
  ...more,
});
const without = (body: Body, ...names: string[]): Body =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));
const exact = (settings: object) => generic({}, { provider: 'exact-online', settings });

/** An authorization server that says this of itself. */
async function issuerSaying(metadata: object): Promise<string> {
  const { url, close } = await listen(
    createServer((_, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ issuer: url, ...metadata }));
    }),
  );
  closing.push(close);
  return url;
}

/** What is there first, the request with faults, where they are, and the request without. */
type Row = readonly [
  what: string,
  wrong: () => Body,
  paths: readonly string[],
  right: () => Body | Promise<Body>,
  first?: () => Body,
];

const at = (url: string) => generic({ token_endpoint: url });
const ending = (ends: unknown, client_secret?: unknown): Body =>
  generic(
    {},
    {
      client: {
        client_id: 'app',
        ...(client_secret !== undefined && { client_secret }),
        client_secret_expires_at: ends,
      },
    },
  );
const rows: readonly Row[] = [
  ...(
    [
      ['that is no time', 'soon', secret(), '2027-03-31', secret()],
      ['of two secrets for one', ['2027-03-31', 0], secret(), 0, secret()],
      ['of one secret for two', '2027-03-31', [secret(), secret()], ['2027-03-31', 0], [secret(), secret()]],
      ['of two secrets where one is stored', [0, 0], undefined, 0, undefined],
    ] as const
  ).map(
    ([what, wrong, given, right, beside]): Row => [
      `an end ${what}`,
      () => ending(wrong, given),
      ['client.client_secret_expires_at'],
      () => ending(right, beside),
      generic,
    ],
  ),
  [
    'an end of one secret where two are stored',
    () => ending('2027-03-31'),
    ['client.client_secret_expires_at'],
    () => ending(['2027-03-31', 0]),
    () => ending([0, 0], [secret(), secret()]),
  ],
  [
    'members of other types',
    () => ({ provider: 5, settings: [], client: 'x', refresh_token: 5, account: 5 }),
    ['provider', 'settings', 'client', 'refresh_token', 'account'],
    generic,
  ],
  [
    'values that are not among those that there are',
    () =>
      generic({}, { renewal: 'daily', callback: 'mine', allow_grant_conflict: 1, verify: 'x', margin_seconds: 0.5 }),
    ['renewal', 'callback', 'allow_grant_conflict', 'verify', 'margin_seconds'],
    () => generic({}, { renewal: 'always', callback: 'shared', margin_seconds: 60 }),
  ],
  [
    'texts that are empty, too long, or have line breaks',
    () =>
      generic({}, { account: 'x\n', refresh_token: 'x'.repeat(15_000), client: { client_id: '', client_secret: 5 } }),
    ['account', 'refresh_token', 'client.client_id', 'client.client_secret'],
    generic,
  ],
  [
    'a client whose id has a space',
    () => generic({}, { client: { ...client(), client_id: ' a' } }),
    ['client.client_id'],
    generic,
  ],
  ['a provider that is not known', () => ({ ...generic(), provider: 'exakt' }), ['provider'], generic],
  [
    'what a provider has no use for',
    () => generic({}, { allow_grant_conflict: true }),
    ['allow_grant_conflict'],
    generic,
  ],
  [
    'an issuer as audience, and no issuer',
    () => generic({ assertion_audience: 'issuer' }),
    ['settings.assertion_audience'],
    async () => generic({ assertion_audience: 'issuer', issuer: await issuerSaying({}) }),
  ],
  [
    'settings that are not known, or of another form',
    () => generic({ scop: 'a', scope: ' a', lifetime_seconds: 0, rotation: 'some', revocation_endpoint: 5, issuer: 5 }),
    ['scop', 'scope', 'lifetime_seconds', 'rotation', 'revocation_endpoint', 'issuer'].map(
      (name) => `settings.${name}`,
    ),
    () => generic({ scope: 'a', lifetime_seconds: 600 }),
  ],
  ['no token endpoint', () => generic({}, { settings: {} }), ['settings.token_endpoint'], generic],
  ['no country', () => exact({}), ['settings.country'], () => exact({ country: 'nl' })],
  ['a country that there is not', () => exact({ country: 'xx' }), ['settings.country'], () => exact({ country: 'be' })],
  [
    'a setting that looks otherwise',
    () => generic({}, { provider: 'business-central', settings: { tenant: 'a/b' } }),
    ['settings.tenant'],
    () => generic({}, { provider: 'business-central', settings: { tenant: 'contoso.com' } }),
  ],
  ['an issuer with a query', () => generic({ issuer: 'https://id.example.com/?a=b' }), ['settings.issuer'], generic],
  ...(
    [
      'nowhere',
      'http://id.example.com/token',
      'https://a:b@id.example.com/token',
      'https://id.example.com/{tenant}/token',
      'https://id.example.com/token#a',
      'https://10.0.0.7/token',
      'https://id.example.com/a b',
    ] as const
  ).map(
    (url): Row => [
      `the endpoint ${url}`,
      () => at(url),
      ['settings.token_endpoint'],
      () => at('https://id.example.com/token'),
    ],
  ),
  [
    'a client where there is none, and one secret of two',
    () => ({ provider: 'maesn', settings: { api_key: secret() }, client: client() }),
    ['client', 'client.client_secret', 'settings.account_key'],
    () => ({ provider: 'maesn', settings: { api_key: secret(), account_key: secret() } }),
  ],
  [
    'a secret that the authentication has no use for',
    () => generic({ client_authentication: 'none' }),
    ['client.client_secret'],
    () => generic({ client_authentication: 'client_secret_post' }),
  ],
  [
    'a refresh token that the grant has no use for',
    () => generic({ grant: 'client_credentials' }),
    ['refresh_token'],
    () => generic({ grant: 'refresh_token' }),
  ],
  [
    'nothing stored for another client',
    () => without(generic({}, { client: { client_id: 'other' } }), 'refresh_token'),
    ['client.client_secret', 'refresh_token'],
    () => generic({}, { client: { ...client(), client_id: 'other' } }),
    generic,
  ],
  [
    'stored secrets that would be sent elsewhere',
    () =>
      without(
        generic({ revocation_endpoint: 'https://id.example.com/revoke' }, { client: { client_id: 'app' } }),
        'refresh_token',
      ),
    ['client.client_secret', 'refresh_token'],
    () => generic({ revocation_endpoint: 'https://id.example.com/revoke' }),
    generic,
  ],
  [
    'no refresh token where none was of use',
    () => without(generic(), 'refresh_token'),
    ['refresh_token'],
    generic,
    () => without(generic({ grant: 'client_credentials' }), 'refresh_token'),
  ],
];

describe('a PUT is refused, and taken when each fault is mended, that has', () => {
  test.each(rows.map((row, i) => [row[0], `advice-${i}`, row] as const))('%s', async (_what, name, row) => {
    const [, wrong, paths, right, first] = row;
    if (first !== undefined) expect((await put(name, first())).status).toBe(201);
    const answer = await put(name, wrong());
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    const faults = answer.body.faults as readonly Fault[];
    said.push(...faults.map(({ message }) => message));
    expect(new Set(faults.map(({ path }) => path))).toEqual(new Set(paths));
    expect([200, 201]).toContain((await put(name, await right())).status);
  });

  test('no object: one is sent', async () => {
    const answer = await world.call('PUT /connections/bodiless', '"text"');
    said.push(...(answer.body.faults as readonly Fault[]).map(({ message }) => message));
    expect((await put('bodiless', generic())).status).toBe(201);
  });

  test('an issuer whose metadata is of no use: the endpoint is given', async () => {
    for (const [i, metadata] of [{ token_endpoint: 'http://id.example.com/token' }, {}].entries()) {
      const issuer = await issuerSaying(metadata);
      const answer = await put(`issuer-${i}`, generic({}, { settings: { issuer } }));
      const [fault] = answer.body.faults as readonly Fault[];
      said.push(String(fault?.message));
      expect(fault?.path).toBe('settings.issuer');
      expect((await put(`issuer-${i}`, generic({ issuer }))).status).toBe(201);
    }
  });

  test('a refresh token that was used since it was put: a newer one is given', async () => {
    const used = generic();
    await put('used', used);
    await world.call('GET /token/used?wait=0');
    await world.refresh('used');
    const settings = { token_endpoint: world.provider.tokenEndpoint, revocation_endpoint: 'https://id.example.com/r' };
    const answer = await put('used', { ...used, settings });
    said.push(...(answer.body.faults as readonly Fault[]).map(({ message }) => message));
    expect(answer.status).toBe(400);
    expect((await put('used', { ...used, settings, refresh_token: secret() })).status).toBe(200);
  });
});

test('each text of a refused PUT was heard here', () => {
  const room =
    'shared/{providers/{complete-request,parse-request,settings,credentials,client-secret-end,endpoint-url,perhaps}';
  expect(unheardIn(`${room},application/kept-secrets}.ts`, said)).toEqual([]);
});
