/** The TypeScript client, case by case of the table that clients in every language are held to. */
import { expect, test } from 'vitest';
import type { BrokerToken, TokenBroker } from '../../client/api.ts';
import { brokerOf } from '../../client/broker.ts';
import { TokenBrokerError } from '../../client/errors.ts';
import { timing } from '../../client/timing.ts';
import '../../client/advice-on-response.ts';
import { brokerUrl, type Case, cases, constants, Network, type Step } from './cases.ts';
import { VirtualClock, virtualWorld } from './virtual.ts';

const streamOf = (text: string): ReadableStream => new Response(text).body as ReadableStream;

function call(broker: TokenBroker, step: Step): Promise<BrokerToken | Response> {
  const { connection, min_ttl: minTtl, time_out: timeOut, generation = 0, status } = step;
  const options = { ...(timeOut !== undefined && { timeoutMs: timeOut * 1_000 }) };
  switch (step.call) {
    case 'token':
      return broker.token(connection, { ...options, ...(minTtl !== undefined && { minTtl }) });
    case 'reject':
      return broker.reject(connection, { generation, ...(status !== undefined && { status }) }, options);
    case 'fetch': {
      const body = step.body ?? (step.body_stream === undefined ? undefined : streamOf(step.body_stream));
      return broker.fetch(connection, step.url ?? '', {
        ...(step.method && { method: step.method }),
        ...(body !== undefined && { body }),
      });
    }
  }
}

/** What a call came to, in the words of the table. */
function outcomeOf(settled: PromiseSettledResult<BrokerToken | Response>): Readonly<Record<string, unknown>> {
  if (settled.status === 'rejected') {
    const error = settled.reason;
    if (!(error instanceof TokenBrokerError)) return { thrown: error };
    const { code, retryable, status, reason, faults, downstreamErrors, retryAfterMs } = error;
    return {
      fails: {
        code,
        retryable,
        status,
        cause: reason,
        faults,
        downstream_errors: downstreamErrors,
        retry_after: (retryAfterMs ?? Number.NaN) / 1_000,
      },
    };
  }
  const { value } = settled;
  return 'generation' in value
    ? { returns: { generation: value.generation, access_token: value.accessToken } }
    : { returns: { status: value.status } };
}

async function play({ chance = 0, clock_ahead: ahead = 0, jwt = 'a-jwt', steps }: Case): Promise<void> {
  const clock = new VirtualClock();
  const network = new Network(clock);
  const world = virtualWorld(clock, network.fetch, { chance, aheadMs: ahead * 1_000 });
  const broker = brokerOf({ url: brokerUrl, credentials: { bearer: jwt } }, world);
  for (const step of steps) {
    await clock.moveTo(step.at);
    network.expect(step.exchanges);
    const calls = Promise.allSettled(Array.from({ length: step.callers ?? 1 }, () => call(broker, step)));
    await clock.until(calls);
    if (step.ends_at !== undefined) expect(clock.seconds).toBeCloseTo(step.ends_at, 2);
    await clock.settle();
    expect({ at: step.at, faults: network.faults, missing: network.missing }).toEqual({
      at: step.at,
      faults: [],
      missing: [],
    });
    const { returns, fails: { says = [], ...fails } = {} } = step;
    for (const settled of await calls) {
      expect({ at: step.at, ...outcomeOf(settled) }).toMatchObject({
        at: step.at,
        ...(returns && { returns }),
        ...(step.fails && { fails }),
      });
      for (const words of says) expect(settled).toHaveProperty('reason.message', expect.stringContaining(words));
    }
  }
  // No timer is left behind, once the last reply is there or given up.
  await clock.moveTo(clock.seconds + timing.attemptTimeoutMs / 1_000);
  expect(clock.waiting).toBe(0);
}

test('the table is not empty, and names each case once', () => {
  expect(cases.length).toBeGreaterThan(50);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

test('its constants are those of the client', () => {
  const seconds = (value: number | { readonly from: number; readonly to: number }): unknown =>
    typeof value === 'number' ? value / 1_000 : [value.from / 1_000, value.to / 1_000];
  expect(constants).toEqual({
    call_time_out_seconds: seconds(timing.callTimeoutMs),
    attempt_time_out_seconds: seconds(timing.attemptTimeoutMs),
    usual_min_ttl_seconds: seconds(timing.usualLifeMs),
    least_life_seconds: seconds(timing.leastLifeMs),
    ask_after_share_of_margin: Object.values(timing.askAfterShare),
    least_pause_seconds: seconds(timing.leastPauseMs),
    back_off_first_seconds: seconds(timing.backOffFirstMs),
    back_off_longest_seconds: seconds(timing.backOffLongestMs),
    retry_after_spread_seconds: seconds(timing.retryAfterSpreadMs),
    refusal_kept_seconds: seconds(timing.refusalKeptMs),
    memory_seconds: seconds(timing.memoryMs),
  });
});

test.each(cases.map((each) => [each.name, each] as const))('%s', async (_, each) => {
  await play(each);
});
