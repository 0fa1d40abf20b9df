import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assertPresetIndex, updatePresetIndex } from '../../infra/preset-index.ts';
import { classify } from '../../shared/domain/classify.ts';
import type { Exchange } from '../../shared/domain/exchange.ts';
import { limits } from '../../shared/domain/limits.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { dialectOf } from '../../shared/providers/dialect.ts';
import { parsePreset } from '../../shared/providers/parse-preset.ts';
import { knownPresets } from '../../shared/providers/presets/index.ts';
import { newPreset } from './new-preset.ts';

const now = Date.parse('2026-03-01T12:00:00Z') as EpochMs;

describe('every preset', () => {
  test.each(Object.entries(knownPresets))('%s keeps to the schema, under its own name', (name, preset) => {
    expect(parsePreset(preset)).toEqual(preset);
    expect(preset.name).toBe(name);
  });

  test('is listed by its file', () => {
    expect(() => assertPresetIndex()).not.toThrow();
  });

  test('can be called elsewhere, wherever it is called at all', () => {
    expect(knownPresets.xero?.settings).toMatchObject({
      token_endpoint: {},
      authorization_endpoint: {},
      revocation_endpoint: {},
    });
    expect(knownPresets.maesn?.settings).not.toHaveProperty('token_endpoint');
  });
});

describe('the index of presets', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'presets-'));
    copyFileSync(new URL('../../shared/providers/presets/xero.ts', import.meta.url), join(folder, 'xero.ts'));
    writeFileSync(join(folder, 'index.ts'), '');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('that does not list the files beside it is refused, and not written', () => {
    expect(() => assertPresetIndex(folder)).toThrow(
      'shared/providers/presets/index.ts does not list the files beside it: run npm run presets',
    );
    expect(readFileSync(join(folder, 'index.ts'), 'utf8')).toBe('');
  });

  test('is written by npm run presets', () => {
    updatePresetIndex(folder);
    expect(readFileSync(join(folder, 'index.ts'), 'utf8')).toContain("import xero from './xero.ts';");
    expect(() => assertPresetIndex(folder)).not.toThrow();
  });

  test('takes no preset that is called otherwise than its file', () => {
    renameSync(join(folder, 'xero.ts'), join(folder, 'zero.ts'));
    expect(() => updatePresetIndex(folder)).toThrow('presets/zero.ts: its name is "xero"; let it be that of the file');
    expect(readFileSync(join(folder, 'index.ts'), 'utf8')).toBe('');
  });
});

