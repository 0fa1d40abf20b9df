/**
 * Operators who pause a connection and resume it, perhaps two at once. Drawn from a random stream of its own, so that
 * the runs without it stay as they are.
 */
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import { untilAnswered, whenItIs } from './people.ts';
import { drawnApart } from './random.ts';
import type { World } from './world.ts';

type Moment = 'at_random' | 'with_a_refresh' | 'during_a_call';

interface Pause {
  readonly at: EpochMs;
  readonly moment: Moment;
  /** How long after the answer it is resumed; undefined if it never is. */
  readonly resumedAfterMs: number | undefined;
  /** Another operator wants the same, or the contrary, so much later than the first. */
  readonly rival?: { readonly afterMs: number; readonly wants: 'paused' | 'resumed' };
}

/** What operators do in this run: nothing in seven runs of ten. */
export function drawPauses(seed: number, from: EpochMs, until: EpochMs): readonly Pause[] {
  const random = drawnApart('pauses', seed);
  if (!random.chance(0.3)) return [];
  const stays = random.chance(0.15);
  const pauses = Array.from({ length: 1 + random.below(3) }, () => ({
    at: plus(from, Math.floor(random.between(0, until - from))),
    moment: random.pick<Moment>(['at_random', 'with_a_refresh', 'during_a_call']),
    resumedAfterMs: random.pick([0, 20, 1_000, 20_000, 120_000, 700_000]),
    ...(random.chance(0.3) && {
      rival: { afterMs: random.pick([0, 5, 50, 3_000]), wants: random.pick(['paused', 'resumed'] as const) },
    }),
  }));
  // Where one is to stay, it is the last that begins.
  return stays ? [...pauses, { at: until, moment: 'at_random', resumedAfterMs: undefined }] : pauses;
}

/** Lets them, in their time. An operator who gets no answer asks again, until there is one. */
export function letOperatorsPause(pauses: readonly Pause[], world: World, until: EpochMs, ask: () => void): void {
  for (const pause of pauses)
    world.time.at(
      pause.at,
      () =>
        void whenItIs(pause.moment === 'at_random' ? 'at_random' : 'with_a_refresh', world, until, async () => {
          if (pause.moment === 'during_a_call') await aCallBegins(world);
          await pauseFor(pause, world, ask);
        }),
    );
}

/** A call is on its way, or none has come for half a minute. */
async function aCallBegins({ provider, time }: World): Promise<void> {
  for (let looks = 0; looks < 1_000 && !provider.ledger.some(({ endedAt }) => endedAt === undefined); looks += 1)
    await time.sleep(30);
}

async function pauseFor({ resumedAfterMs, rival }: Pause, world: World, ask: () => void): Promise<void> {
  if (rival !== undefined)
    world.time.at(world.time.now() + rival.afterMs, () => void insist(world, rival.wants === 'paused'));
  await insist(world, true);
  ask();
  if (resumedAfterMs === undefined) return;
  await world.time.sleep(resumedAfterMs);
  await insist(world, false);
  // Clients go on asking, in every environment.
  for (let third = 0; third < 6; third += 1) world.time.at(world.time.now() + third * 333, ask);
}

const tries = 100;

/** Refused only where there is no connection. What kept changing meanwhile is tried again. */
async function insist(world: World, paused: boolean): Promise<void> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const answer = await untilAnswered(world, 1, () => world.pauseOrResume(paused));
    if (answer?.kind === 'done' || answer?.kind === 'not_found') return;
    await world.time.sleep(10_000);
  }
}
