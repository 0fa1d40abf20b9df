/** The probe against everything that can be simulated: the facts that are set are those that it finds. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Budget, ProbeWorld } from '../../cli/probe/asking.ts';
import { factsOfMetadata } from '../../cli/probe/metadata-facts.ts';
import { patchOf } from '../../cli/probe/patch.ts';
import { type ProbeReport, probe } from '../../cli/probe/probe.ts';
import { type ExactOnlineFacts, startExactOnline } from '../../local/simulators/exact-online.ts';
import { startSageIntacct } from '../../local/simulators/sage-intacct.ts';
import { httpTokenEndpoint } from '../../shared/adapters/oauth/token-endpoint.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { manualClock } from '../local/simulators/manual-clock.ts';
import { type KindName, kinds } from '../sim/natures.ts';
import { type Nature, Provider, trueExpiryOf } from '../sim/provider.ts';
import { start } from '../sim/stores.ts';
import { VirtualTime } from '../sim/time.ts';

const plenty: Budget = { calls: 60, errorsAnHour: 7, ms: 6 * 3_600_000 };

function rulesOf(config: ConnectionConfig): ProbeWorld['rules'] {
  const { rules } = providersFrom().of(config);
  if (rules === undefined) throw new Error('the settings fit no preset');
  return rules;
}

/** Probes a simulated authorization server of this nature. */
async function probed(nature: Nature, budget = plenty, more: Partial<ProbeWorld> = {}) {
  const time = new VirtualTime(start);
  const provider = new Provider(time, nature);
  const config: ConnectionConfig = {
    provider: nature.words === 'exact' ? 'exact-online' : 'generic-oauth2',
    settings: nature.words === 'exact' ? { country: 'nl' } : { token_endpoint: 'https://provider.example/token' },
    clientId: 'app',
    renewal: 'always',
  };
  const world: ProbeWorld = {
    clock: { now: () => time.now(), sleep: (ms) => time.sleep(ms) },
    endpoint: {
      request: (request) => {
        const refreshToken = request.refreshToken?.reveal() ?? '';
        const call = { sentAt: time.now(), environment: 0, refreshToken };
        provider.ledger.push(call);
        return provider.call(call, request, { toMs: 20, fromMs: 20 });
      },
    },
    rules: rulesOf(config),
    config,
    credentials: {},
    api: async (token) => (provider.endedAccess.has(token) || trueExpiryOf(token) <= time.now() ? 401 : 200),
    tell: () => {},
    ...more,
  };
  const report = await time.runUntilSettled(probe(world, provider.authorize(), budget), 2 * plenty.ms);
  return { report, provider };
}

const valuesOf = ({ found }: ProbeReport): Record<string, unknown> =>
  Object.fromEntries(found.map(({ fact, value }) => [fact, value]));

/** What a nature's facts are in a preset's words. */
function factsOf({ rotation, lifetimeMs, expiresIn, minTokenAgeMs, endsPrevious }: Nature) {
  return {
    rotation: rotation === 'revokes' ? 'single_use' : rotation,
    lifetimeSeconds: expiresIn === 'missing' ? undefined : lifetimeMs / 1_000,
    old: minTokenAgeMs > 0,
    renewalEnds: endsPrevious ? 'previous_token' : 'nothing',
  };
}

