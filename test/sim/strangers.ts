/**
 * A party that has a copy of the grant's refresh token and renews beside the broker: a program that was left running
 * after the grant was moved in. It is drawn from a random stream of its own, so that the runs without it stay as they
 * are.
 */
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import type { Nature } from './provider.ts';
import { drawnApart } from './random.ts';
import type { World } from './world.ts';

interface Stranger {
  /** When it takes the copy. */
  readonly at: EpochMs;
  /** How much later it renews for the first time, and so on. */
  readonly everyMs: number;
  readonly times: number;
  /** It tries again so much later when it was too early. */
  readonly againMs: number;
}

/** What a stranger does in this run. Undefined in nine runs of ten. */
export function drawStranger(seed: number, nature: Nature, from: EpochMs, until: EpochMs): Stranger | undefined {
  const random = drawnApart('stranger', seed);
  // Where the same access token comes again, its end is known only to the party that got it first.
  if (!random.chance(0.1) || nature.sameToken) return undefined;
  return {
    at: plus(from, Math.floor(random.between(0, until - from))),
    everyMs: random.pick([0, 20_000, 300_000, nature.lifetimeMs]),
    times: 1 + random.below(4),
    againMs: random.pick([1_000, 5_000]),
  };
}

/** Lets it renew, each time with what it got the last time, until it is refused. */
export async function letStrangerRenew(stranger: Stranger, world: World, until: EpochMs): Promise<void> {
  await world.time.sleep(stranger.at - world.time.now());
  let refreshToken = world.refreshTokenAt(world.current?.refreshToken);
  let waitMs = stranger.everyMs;
  for (let left = stranger.times; left > 0 && refreshToken !== undefined; ) {
    await world.time.sleep(waitMs);
    if (world.time.now() >= until) return;
    const answer = world.provider.renewElsewhere(refreshToken);
    waitMs = answer.tooEarly ? stranger.againMs : stranger.everyMs;
    if (answer.tooEarly) continue;
    world.note('renewed elsewhere', `${refreshToken} ${answer.refreshToken ?? 'refused'}`);
    ({ refreshToken } = answer);
    left -= 1;
  }
}
