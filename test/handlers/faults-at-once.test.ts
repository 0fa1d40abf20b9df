/**
 * Every fault of a request is told at once: whatever two faults it has, it is told the faults that it is told of each
 * alone. A fault that waits for another to be corrected would cost a round of its own.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { handlerWorld, nobody } from './world.ts';

const world = await handlerWorld();

interface Body {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly client?: Readonly<Record<string, unknown>>;
  readonly [member: string]: unknown;
}

interface Mistake {
  /** The places that the answer names. */
  readonly faults: readonly string[];
  /** What it touches: two mistakes in one place are one. */
  readonly touches: string;
  readonly name?: string;
  readonly query?: string;
  readonly body?: (body: Body) => Body;
}

const inClient = (change: Readonly<Record<string, unknown>>) => (body: Body) => ({
  ...body,
  client: { ...body.client, ...change },
});
const inSettings = (change: Readonly<Record<string, unknown>>) => (body: Body) => ({
  ...body,
  settings: { ...body.settings, ...change },
});

/** Mistakes of any PUT. */
const mistakes: Readonly<Record<string, Mistake>> = {
  'a parameter': { touches: 'query', faults: ['wait'], query: '?wait=1' },
  'an unknown member': { touches: 'colour', faults: ['colour'], body: (body) => ({ ...body, colour: 'red' }) },
  'an unknown renewal': { touches: 'renewal', faults: ['renewal'], body: (body) => ({ ...body, renewal: 'often' }) },
  'a short margin': { touches: 'margin', faults: ['margin_seconds'], body: (body) => ({ ...body, margin_seconds: 9 }) },
  'an empty client id': { touches: 'client', faults: ['client.client_id'], body: inClient({ client_id: '' }) },
  'an empty scope': { touches: 'scope', faults: ['settings.scope'], body: inSettings({ scope: '' }) },
  'a broken refresh token': {
    touches: 'refresh_token',
    faults: ['refresh_token'],
    body: (body) => ({ ...body, refresh_token: 'two\nlines' }),
  },
};

const ofNew: Readonly<Record<string, Mistake>> = {
  ...mistakes,
  'a wrong name': { touches: 'name', faults: ['connection'], name: 'No.Name' },
  'no client': {
    touches: 'client',
    faults: ['client.client_id', 'client.client_secret'],
    body: ({ client: _, ...body }) => body,
  },
  'no client id': {
    touches: 'client',
    faults: ['client.client_id'],
    body: ({ client: { client_id: _, ...client } = {}, ...body }) => ({ ...body, client }),
  },
  'no client secret': {
    touches: 'client',
    faults: ['client.client_secret'],
    body: ({ client: { client_secret: _, ...client } = {}, ...body }) => ({ ...body, client }),
  },
  'no token endpoint': {
    touches: 'endpoint',
    faults: ['settings.token_endpoint'],
    body: inSettings({ token_endpoint: undefined }),
  },
  'an issuer that does not answer': {
    touches: 'endpoint',
    faults: ['settings.issuer'],
    body: inSettings({ token_endpoint: undefined, issuer: nobody }),
  },
};

/** The request brings no secrets: those that are stored are kept, unless it names another owner or destination. */
const ofStored: Readonly<Record<string, Mistake>> = {
  ...mistakes,
  // The stored client may be meant, and its secret then stays.
  'no client': { touches: 'client', faults: ['client.client_id'], body: ({ client: _, ...body }) => body },
  'another client': {
    touches: 'client',
    faults: ['client.client_secret', 'refresh_token'],
    body: inClient({ client_id: 'other' }),
  },
  'another place to revoke at': {
    touches: 'revocation',
    faults: ['client.client_secret', 'refresh_token'],
    body: inSettings({ revocation_endpoint: 'https://id.example.com/revoke' }),
  },
  'an issuer that does not answer': {
    touches: 'endpoint',
    faults: ['settings.issuer'],
    body: inSettings({ token_endpoint: undefined, issuer: nobody }),
  },
};

const pairsOf = (all: Readonly<Record<string, Mistake>>) =>
  Object.entries(all).flatMap(([what, one], index) =>
    Object.entries(all)
      .slice(index + 1)
      .filter(([, other]) => other.touches !== one.touches)
      .map(([and, other]): [string, string, Mistake, Mistake] => [what, and, one, other]),
  );

async function pathsToldOf(name: string, body: Body, made: readonly Mistake[]): Promise<readonly string[]> {
  const sent = made.reduce((now, mistake) => mistake.body?.(now) ?? now, body);
  const named = made.find((mistake) => mistake.name !== undefined)?.name ?? name;
  const query = made.map((mistake) => mistake.query ?? '').join('');
  const { status, body: answer } = await world.call(`PUT /connections/${named}${query}`, sent);
  expect(status).toBe(400);
  return (answer.faults as readonly { readonly path: string }[]).map(({ path }) => path).sort();
}

const union = (...made: readonly Mistake[]) => [...new Set(made.flatMap(({ faults }) => faults))].sort();

const whole = (): Body => ({
  provider: 'generic-oauth2',
  settings: { token_endpoint: world.provider.tokenEndpoint },
  client: { client_id: 'app', client_secret: world.secret('client') },
  refresh_token: world.secret('refresh'),
});

describe('of a new connection', () => {
  test.each(Object.entries(ofNew))('%s', async (_, mistake) => {
    expect(await pathsToldOf('new', whole(), [mistake])).toEqual(union(mistake));
  });
  test.each(pairsOf(ofNew))('%s and %s', async (_what, _and, one, other) => {
    expect(await pathsToldOf('new', whole(), [one, other])).toEqual(union(one, other));
  });
});

describe('of a connection that there is', () => {
  let body: Body;
  beforeAll(async () => {
    const { refresh_token, ...rest } = whole();
    await world.call('PUT /connections/stored', { ...rest, refresh_token });
    body = { ...rest, client: { client_id: 'app' } };
  });
  test.each(Object.entries(ofStored))('%s', async (_, mistake) => {
    expect(await pathsToldOf('stored', body, [mistake])).toEqual(union(mistake));
  });
  test.each(pairsOf(ofStored))('%s and %s', async (_what, _and, one, other) => {
    expect(await pathsToldOf('stored', body, [one, other])).toEqual(union(one, other));
  });
});

test('of a report, each member that it does not know, and none that could be a secret', async () => {
  await world.call('PUT /connections/reported', whole());
  const report = { generation: 0, colour: 'red', shape: 'round', 'a b': 1 };
  const { body } = await world.call('POST /token/reported/rejections?wait=0', report);
  expect(body.faults).toMatchObject([
    { path: 'colour' },
    { path: 'shape' },
    { path: '(unnamed)' },
    { path: 'generation' },
  ]);
});
