/**
 * One run of the simulated world: a kind of provider, some faults, some clients; then the faults stop, and everything
 * must converge.
 */
import { createHash } from 'node:crypto';
import { limits } from '../../shared/domain/limits.ts';
import { plus } from '../../shared/domain/time.ts';
import type { Violation } from './checkers/checker.ts';
import {
  accidentally,
  drawAccident,
  drawFault,
  drawOutages,
  drawRates,
  drawResend,
  drawRotation,
  drawSecretEnds,
  drawWay,
  type FaultRates,
} from './faults.ts';
import { type Kind, type KindName, kinds, withTwoSecrets } from './natures.ts';
import { drawPauses, letOperatorsPause } from './pauses.ts';
import { type Doings, drawDoings, letPeopleDo } from './people.ts';
import { drawnApart, Random } from './random.ts';
import { type Happening, start } from './stores.ts';
import { drawStranger, letStrangerRenew } from './strangers.ts';
import type { Variant } from './variant.ts';
import { watch } from './watch.ts';
import { World } from './world.ts';

/** What a run came to. Costs are no violations: they are what variants of the rules are compared by. */
export interface Run {
  readonly seed: number;
  readonly kind: KindName;
  readonly rates: FaultRates;
  /** What people did; undefined if nothing. */
  readonly doings: Doings | undefined;
  readonly violations: readonly Violation[];
  readonly log: readonly Happening[];
  /** Of the whole log: two runs of one seed must have the same. */
  readonly digest: string;
  readonly costs: Costs;
}

export interface Costs {
  readonly calls: number;
  readonly generations: number;
  readonly reauthorizations: number;
  readonly discardedTokenSets: number;
  readonly longestUnavailableMs: number;
  readonly invocations: number;
  readonly logins: number;
  readonly removals: number;
  readonly pauses: number;
}

const faultyMs = 1_800_000;
/**
 * Longer than the longest wait that a failure imposes: the longest back-off, or an hour until spent errors are
 * forgiven.
 */
const calmMsFor = ({ profile }: Kind): number => (profile.errorsPerHour === undefined ? 1_500_000 : 4_500_000);
const kindNames = Object.keys(kinds) as [KindName, ...KindName[]];

export interface SimulationOptions {
  /** What is wrong on purpose. */
  readonly variant?: Variant;
  /** Rates to put in place of the drawn ones. */
  readonly rates?: Partial<FaultRates>;
  /** Ends at the first violation. */
  readonly brief?: boolean;
}