describe('of every nature that the simulation plays', () => {
  test.each(Object.keys(kinds) as KindName[])('%s: it finds the facts that are set', async (name) => {
    const { nature } = kinds[name];
    const { report, provider } = await probed(nature);
    const { minTokenAgeSeconds, graceSeconds, reuse, renewalEnds, ...found } = valuesOf(report);
    const { old, ...expected } = factsOf(nature);
    expect({ rotation: found.rotation, lifetimeSeconds: found.lifetimeSeconds }).toEqual({
      rotation: expected.rotation,
      lifetimeSeconds: expected.lifetimeSeconds,
    });
    // The same access token again: no renewal could end it.
    expect(renewalEnds).toBe(nature.sameToken ? undefined : expected.renewalEnds);
    // It errs to the safe side: an age that is surely old enough, a grace period that surely lasts.
    const ageMs = Number(minTokenAgeSeconds) * 1_000;
    expect(ageMs).toBeGreaterThanOrEqual(nature.minTokenAgeMs);
    expect(ageMs - nature.minTokenAgeMs).toBeLessThanOrEqual(old ? 10_000 : 0);
    if (nature.rotation === 'grace') {
      expect(graceSeconds).toBeLessThanOrEqual(nature.graceMs / 1_000);
      expect(graceSeconds).toBeGreaterThanOrEqual((nature.graceMs / 1_000) * 0.9);
    } else expect(graceSeconds).toBeUndefined();
    if (nature.rotation === 'revokes') expect(reuse).toBe('ends_the_grant');
    if (nature.rotation === 'single_use') expect(reuse).toBe('refused');
    const kills = report.found.some(({ value }) => value === 'ends_the_first_successor');
    expect(kills).toBe(nature.killsSibling);
    // What it says of the grant at the end is so.
    expect(report.newest !== undefined && provider.alive(report.newest)).toBe(nature.rotation !== 'revokes');
    expect(report.calls).toBeLessThanOrEqual(plenty.calls);
  });
});

/** Probes a simulator behind HTTP, whose clock moves only while the probe waits. */
async function overHttp(
  started: Awaited<ReturnType<typeof startExactOnline | typeof startSageIntacct>>,
  clock: ReturnType<typeof manualClock>,
  provider: string,
  refreshToken: string,
  budget = plenty,
) {
  onTestFinished(() => started.close());
  const { tokenEndpoint, apiEndpoint, authorizationEndpoint, client } = started;
  const config: ConnectionConfig = {
    provider,
    settings: { token_endpoint: tokenEndpoint, authorization_endpoint: authorizationEndpoint },
    clientId: client.clientId,
    renewal: 'always',
  };
  return probe(
    {
      clock: { now: () => clock.now() as EpochMs, sleep: async (ms) => clock.advance(ms) },
      endpoint: httpTokenEndpoint({ allowLoopback: true }),
      rules: rulesOf(config),
      config,
      credentials: { client_secret: new Secret(client.clientSecret) },
      api: async (token) => (await fetch(apiEndpoint, { headers: { authorization: `Bearer ${token}` } })).status,
      tell: () => {},
    },
    refreshToken,
    budget,
  );
}

describe('of the simulator of Exact Online', () => {
  const exact = async (facts: Partial<ExactOnlineFacts>, secondsAgo = 600) => {
    const clock = manualClock();
    const started = await startExactOnline({ clock, facts });
    const { refreshToken } = started.authorize({ secondsAgo });
    const report = await overHttp(started, clock, 'exact-online', refreshToken);
    return { report, started, blocked: started.blockedMs(0, clock.now()) };
  };
  test.each<[string, Partial<ExactOnlineFacts>, object]>([
    ['single use', {}, { rotation: 'single_use', reuse: 'refused', renewalEnds: 'nothing' }],
    ['age looked at first', { checkedFirst: 'age' }, { rotation: 'single_use', reuse: 'refused' }],
    ['reuse revokes', { reuseRevokes: true }, { rotation: 'single_use', reuse: 'ends_the_grant' }],
    ['old ones go on working', { refreshTokens: 'reusable' }, { rotation: 'none' }],
    ['the old access token dies', { accessTokenAfterRenewal: 'dies' }, { renewalEnds: 'previous_token' }],
    ['another life, as a number', { lifetimeSeconds: 900, expiresIn: 'number' }, { lifetimeSeconds: 900 }],
    ['reuse told with 400', { reuseStatus: 400 }, { rotation: 'single_use', reuse: 'refused' }],
  ])('%s', async (_title, facts, expected) => {
    const { report, blocked } = await exact(facts);
    const found = valuesOf(report);
    expect(found).toMatchObject(expected);
    expect(found.minTokenAgeSeconds).toBeGreaterThanOrEqual(570);
    expect(found.minTokenAgeSeconds).toBeLessThanOrEqual(580);
    // Ten errors in an hour would block the key.
    expect(blocked).toBe(0);
  });
  test('waits for a grant that was given a moment ago', async () => {
    expect(valuesOf((await exact({}, 0)).report)).toMatchObject({ rotation: 'single_use' });
  });
  test('no other age: none is found', async () => {
    expect(valuesOf((await exact({ minTokenAgeSeconds: 0 })).report).minTokenAgeSeconds).toBe(0);
  });
  test('tells how refusals look, and nothing secret', async () => {
    const { report, started } = await exact({});
    expect(report.refusals).toContainEqual(
      expect.objectContaining({ class: 'dead_grant', status: 401, description: 'Old refresh token used.' }),
    );
    const patch = patchOf(report, 'exact-online', '2026-11-29');
    expect(patch).toMatch(/^ {4}rotation: 'single_use', \/\/ \[P 2026-11-29\] a used one was refused/m);
    expect(patch).toMatch(/^ {4}lifetimeSeconds: 600, \/\/ \[P 2026-11-29\] expires_in was "600"$/m);
    expect(patch).not.toContain(started.client.clientSecret);
    expect(patch).not.toContain(report.newest);
  });
});

