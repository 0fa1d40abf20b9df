/**
 * Every piece of advice in an error can be followed: each error is brought about, its words are taken at their word,
 * and what comes of that is looked at. A text that no entry brings about fails the last test.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { dynamoDbConnections } from '../../shared/adapters/aws/dynamodb-connections.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { unheardIn } from './heard.ts';
import { lifetimeSeconds } from './provider.ts';
import { type Answer, handlerWorld, nobody } from './world.ts';

const world = await handlerWorld();

/** All that errors have said in this file. */
const said: string[] = [];

interface Fault {
  readonly path: string;
  readonly message: string;
}

function heard(answer: Answer): Answer {
  const { detail = '', faults = [] } = answer.body as { detail?: string; faults?: readonly Fault[] };
  said.push(detail, ...faults.map(({ message }) => message));
  return answer;
}
const call = async (...args: Parameters<typeof world.call>): Promise<Answer> => heard(await world.call(...args));
/** The call that an error names: `PUT /connections/exact-nl`. */
const calledFor = ({ body }: Answer): string =>
  /\b(?:GET|PUT|POST|DELETE) \/[\w/-]+/.exec(String(body.detail))?.[0] ?? expect.fail(`no call in: ${body.detail}`);

type Body = Readonly<Record<string, unknown>>;
const generic = (settings: object = {}, more: object = {}): Body => ({
  provider: 'generic-oauth2',
  settings: { token_endpoint: world.provider.tokenEndpoint, ...settings },
  client: { client_id: 'app', client_secret: world.secret('client') },
  refresh_token: world.secret('refresh'),
  ...more,
});
const exact = (client_id: string, more: object = {}): Body => ({
  provider: 'exact-online',
  settings: { country: 'nl' },
  client: { client_id, client_secret: world.secret('client') },
  refresh_token: world.secret('refresh'),
  ...more,
});
const put = (name: string, body: Body = generic()) => call(`PUT /connections/${name}`, body);
const token = (name: string, query = 'wait=0') => call(`GET /token/${name}?${query}`);
const good = expect.objectContaining({ status: expect.toBeOneOf([200, 201]) });
/** A client asks, and the renewal that this asks for is made. */
async function asked(name: string): Promise<void> {
  await token(name);
  await world.refresh(name);
}
async function renewed(name: string): Promise<void> {
  await asked(name);
  expect(await token(name)).toEqual(good);
}
/** Puts a connection, and has the provider answer its first renewal so. */
async function refusedBy(name: string, status: number, error: string, body = generic()): Promise<Answer> {
  await put(name, body);
  world.provider.instead = () => ({ status, body: { error } });
  await asked(name);
  world.provider.instead = undefined;
  return token(name);
}
/** As an upgrade leaves it whose preset is another one. */
async function upgraded(name: string, change: Partial<ConnectionConfig>): Promise<void> {
  const store = dynamoDbConnections(new DynamoDBClient({}), { tableName: 'connections' });
  const { config } = (await store.read(name as ConnectionName)) ?? expect.fail('not there');
  const write = { name: 'upgrade', when: [], set: { config: { ...config, ...change } }, remove: [] };
  await store.apply(name as ConnectionName, write);
}
/** A request with faults, and one in which each is mended as it says. */
async function mended(request: string, wrong: unknown, right: unknown, paths: readonly string[]): Promise<void> {
  const answer = await call(request, wrong);
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  expect(new Set((answer.body.faults as Fault[]).map(({ path }) => path))).toEqual(new Set(paths));
  expect(await call(request, right)).toEqual(good);
}

