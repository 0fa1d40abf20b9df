import { describe, expect, test } from 'vitest';
import { outcomeOf, revocationOf } from '../../shared/application/outcome-of.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import type { Exchange } from '../../shared/domain/exchange.ts';
import type { Dialect } from '../../shared/domain/reply.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { ProviderRules } from '../../shared/ports/providers.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { now } from '../providers/loopback.ts';
import { reply } from '../sim/provider.ts';

const config: ConnectionConfig = {
  provider: 'generic-oauth2',
  settings: { token_endpoint: 'https://id.example.com/token' },
  clientId: 'app',
  renewal: 'always',
};
const rules: ProviderRules = providersFrom().of(config).rules ?? expect.fail('no rules');
const times = { requestedAt: now, receivedAt: now };
const sent = { credentials: { client_secret: new Secret('hunter2') }, others: [new Secret('rt-old')] };

/** A dialect on which the classifier fails, as a fault in it would. */
const failing: Dialect = {
  ...rules.dialect,
  get errorRules(): never {
    throw new Error('a fault of the classifier');
  },
};
const understood = (exchange: Exchange, dialect: Dialect = rules.dialect) =>
  outcomeOf({ ...rules, dialect }, exchange, times, sent);
const refreshTokenOf = (exchange: Exchange, dialect?: Dialect) => {
  const outcome = understood(exchange, dialect);
  return outcome.kind === 'failure' ? outcome.refreshToken?.reveal() : undefined;
};

describe('a reply that the classifier fails on', () => {
  const rotated = { error: 'server_error', refresh_token: 'rt-new' };

  test('leaves the call in doubt', () => {
    expect(understood(reply(400, rotated), failing)).toMatchObject({
      kind: 'failure',
      class: 'in_doubt',
      code: 'unreadable_reply',
      status: 400,
    });
  });

  test('gives the refresh token that it brought, as JSON or as a form', () => {
    expect(refreshTokenOf(reply(400, rotated), failing)).toBe('rt-new');
    expect(
      refreshTokenOf({ ...reply(400, {}), body: 'error=server_error&refresh_token=rt-new' } as Exchange, failing),
    ).toBe('rt-new');
  });

  test('gives no refresh token that is only an echo, or none', () => {
    expect(refreshTokenOf(reply(400, { ...rotated, refresh_token: 'rt-old' }), failing)).toBeUndefined();
    expect(refreshTokenOf(reply(400, { ...rotated, refresh_token: 17 }), failing)).toBeUndefined();
    expect(refreshTokenOf(reply(400, 'no object'), failing)).toBeUndefined();
  });
});

test('a reply with half a surrogate pair in it gives the refresh token that it brought', () => {
  const body = { error: 'server_error', id_token: '\ud800', error_description: 'words', refresh_token: 'rt-new' };
  expect(refreshTokenOf(reply(400, body))).toBe('rt-new');
});

test.each<[what: string, exchange: Exchange, result: object]>([
  ['a server that revokes, or does not know the token', reply(200, {}), { kind: 'revoked' }],
  ['a server that refuses', reply(400, {}), { kind: 'refused', code: 'http_400' }],
  ['a server that is busy', reply(429, {}), { kind: 'failed', code: 'http_429' }],
  ['a server that fails', reply(503, {}), { kind: 'failed', code: 'http_503' }],
  ['nothing to send', { kind: 'not_written', code: 'time_out' }, { kind: 'refused', code: 'time_out' }],
  ['no way to it', { kind: 'not_sent', code: 'time_out' }, { kind: 'failed', code: 'time_out' }],
  ['no reply', { kind: 'lost', code: 'time_out' }, { kind: 'failed', code: 'time_out' }],
])('revoking, with %s', (_, exchange, result) => {
  expect(revocationOf(exchange)).toEqual(result);
});
