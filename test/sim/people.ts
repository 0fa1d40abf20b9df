/**
 * What people do to a connection while a run lasts: they log in, perhaps two at once, and they delete it, and perhaps
 * put it again. It is drawn from a random stream of its own, so that it does not change the runs without people.
 */
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import type { Customs } from './authorization-server.ts';
import type { Kind } from './natures.ts';
import { drawnApart } from './random.ts';
import type { World } from './world.ts';

type Moment = 'at_random' | 'with_a_refresh' | 'when_dead';

interface Login {
  readonly at: EpochMs;
  readonly moment: Moment;
  /** How long the person takes at the provider. */
  readonly tripMs: number;
  /**
   * The browser comes back so much later once more: with the same code (a reload), or with another one of the same
   * link.
   */
  readonly again?: { readonly afterMs: number; readonly sameCode: boolean };
}

interface Deletion {
  readonly at: EpochMs;
  readonly moment: Moment;
  readonly recreated?: { readonly afterMs: number; readonly by: 'import' | 'login' };
}

export interface Doings {
  readonly customs: Customs;
  readonly logins: readonly Login[];
  readonly deletion?: Deletion;
}

/** What people do in this run. Undefined in about six runs of ten, in which they do nothing. */
export function drawDoings(seed: number, { nature }: Kind, from: EpochMs, until: EpochMs): Doings | undefined {
  const random = drawnApart('people', seed);
  const [someLogIn, someDelete] = [random.chance(0.25), random.chance(0.2)];
  if (!someLogIn && !someDelete) return undefined;
  const customs: Customs = {
    exclusive: nature.words === 'exact' || random.chance(0.3),
    codeReuseRevokes: random.chance(0.5),
    revocable: random.chance(0.75),
  };
  const moment = () => random.pick<Moment>(['at_random', 'with_a_refresh', 'with_a_refresh', 'when_dead']);
  const instant = () => plus(from, Math.floor(random.between(0, until - from)));
  const login = (at: EpochMs): Login => ({
    at,
    moment: moment(),
    tripMs: Math.floor(random.between(2_000, random.pick([20_000, 120_000, 620_000]))),
    ...(random.chance(0.3) && { again: { afterMs: random.pick([0, 20, 500, 5_000]), sameCode: random.chance(0.5) } }),
  });
  const logins: Login[] = [];
  for (let left = someLogIn ? 1 + random.below(3) : 0; left > 0; left -= 1) {
    const first = login(instant());
    logins.push(first);
    // A second person has another link at the same time.
    if (random.chance(0.4)) logins.push({ ...login(plus(first.at, random.below(30_000))), moment: first.moment });
  }
  if (!someDelete) return { customs, logins };
  const together = logins[0]?.at;
  const at = together !== undefined && random.chance(0.5) ? plus(together, random.below(60_000)) : instant();
  const recreated = random.chance(0.6)
    ? { afterMs: random.pick([0, 5_000, 60_000]), by: random.pick(['import', 'login'] as const) }
    : undefined;
  return {
    customs,
    logins,
    deletion: { at, moment: random.pick(['at_random', 'with_a_refresh']), ...(recreated && { recreated }) },
  };
}

/** Lets it all happen in its time. A person who gets no answer tries again, and gives up in the end. */
export function letPeopleDo({ logins, deletion }: Doings, world: World, until: EpochMs, ask: () => void): void {
  for (const login of logins)
    world.time.at(login.at, () => void whenItIs(login.moment, world, until, () => void logIn(world, login, ask)));
  if (deletion !== undefined)
    world.time.at(
      deletion.at,
      () => void whenItIs(deletion.moment, world, until, () => void remove(world, deletion, until, ask)),
    );
}

/** At once, when the next refresh is due, or as soon as the grant is dead. */
export async function whenItIs(moment: Moment, world: World, until: EpochMs, act: () => void): Promise<void> {
  if (moment === 'with_a_refresh') {
    const { refreshAt = world.time.now() } = world.current ?? {};
    await world.time.sleep(refreshAt - world.time.now() + world.random.between(-300, 1_500));
  }
  while (moment === 'when_dead' && world.current?.state === 'active' && world.time.now() < until)
    await world.time.sleep(1_000);
  if (world.time.now() < until) act();
}

async function logIn(world: World, { tripMs, again, moment }: Login, ask: () => void): Promise<void> {
  const state = await untilAnswered(world, 3, () => world.offerLogin());
  if (state === undefined) return;
  // A person who waited for a moment is quick then.
  await world.time.sleep(moment === 'at_random' ? tripMs : tripMs % 2_000);
  const code = world.provider.newCode();
  const back = (its: string) => void untilAnswered(world, 1, () => world.callback(state, its));
  // Clients go on asking, of every environment.
  for (let third = 0; third < 15; third += 1) world.time.at(world.time.now() + third * 333, ask);
  back(code);
  if (again === undefined) return;
  await world.time.sleep(again.afterMs);
  back(again.sameCode ? code : world.provider.newCode());
}

async function remove(world: World, { recreated }: Deletion, until: EpochMs, ask: () => void): Promise<void> {
  for (let third = 0; third < 60; third += 1) world.time.at(world.time.now() + third * 333, ask);
  const there = await untilAnswered(world, 10, () => world.delete());
  for (let times = 0; times < 3; times += 1) ask();
  if (there === undefined || recreated === undefined) return;
  await world.time.sleep(recreated.afterMs);
  for (
    let put: string | undefined = 'deleting';
    put !== 'created' && put !== 'replaced' && world.time.now() < until;
  ) {
    // Another grant each time: the one before may have been taken, and renewed, by a PUT whose answer was lost.
    const refreshToken = recreated.by === 'import' ? world.provider.authorize() : undefined;
    put = (await untilAnswered(world, 1, () => world.put(refreshToken)))?.kind;
    if (put === 'deleting' || put === undefined || put === 'grant_pending')
      await world.time.sleep(world.random.between(1_000, 20_000));
  }
  if (recreated.by === 'login') await logIn(world, { at: world.time.now(), moment: 'at_random', tripMs: 5_000 }, ask);
}

/** Tries until there is an answer; a function that died gives none. */
export async function untilAnswered<T>(world: World, tries: number, request: () => Promise<T>): Promise<T | undefined> {
  for (let left = tries; left > 0; left -= 1) {
    const over = new AbortController();
    const patience = world.time.sleep(100_000, over.signal).then(() => undefined);
    const answer = await Promise.race([request().catch(unlessUnavailable), patience]);
    over.abort('over');
    if (answer !== undefined) return answer;
    if (left > 1) await world.time.sleep(10_000);
  }
  return undefined;
}

function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof Error) || error.name !== 'Unavailable') throw error;
}