/** By what is wrong; each brings it about, does as it says, and expects that this helps. */
const followed: Readonly<Record<string, () => Promise<void>>> = {
  async 'there is no connection: it is put, by the call that the error names'() {
    const answer = await token('absent');
    expect(answer.status).toBe(404);
    expect(await call(calledFor(answer), generic())).toEqual(good);
    await renewed('absent');
    expect((await call('DELETE /connections/nowhere')).status).toBe(404);
  },
  async 'the grant is dead: another refresh token is imported, or a person logs in'() {
    const login = generic({ authorization_endpoint: 'https://id.example/authorize' });
    const answer = await refusedBy('dead', 400, 'invalid_grant', login);
    expect(answer).toMatchObject({ status: 409, body: { code: 'reauthorization_required' } });
    expect(await call('POST /connections/dead/authorizations')).toEqual(good);
    expect(await call(calledFor(answer), { ...login, refresh_token: world.secret('refresh') })).toEqual(good);
    await renewed('dead');
  },
  async 'the client is refused: the fields that the error names are put anew'() {
    const answer = await refusedBy('client', 401, 'invalid_client');
    expect(answer.body.detail).toContain('check client.client_id, client.client_secret');
    const client = { client_id: 'app', client_secret: world.secret('client') };
    expect(await call(calledFor(answer), { ...generic(), client })).toEqual(good);
    await renewed('client');
  },
  async 'the request is refused: other settings are put'() {
    const answer = await refusedBy('scope', 400, 'invalid_scope', generic({ scope: 'all' }));
    expect(answer.body.code).toBe('misconfigured');
    expect(await call(calledFor(answer), generic({ scope: 'invoices' }))).toEqual(good);
    await renewed('scope');
  },
  async 'the preset is gone: the connection is put again, or deleted'() {
    await put('gone', exact('gone'));
    await upgraded('gone', { provider: 'gone' });
    await world.refresh('gone');
    for (const answer of [await token('gone'), await call('POST /connections/gone/authorizations')])
      expect(answer).toMatchObject({ status: 409, body: { cause: 'settings_outdated' } });
    expect(await call(calledFor(await token('gone')), generic())).toEqual(good);
    await renewed('gone');
    await upgraded('gone', { provider: 'gone' });
    expect((await call('DELETE /connections/gone')).status).toBe(200);
  },
  async 'another connection has the grant: each gets an account of its own, or both are meant'() {
    await put('holder', exact('shared'));
    const refused = await put('second', exact('shared'));
    expect(refused).toMatchObject({ status: 409, body: { code: 'grant_conflict' } });
    expect(await put('second', exact('shared', { account: 'bob' }))).toEqual(good);
    expect(await put('third', exact('shared', { allow_grant_conflict: true }))).toEqual(good);
  },
  async 'another connection is being put or deleted: the call is made again after Retry-After'() {
    await put('leaving', exact('handed-on'));
    await call('DELETE /connections/leaving');
    const busy = await put('coming', exact('handed-on'));
    expect(busy).toMatchObject({ status: 409, body: { code: 'conflict', retry_after: expect.any(Number) } });
    const deleting = await put('leaving', exact('handed-on'));
    expect(deleting).toMatchObject({ status: 409, body: { code: 'conflict', retry_after: expect.any(Number) } });
    await world.refresh('leaving');
    world.later(Number(busy.body.retry_after));
    expect(await put('coming', exact('handed-on'))).toEqual(good);
    expect(await put('leaving', exact('another'))).toEqual(good);
  },
  async 'a grant comes without a login: the PUT was all that it takes'() {
    const { refresh_token: _, ...body } = generic({ grant: 'client_credentials' });
    await put('machine', body);
    const answer = await call('POST /connections/machine/authorizations');
    expect(answer.status).toBe(400);
    expect(await call(calledFor(answer), body)).toEqual(good);
    await renewed('machine');
  },
  async 'the authorization endpoint is missing: it is put'() {
    await put('loginless');
    const answer = await call('POST /connections/loginless/authorizations');
    const [fault] = answer.body.faults as Fault[];
    expect(fault?.path).toBe('settings.authorization_endpoint');
    expect(await call(calledFor(answer), generic({ authorization_endpoint: 'https://id.example/authorize' }))).toEqual(
      good,
    );
    expect(await call('POST /connections/loginless/authorizations')).toEqual(good);
  },
  async 'there is no token yet: the client asks again after Retry-After'() {
    await put('soon');
    const first = await token('soon');
    expect(first).toMatchObject({ status: 503, body: { retry_after: expect.any(Number) } });
    await renewed('soon');
    const failed = await refusedBy('later', 503, 'temporarily_unavailable');
    expect(failed).toMatchObject({ status: 503, body: { retry_after: expect.any(Number) } });
    world.later(Number(failed.body.retry_after));
    await renewed('later');
  },
  async 'a store is out of reach: the client asks again'() {
    await put('unreached');
    await world.with({ AWS_ENDPOINT_URL_DYNAMODB: nobody }, async () => {
      expect(await call('GET /connections/unreached')).toMatchObject({
        status: 503,
        body: { retry_after: expect.any(Number) },
      });
    });
    expect(await call('GET /connections/unreached')).toEqual(good);
  },
  async 'a token lives shorter than is asked for: the client asks for less'() {
    await put('brief');
    await renewed('brief');
    expect((await token('brief', `min_ttl=${lifetimeSeconds + 1}`)).status).toBe(400);
    expect(await token('brief', `min_ttl=${lifetimeSeconds - 60}`)).toEqual(good);
  },
  async 'a generation is too new: the one that the token came with is reported'() {
    await put('reported');
    await renewed('reported');
    const { generation } = (await token('reported')).body;
    const report = (reported: unknown) => call('POST /token/reported/rejections?wait=0', { generation: reported });
    expect((await report(Number(generation) + 1)).status).toBe(400);
    await report(generation);
    world.later(120);
    await world.refresh('reported');
    expect((await token('reported')).body).toMatchObject({ generation: Number(generation) + 1 });
  },
  async 'a caller may not: its issuer gives it the scope that the error names, or it signs'() {
    await put('guarded');
    await renewed('guarded');
    const refused = await call('GET /token/guarded', undefined, { jwt: { claims: { scope: 'other' } } });
    expect(refused.status).toBe(403);
    const [, scope, claim] = /the scope (\S+) in its claim (\w+)/.exec(String(refused.body.detail)) ?? [];
    const issued = { jwt: { claims: { [claim ?? '']: scope } } };
    expect(await call('GET /token/guarded', undefined, issued)).toEqual(good);
    expect((await call('GET /token/guarded', undefined, null)).status).toBe(403);
    expect(await token('guarded')).toEqual(good);
  },
  async 'a connection is paused and has no token left: it is resumed'() {
    await put('paused');
    await call('PUT /connections/paused/pause');
    expect((await token('paused')).body.detail).toContain('once it is resumed');
    expect(await call('DELETE /connections/paused/pause')).toEqual(good);
    await renewed('paused');
  },
  async 'a grant is not revoked: the reply says why, and what is left to do'() {
    const { refresh_token: _, ...empty } = generic({ authorization_endpoint: 'https://id.example/authorize' });
    await put('empty', empty);
    expect(await put('several', { ...exact('several'), provider: 'google', settings: { scope: 'openid' } })).toEqual(
      good,
    );
    await put('unrevocable');
    for (const name of ['empty', 'several', 'unrevocable'])
      expect(await call(`DELETE /connections/${name}`)).toMatchObject({ status: 200, body: { revoked: false } });
  },
  async 'secrets belong to another client, or are wanted again: all of them are given'() {
    await put('kept');
    const client = { client_id: 'other' };
    const { client: _, refresh_token: __, ...rest } = generic();
    await mended('PUT /connections/kept', { ...rest, client }, { ...generic(), client: generic().client }, [
      'client.client_secret',
      'refresh_token',
    ]);
    await mended('PUT /connections/kept', { ...rest, client: {} }, generic(), ['client.client_id']);
    const { client: ___, ...clientless } = exact('clientless');
    await mended('PUT /connections/clientless', clientless, exact('clientless'), [
      'client.client_id',
      'client.client_secret',
    ]);
  },
  async 'what is in a request is not known, or has another form: each fault says what would be right'() {
    await put('formed');
    await renewed('formed');
    await mended('GET /connections/formed', 'text', undefined, ['body']);
    await mended('PUT /connections/formed', '{', generic(), ['body']);
    await mended('PUT /connections/formed', '"text"', generic(), ['body']);
    await mended('PUT /connections/formed', ' '.repeat(16_385), generic(), ['body']);
    await renewed('formed');
    expect((await call('GET /token/formed?min_tll=5&generation=1')).status).toBe(400);
    expect((await call('POST /connections/formed/authorizations?expires_in=60')).status).toBe(400);
    expect((await call('GET /connections/formed?x=1')).status).toBe(400);
    expect((await call('GET /token/Formed?min_ttl=x')).status).toBe(400);
    expect(await call('GET /token/formed?min_ttl=5')).toEqual(good);
    const report = 'POST /token/formed/rejections?wait=0';
    await mended(report, { generation: 'one', status: 'x', detail: 1 }, { generation: 1, status: 401, detail: 'no' }, [
      'detail',
      'generation',
      'status',
    ]);
    await mended(report, { generation: 0.5, status: 99.5, detail: 'x'.repeat(5_000) }, { generation: 1 }, [
      'detail',
      'generation',
      'status',
    ]);
    await mended(report, { generation: 0 }, { generation: 1 }, ['generation']);
    const wrong = '/connections?limit=0&after=X&state=activ';
    expect((await call(`GET ${wrong}`)).status).toBe(400);
    expect(await call('GET /connections?limit=1&after=a&state=active')).toEqual(good);
    await put('linked', generic({ authorization_endpoint: 'https://id.example/authorize' }));
    await mended('POST /connections/linked/authorizations', { expires_in: 1 }, { expires_in: 60 }, ['expires_in']);
    await mended('POST /connections/linked/authorizations', '"text"', { expires_in: 60 }, ['body']);
  },
};

describe('what an error advises helps, where', () => {
  test.each(Object.entries(followed))('%s', { timeout: 30_000 }, (_, follow) => follow());
});

/** Texts that no request brings about by itself: the moment at which it would be told, and what comes of its advice. */
const elsewhere: Readonly<Record<string, string>> = {
  'The connection was replaced at the same moment. No link was made; try again.': 'a PUT between read and write',
  'Renewals kept changing the connection while it was written. Nothing was changed; try again.': 'twenty renewals',
  'is of a provider whose login is not known here: obtain a refresh token elsewhere,': 'a preset without a login',
  'and import it with': 'a preset without a login',
  'The broker failed; its log says why. Nothing is known to have changed.': 'a fault of ours: there is no advice',
};

test('each text of an error was heard here', () => {
  const room = 'lambdas/{access,authorization-reply,connection-replies,parse*,reply,safely,token*}.ts';
  expect(unheardIn(room, said).filter((text) => !(text in elsewhere))).toEqual([]);
});