describe('a preset that cannot be right is refused, by field and with what to change', () => {
  const { facts, settings } = newPreset;
  const mint = { ...facts, grant: 'mint', clientAuthentication: 'none', rotation: 'none', graceSeconds: 0 };
  const request = { headers: {}, body: { json: {} } };
  const secretly = (more: object) => ({
    settings: { ...settings, key: { kind: 'secret', description: '-' } },
    ...more,
  });
  const rule = {
    name: 'x',
    when: { status: [400] },
    class: 'dead_grant',
    cause: 'invalid_grant',
    comment: '-',
    source: '-',
  };

  test.each<[string, object, RegExp]>([
    ['an unknown field', { colour: 'red' }, /colour: /],
    ['an unknown fact', { facts: { ...facts, rotations: 'none' } }, /facts\.rotations: /],
    [
      'a least age that outlives the token',
      { facts: { ...facts, minTokenAgeSeconds: 900 } },
      /facts\.minTokenAgeSeconds: must be less than the lifetime of 900 s/,
    ],
    [
      'a margin that the least age forbids',
      { facts: { ...facts, minTokenAgeSeconds: 870, marginSeconds: 35 } },
      /facts\.marginSeconds: must be at most 34 s/,
    ],
    [
      'grace without a period',
      { facts: { ...facts, graceSeconds: undefined, rotation: 'grace' } },
      /facts\.graceSeconds: /,
    ],
    [
      'a grace period that leaves no time for a call',
      { facts: { ...facts, graceSeconds: 19 } },
      /facts\.graceSeconds: must be at least 20 s/,
    ],
    [
      'a grace period without grace',
      { facts: { ...facts, rotation: 'none' } },
      /facts\.graceSeconds: is only for rotation "grace"/,
    ],
    [
      'client credentials without credentials',
      { facts: { ...facts, grant: 'client_credentials', clientAuthentication: 'none' } },
      /facts\.clientAuthentication: /,
    ],
    [
      'an expression that is none',
      { errorRules: [{ ...rule, when: { body: '(' } }] },
      /errorRules\.0\.when\.body: must be a regular expression/,
    ],
    ...[['4xx' as const], ['3xx' as const], [400, 404]].map((status): [string, object, RegExp] => [
      `a rule for any ${status.join(', ')}, whatever it says`,
      { errorRules: [{ ...rule, when: { status } }] },
      /errorRules\.0\.when\.status: hides an endpoint that has moved \(\d{3}/,
    ]),
    ['a rule for everything', { errorRules: [{ ...rule, when: {} }] }, /errorRules\.0\.when: must have a condition/],
    [
      'a cause that does not fit the class',
      { errorRules: [{ ...rule, class: 'transient' }] },
      /errorRules\.0\.cause: /,
    ],
    [
      'a fix for what no settings mend',
      { errorRules: [{ ...rule, fix: 'Check it.' }] },
      /errorRules\.0\.fix: is for misconfigured only/,
    ],
    ['a verdict without a cause', { errorRules: [{ ...rule, cause: undefined }] }, /errorRules\.0\.cause: /],
    [
      'a placeholder that free text would fill',
      { settings: { ...settings, region: { kind: 'text', description: '-' } } },
      /settings\.region: .*kind "choice"/,
    ],
    [
      'a choice that means nothing',
      {
        settings: {
          ...settings,
          how: { kind: 'choice', description: '-', choices: ['post'], replaces: 'clientAuthentication' },
        },
      },
      /settings\.how: .*post/,
    ],
    [
      'a duration without a unit',
      { settings: { ...settings, grace: { kind: 'duration', description: '-', least: 0, most: 9 } } },
      /settings\.grace: .*_seconds/,
    ],
    [
      'a placeholder that its pattern lets out',
      { settings: { ...settings, region: { kind: 'text', description: '-', pattern: '.+' } } },
      /settings\.region: .*pattern/,
    ],
    [
      'a placeholder that ends the host',
      { settings: { ...settings, region: { kind: 'text', description: '-', pattern: '[a-z]+' } } },
      /settings\.region: ends the host/,
    ],
    ['a header that names nothing', { headers: { 'X-Company': '{company}' } }, /headers: names \{company\}/],
    [
      'a parameter made of a secret',
      secretly({ facts: { ...facts, tokenParameters: { a: '{key}' } } }),
      /facts\.tokenParameters: names \{key\}/,
    ],
    [
      'keeping alive what has lapsed',
      { facts: { ...facts, keepAliveSeconds: 100, refreshTokenIdleSeconds: 100 } },
      /facts\.keepAliveSeconds: must be less/,
    ],
    [
      'an idle limit beyond the end',
      { facts: { ...facts, refreshTokenIdleSeconds: 101, refreshTokenLifetimeSeconds: 100 } },
      /facts\.refreshTokenIdleSeconds: must be at most/,
    ],
    [
      'fewer calls a day than renewals',
      { facts: { ...facts, callsPerDay: 99 } },
      /facts\.callsPerDay: must be at least 100/,
    ],
    [
      'a login without a word on PKCE',
      { facts: { ...facts, authorizationEndpoint: 'https://id.newbooks.example/auth' } },
      /facts\.pkce: is missing/,
    ],
    ['mint without a request', { facts: { ...mint } }, /request: is missing/],
    ['a request without mint', { request }, /request: is only for the grant mint/],
    [
      'a client that mints',
      { facts: { ...mint, clientAuthentication: 'client_secret_post' }, request },
      /facts\.clientAuthentication: must be "none"/,
    ],
    [
      'mint with what only a refresh token has',
      { facts: { ...mint, keepAliveSeconds: 9 }, request },
      /facts\.keepAliveSeconds: is only for/,
    ],
    [
      'a one-time password of no seed',
      { facts: mint, request: { ...request, oneTimePassword: 'region' } },
      /request\.oneTimePassword: must name/,
    ],
    [
      'a request that names nothing',
      { facts: mint, request: { ...request, basic: '{user}' } },
      /request\.basic: names \{user\}/,
    ],
    ['static with an endpoint', { facts: { ...mint, grant: 'static' } }, /facts\.tokenEndpoint: is never called/],
    [
      'static without its secret',
      { facts: { ...mint, grant: 'static' }, accessToken: 'region' },
      /accessToken: must name/,
    ],
    ['an access token of another grant', secretly({ accessToken: 'key' }), /accessToken: is only for/],
    [
      'a signature without a key',
      { facts: { ...facts, clientAuthentication: 'private_key_jwt' } },
      /settings\.private_key: is missing/,
    ],
    [
      'a host that anybody can end with',
      { reply: { format: 'json', endpoint: { path: 'a', hosts: ['intacct.com'] } } },
      /hosts\.0: must begin with a dot/,
    ],
    [
      'a default that is no choice',
      { settings: { region: { ...settings.region, default: 'mars' } } },
      /settings\.region: has a default/,
    ],
    ['no token endpoint', { facts: { ...facts, tokenEndpoint: undefined } }, /settings\.token_endpoint: is missing/],
  ])('%s', (_, change, expected) => {
    // As a file would have it: what is undefined is not there.
    expect(() => parsePreset(JSON.parse(JSON.stringify({ ...newPreset, ...change })))).toThrow(expected);
  });

  test('on the right side of each limit it is accepted', () => {
    const changes = [
      { minTokenAgeSeconds: 899, marginSeconds: 5 },
      { minTokenAgeSeconds: 870, marginSeconds: 34 },
      { graceSeconds: 20 },
      { keepAliveSeconds: 99, refreshTokenIdleSeconds: 100, refreshTokenLifetimeSeconds: 100 },
      { callsPerDay: 100 },
    ];
    for (const change of changes) {
      expect(() => parsePreset({ ...newPreset, facts: { ...facts, ...change } })).not.toThrow();
    }
  });

  test('all faults are told at once', () => {
    const broken = { ...newPreset, name: 'New One', facts: { ...facts, graceSeconds: 1, minTokenAgeSeconds: 900 } };
    expect(() => parsePreset(broken)).toThrow(/name: /);
    expect(() => parsePreset({ ...broken, name: 'new' })).toThrow(/minTokenAgeSeconds[\s\S]*graceSeconds/);
  });
});

describe('exact-online', () => {
  const { facts } = knownPresets['exact-online'] ?? expect.fail('no such preset');

  test('renews no token that either of two clocks could find younger than 570 s', () => {
    expect(facts.minTokenAgeSeconds * 1_000).toBeGreaterThanOrEqual(570_000 + 2 * limits.skewMs);
  });

  const reply = (status: number, body: unknown, headers: Record<string, string> = {}): Exchange => ({
    kind: 'reply',
    status,
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const notExpired = 'Rate limit exceeded: access_token not expired';
  const fault = {
    fault: {
      faultstring: 'Failed to execute the ExtractVariables: ExtractAccessToken',
      detail: { errorcode: 'steps.extractvariables.ExecutionFailed' },
    },
  };

  // The replies are those that the preset's comments quote.
  test.each<[string, Exchange, object]>([
    [
      'too early',
      reply(400, { error: 'access_denied', error_description: notExpired }),
      { class: 'too_early', code: 'access_denied', description: notExpired },
    ],
    [
      'too early, told by a header only',
      reply(400, '', { reason: `TooEarlyToRefreshTokens: ${notExpired}` }),
      { class: 'too_early', code: 'http_400' },
    ],
    [
      'a used refresh token',
      reply(401, { error: 'unauthorized_client', error_description: 'Old refresh token used.' }),
      { class: 'dead_grant', cause: 'refresh_token_reused' },
    ],
    [
      'a used refresh token, older reply',
      reply(400, { error: 'unauthorized_client', error_description: 'Old refresh token used.' }),
      { class: 'dead_grant', cause: 'refresh_token_reused' },
    ],
    [
      'an expired refresh token',
      reply(400, {
        error: 'invalid_request',
        error_description: 'The refresh token expired at 10/11/2022 9:18:20 PM and it is now 10/28/2022 4:15:50 PM.',
      }),
      { class: 'dead_grant', cause: 'refresh_token_expired', code: 'invalid_request' },
    ],
    [
      'a broken chain',
      reply(400, {
        error: 'access_denied',
        error_description: 'Token is not allowed, because of invalid or empty chainId',
      }),
      { class: 'dead_grant', cause: 'invalid_grant' },
    ],
    ['invalid_grant', reply(400, { error: 'invalid_grant' }), { class: 'dead_grant', cause: 'invalid_grant' }],
    ['a wrong client', reply(400, { error: 'invalid_client' }), { class: 'misconfigured', cause: 'invalid_client' }],
    [
      'the wrong country',
      reply(400, "Client with identifier '{0b1f}' not found."),
      { class: 'misconfigured', cause: 'invalid_client' },
    ],
    [
      'too many requests',
      reply(429, '', { 'x-ratelimit-minutely-reset': String(now + 60_000) }),
      { class: 'transient', code: 'http_429', retryAt: now + 60_000 },
    ],
    [
      'a gateway fault',
      reply(500, fault),
      { class: 'in_doubt', code: 'http_500', description: fault.fault.faultstring },
    ],
    ['a gateway fault by another status', reply(404, fault), { class: 'in_doubt' }],
    ['503', reply(503, ''), { class: 'in_doubt' }],
    [
      'not understood',
      reply(400, 'Bad Request', { 'content-type': 'text/plain' }),
      { class: 'transient', code: 'http_400', description: 'Bad Request' },
    ],
    [
      'an invalid_request of another kind',
      reply(400, { error: 'invalid_request', error_description: 'no' }),
      { class: 'transient', code: 'invalid_request' },
    ],
  ])('%s', (_, answer, expected) => {
    const outcome = classify(
      answer,
      { requestedAt: now, receivedAt: now },
      [],
      dialectOf({ provider: 'exact-online', settings: { country: 'nl' } }),
    );
    expect(outcome).toMatchObject(expected);
  });

  test('what is not understood is tried at most twice an hour, what is understood sooner', () => {
    const at = (answer: Exchange) =>
      classify(
        answer,
        { requestedAt: now, receivedAt: now },
        [],
        dialectOf({ provider: 'exact-online', settings: { country: 'nl' } }),
      );
    expect(at(reply(403, '<html>'))).toMatchObject({ class: 'transient', retryAt: now + 1_800_000 });
    expect(at(reply(500, fault))).not.toHaveProperty('retryAt');
  });
});