/** Runs one seed. The same seed with the same options gives the same run, to the last line of the log. */
export async function simulate(
  seed: number,
  { variant, rates: given, brief = false }: SimulationOptions = {},
): Promise<Run> {
  // What is drawn before the world is made comes from a stream of its own.
  const draw = new Random(seed * 2 + 1);
  const kind = draw.pick(kindNames);
  const calmMs = calmMsFor(kinds[kind]);
  const rates: FaultRates = { ...drawRates(draw, seed), ...given };
  const busy = draw.pick([0.001, 0.01, 0.05]);
  const neighbours = draw.chance(0.3);
  const outages = drawOutages(draw, rates, start + 60_000, start + faultyMs);
  const doings = drawDoings(seed, kinds[kind], plus(start, 60_000), plus(start, faultyMs - 120_000));
  const accident = drawAccident(seed, start + 60_000, start + faultyMs - 300_000);
  const stranger = drawStranger(seed, kinds[kind].nature, plus(start, 60_000), plus(start, faultyMs - 300_000));
  const pauses = drawPauses(seed, plus(start, 60_000), plus(start, faultyMs - 120_000));
  const rotation = drawRotation(seed, start + 60_000, start + faultyMs - 300_000);
  // That a grant is refused which has never brought a token is no surprise: it may be one that was imported wrongly.
  const refusing = (now: number) =>
    accident !== undefined && now >= accident.from && now < accident.until && (world.current?.generation ?? 0) > 0;
  const resends = drawnApart('resends', seed);
  let faulty = false;
  const quick = () => ({ toMs: 10 + world.random.below(200), fromMs: 10 + world.random.below(200) });
  const world: World = new World({
    seed: seed * 2,
    ...kinds[kind],
    ...(variant && { variant }),
    staleSecretsMs: rates.staleSecretsMs,
    neighbours,
    warmEnvironments: 3,
    faults: (boundary) =>
      faulty
        ? (drawFault(world.random, rates, outages, world.time.now(), boundary) ?? drawResend(resends, rates, boundary))
        : undefined,
    ...(accident && { accident }),
    ...(rotation && {
      rotation,
      config: withTwoSecrets(kinds[kind].config, drawSecretEnds(seed, start, start + faultyMs)),
    }),
    way: () => {
      const way = faulty ? drawWay(world.random, rates) : quick();
      return refusing(world.time.now()) ? { ...way, instead: accidentally } : way;
    },
    otherWay: () => (faulty ? drawWay(world.random, rates) : quick()),
    ...(doings && { customs: doings.customs }),
    skewMs: () => Math.floor(world.random.between(-rates.skewMs, rates.skewMs)),
    delivery: () =>
      faulty && world.random.chance(rates.duplicates)
        ? { lateMs: world.random.below(3_000), times: 1 + world.random.below(3) }
        : { lateMs: 10 + world.random.below(100), times: 1 },
  });

  const { violations, answered, ended } = watch(world, rates);

  let reauthorizations = 0;
  let servableAt = world.time.now();
  let longestUnavailableMs = 0;
  const ask = async (minTtlMs: number): Promise<void> => {
    const askedAt = world.time.now();
    const answer = await world.get(minTtlMs, world.random.pick([0, 5_000, 10_000]));
    answered(answer, minTtlMs, askedAt);
    if (answer.kind === 'token' && world.provider.takenAccess.has(answer.accessToken.reveal()))
      await world.reject(answer.item.generation, 0);
  };

  await world.authorize();
  world.startPlanner(() => faulty && world.random.chance(rates.planner));
  await world.time.runUntil(plus(world.time.now(), 100));
  faulty = true;
  const askNow = () => void ask(world.random.pick([5_000, 10_000]));
  if (doings !== undefined) letPeopleDo(doings, world, plus(start, faultyMs), askNow);
  letOperatorsPause(pauses, world, plus(start, faultyMs), askNow);
  if (stranger !== undefined) void letStrangerRenew(stranger, world, plus(start, faultyMs));
  // A client asks each second with some probability; and an operator notices after a while that the connection needs a
  // new grant, and imports one.
  const over = () => brief && violations.length > 0;
  for (let second = 0; second < (faultyMs + calmMs) / 1_000 && !over(); second += 1) {
    const at = start + 1_000 + second * 1_000;
    if (at - start > faultyMs) faulty = false;
    if (world.random.chance(busy)) world.time.at(at, () => void ask(world.random.pick([5_000, 10_000, 10_000])));
    const dead = world.current?.state === 'reauthorization_required';
    // No operator imports into a connection that is being deleted: that needs a PUT, which is refused until the item is
    // gone.
    const there = world.current !== undefined && world.current.deletion === undefined;
    if (((dead && world.random.chance(0.01)) || (faulty && world.random.chance(0.0002))) && there) {
      if (dead) reauthorizations += 1;
      await world.authorize();
    }
    if (second % 10 !== 0) continue;
    await world.time.runUntil(plus(start, 1_000 + second * 1_000));
    const now = world.time.now();
    // A person who has to log in is another cost, counted by itself; a pause is wanted.
    const [active, paused] = [world.current?.state === 'active', world.current?.paused !== undefined];
    if (!active || paused || (world.current?.tokens?.expiresAt ?? 0) > now) servableAt = now;
    longestUnavailableMs = Math.max(longestUnavailableMs, now - servableAt);
  }
  if (!over()) {
    await world.time.runUntil(plus(start, faultyMs + calmMs));
    const answer = await world.time.runUntilSettled(world.get(limits.minTtlMs.default, 25_000));
    // A refresh may be under way, as one always may be, and what it changes is told by the next pass of the planner.
    const unfinished = () =>
      [world.current?.lease, world.current?.announcement, world.current?.changed].some((one) => one !== undefined);
    for (let second = 0; second < 100 && unfinished(); second += 1)
      await world.time.runUntil(plus(world.time.now(), 1_000));
    ended(world.current, answer);
  }

  const logged = (happened: string): number => world.log.filter(([, what]) => what === happened).length;
  return {
    seed,
    kind,
    rates,
    doings,
    violations,
    log: world.log,
    digest: createHash('sha256').update(JSON.stringify(world.log)).digest('hex').slice(0, 16),
    costs: {
      calls: world.provider.ledger.length,
      generations: world.current?.generation ?? 0,
      reauthorizations,
      discardedTokenSets: logged('refresh_overtaken'),
      longestUnavailableMs,
      invocations: world.environments.filter((environment) => environment.kind === 'refresh').length,
      logins: world.log.filter(([, what, detail]) => what === 'login' && / connected\w*$/.test(detail)).length,
      removals: logged('removed'),
      pauses: logged('pause'),
    },
  };
}
