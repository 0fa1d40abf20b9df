/** One run of a scenario: so many workers, one grant, one provider of their own. */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { SignedFetch } from '../platform/signed-fetch.ts';
import { type SimulatorClock, startClock } from '../simulators/clock.ts';
import { type ExactOnline, exactOnlineFacts, startExactOnline } from '../simulators/exact-online.ts';
import { brokeredSender, connect, isLost } from './brokered.ts';
import { fileStore, independentSender, type Manners, ownStore, type TokenStore, type Tokens } from './independent.ts';
import { recordEveryMs, type Scenario, speed } from './scenarios.ts';
import type { Sender } from './sender.ts';

export interface Figures {
  readonly tokenCalls: number;
  /** Of the token endpoint, for each lifetime that has passed. */
  readonly callsALifetime: number;
  /** 400, 401, 403 and 404, of both endpoints; by the provider's clock. */
  readonly errorsAnHour: number;
  readonly hoursBlocked: number;
  readonly records: number;
  readonly notDelivered: number;
}

export interface Run {
  readonly scenario: Scenario;
  readonly workers: number;
  /** What has been counted so far. */
  figures(): Figures;
  /** Resolves when all its workers have ended, with how many grants were lost. */
  readonly ended: Promise<number>;
  close(): Promise<void>;
}

interface Surroundings {
  readonly directory: string;
  readonly broker: SignedFetch;
  readonly lifetimes: number;
}

interface Team {
  /** When its first access token was issued, by the provider's clock. */
  readonly startedAt: number;
  readonly senders: readonly Sender[];
  isGrantLost(): Promise<boolean>;
}

const lifetimeMs = exactOnlineFacts.lifetimeSeconds * 1_000;
const realMs = (ms: number): number => ms / speed;
const hourMs = 3_600_000;

/** Starts a provider, gives the workers a fresh token, and lets them work. Counting begins half a lifetime later. */
export async function startRun(
  scenario: Scenario,
  workers: number,
  { directory, broker, lifetimes }: Surroundings,
): Promise<Run> {
  const clock = startClock(speed);
  const exact = await startExactOnline({ clock, facts: scenario.facts });
  const name = `run-${new URL(exact.url).port}`;
  const team =
    scenario.client.kind === 'broker'
      ? await brokered(broker, name, exact, workers)
      : await independent(join(directory, name), exact, clock, scenario.client, workers);

  const from = team.startedAt + lifetimeMs / 2;
  const until = from + lifetimes * lifetimeMs;
  const counted = { records: 0, notDelivered: 0 };

  async function work(send: Sender): Promise<void> {
    await setTimeout(realMs(recordEveryMs) * Math.random());
    while (clock.now() < until) {
      const at = clock.now();
      const delivered = await send().catch(() => false);
      if (at >= from) counted.records += 1;
      if (at >= from && !delivered) counted.notDelivered += 1;
      await setTimeout(realMs(recordEveryMs) * (0.8 + 0.4 * Math.random()));
    }
  }

  return {
    scenario,
    workers,
    figures() {
      const to = Math.min(clock.now(), until);
      const entries = exact.ledger.filter(({ at }) => at >= from && at < to);
      const tokenCalls = entries.filter(({ path }) => exact.tokenEndpoint.endsWith(path)).length;
      const errors = entries.filter(({ status }) => [400, 401, 403, 404].includes(status)).length;
      const passedMs = Math.max(to - from, 1);
      return {
        tokenCalls,
        callsALifetime: tokenCalls / (passedMs / lifetimeMs),
        errorsAnHour: errors / (passedMs / hourMs),
        hoursBlocked: exact.blockedMs(from, Math.max(to, from)) / hourMs,
        ...counted,
      };
    },
    ended: Promise.all(team.senders.map(work)).then(async () => ((await team.isGrantLost()) ? 1 : 0)),
    close: exact.close,
  };
}

async function brokered(fetch: SignedFetch, connection: string, exact: ExactOnline, workers: number): Promise<Team> {
  const { lifetimeSeconds, minTokenAgeSeconds } = exactOnlineFacts;
  await connect(fetch, connection, exact, {
    lifetime: lifetimeSeconds / speed,
    minTokenAge: minTokenAgeSeconds / speed,
  });
  const issued = exact.ledger.findLast(({ status }) => status === 200);
  if (issued === undefined) throw new Error('the broker serves a token that nobody issued');
  return {
    startedAt: issued.at,
    senders: Array.from({ length: workers }, () => brokeredSender(fetch, connection, exact)),
    isGrantLost: () => isLost(fetch, connection),
  };
}

type Independent = Extract<Scenario['client'], { kind: 'independent' }>;

async function independent(
  path: string,
  exact: ExactOnline,
  clock: SimulatorClock,
  { refreshes, store: kind }: Independent,
  workers: number,
): Promise<Team> {
  const startedAt = clock.now();
  const first: Tokens = { ...exact.authorize(), expiresAt: Date.now() + realMs(lifetimeMs) };
  const file = fileStore(path);
  await file.write(first);
  const stores: readonly TokenStore[] = Array.from({ length: workers }, () =>
    kind === 'shared' ? file : ownStore(first),
  );
  const manners: Manners = {
    // The last 30 s of a token, the only ones in which Exact renews it.
    ...(refreshes === 'ahead' && { aheadMs: realMs(lifetimeMs - exactOnlineFacts.minTokenAgeSeconds * 1_000) }),
    backOffMs: realMs(60_000),
  };
  return {
    startedAt,
    senders: stores.map((store) => independentSender(exact, store, first, manners)),
    async isGrantLost() {
      const kept = await Promise.all(stores.map((store) => store.read()));
      return !kept.some(({ refreshToken }) => exact.accepts(refreshToken));
    },
  };
}