describe('of the simulator of Sage Intacct', () => {
  test.each([
    ['single use', {}, { rotation: 'single_use', reuse: 'refused', lifetimeSeconds: 43_200, minTokenAgeSeconds: 0 }],
    ['reuse revokes', { reuseRevokes: true }, { rotation: 'single_use', reuse: 'ends_the_grant' }],
    ['old ones go on working', { refreshTokens: 'reusable' }, { rotation: 'none' }],
    ['none comes with a renewal', { renewalBringsRefreshToken: false }, { rotation: 'none' }],
    ['a dead one told as a wrong client', { deadGrantToldAs: 'invalid_client' }, { rotation: 'single_use' }],
    ['no expiry told', { expiresIn: 'absent' }, { rotation: 'single_use' }],
    ['the old access token dies', { accessTokenAfterRenewal: 'dies' }, { renewalEnds: 'previous_token' }],
  ] as const)('%s', async (_title, facts, expected) => {
    const clock = manualClock();
    const started = await startSageIntacct({ clock, facts });
    const { refreshToken } = started.authorize();
    const report = await overHttp(started, clock, 'sage-intacct-rest', refreshToken);
    expect(valuesOf(report)).toMatchObject(expected);
  });
});

describe('the budget', () => {
  test('of calls is never exceeded, and what is left open is told', async () => {
    const { report, provider } = await probed(kinds.singleUse.nature, { ...plenty, calls: 3 });
    expect(provider.ledger).toHaveLength(3);
    expect(report.open).toContain('the calls that were agreed are made');
    expect(valuesOf(report).rotation).toBeUndefined();
  });
  test('of time ends the wait, not the report', async () => {
    const { report } = await probed(kinds.exactSingleUse.nature, { ...plenty, ms: 700_000 });
    expect(report.open).toContain('the time that was agreed is over');
    expect(valuesOf(report).lifetimeSeconds).toBe(600);
  });
  test('what can end the grant comes last', async () => {
    const { provider } = await probed(kinds.revoking.nature);
    const results = provider.ledger.map(({ result }) => result);
    expect(results.slice(-2)).toEqual(['revoked', 'refused']);
    expect(results.filter((result) => result === 'rotated').length).toBe(results.length - 3);
  });
  test('without an address of the API nothing is said of what a renewal ends', async () => {
    const { report } = await probed(kinds.endsPrevious.nature, plenty, { api: undefined as never });
    expect(valuesOf(report).renewalEnds).toBeUndefined();
    expect(report.open.join()).toContain('--api-url');
  });
  test('a provider that is down is not probed on', async () => {
    const { report, provider } = await probed(kinds.singleUse.nature, plenty, {
      endpoint: { request: async () => ({ kind: 'reply', status: 503, headers: {}, body: '' }) },
    });
    expect([report.calls, provider.ledger.length, report.found]).toEqual([1, 0, []]);
  });
});

test('metadata tells of PKCE and iss', () => {
  const issuer = 'https://id.example';
  const full = {
    issuer,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  };
  expect(factsOfMetadata(full).map(({ fact, value }) => [fact, value])).toEqual([
    ['pkce', 'S256'],
    ['issuer', issuer],
  ]);
  expect(factsOfMetadata({ issuer }).map(({ fact, how }) => [fact, how])).toEqual([
    ['pkce', expect.stringContaining('does not tell')],
  ]);
});
