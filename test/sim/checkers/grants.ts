/** What must hold of what the table says of a grant (S3, S5, S6). */
import type { Connection } from '../../../shared/domain/connection.ts';
import { limits } from '../../../shared/domain/limits.ts';
import { bounded, type Checker, endedElsewhere, type Watched } from './checker.ts';

/**
 * A token set is in the secrets or in the table this long after its answer: the budget of the secrets, and a second for
 * either.
 */
const keepWithinMs = 4_000;

export const numbersGrow = ({ violate }: Watched): Checker => {
  let last: Connection | undefined;
  return {
    onWrite(name, item) {
      checkNumbers(violate, name, last ?? item, item);
      last = item;
    },
    // A connection that is put again under the name counts anew; that nothing of the former one touches it is told in
    // deletions.ts.
    onRemove() {
      last = undefined;
    },
  };
};

function checkNumbers(violate: Watched['violate'], name: string, before: Connection, after: Connection): void {
  for (const number of ['generation', 'committedFence', 'fence'] as const) {
    if (after[number] < before[number])
      violate('S3', `${name} took ${number} from ${before[number]} to ${after[number]}`);
  }
  if (
    after.tokens !== undefined &&
    after.tokens.sealed !== before.tokens?.sealed &&
    after.generation !== before.generation + 1
  )
    violate(
      'S3',
      `${name} brought another token set, but took the generation from ${before.generation} to ${after.generation}`,
    );
  const attempt = after.failure === before.failure ? undefined : before.attempts[after.failure?.fence ?? ''];
  if (attempt !== undefined && attempt.generation !== after.generation)
    violate('S3', `${name} notes a failure with generation ${attempt.generation} over generation ${after.generation}`);
}

/** The table never points to a refresh token that is nowhere, not even for a moment: the next moment may be a crash. */
export const pointersPoint = ({ world, violate }: Watched): Checker => ({
  onWrite(name, { refreshToken }) {
    if (refreshToken !== undefined && world.refreshTokenAt(refreshToken) === undefined)
      violate('S3', `${name} left a pointer to no refresh token`);
  },
});

/** A connection that is put without a grant has not lost one. */
const diedIn = (name: string, item: Connection, before: Connection['state']): boolean =>
  name !== 'create' && item.state === 'reauthorization_required' && before !== 'reauthorization_required';

/**
 * A verdict is right only if the newest refresh token that the provider issued is nowhere to be found, and only ever
 * ours to answer for: this provider never kills a grant of its own accord. What people end there is no loss of ours,
 * and has any label.
 */
export const verdictsAreTrue = ({ world, violate }: Watched): Checker => {
  let state: Connection['state'] = 'active';
  return {
    onWrite(name, item) {
      const died = diedIn(name, item, state);
      ({ state } = item);
      if (!died) return;
      if (item.cause !== 'refresh_in_doubt' && !endedElsewhere(world, world.refreshTokenAt(item.refreshToken)))
        violate('S6', `${name}: a loss of ours is labelled ${item.cause}`);
      const held = world.refreshTokenAt(item.refreshToken);
      if (held !== undefined && world.provider.alive(held))
        violate('S5', `${name}: the grant is called dead, but the provider takes the token that the table has`);
      const newest = world.provider.newest(held ?? '');
      if (newest !== undefined && world.provider.alive(newest) && world.kept(newest))
        violate('S3', `${name}: the newest refresh token ${newest} is kept, but the grant was given up`);
    },
  };
};

/**
 * A grant may be lost only where no refresher could have kept it: the reply never came, or later than we promise to
 * wait, or its holder was killed, or reached no store until its time was over.
 */
export const lossesHaveAnExcuse = ({ world, rates, violate }: Watched): Checker => {
  let state: Connection['state'] = 'active';
  return {
    onWrite(name, item) {
      const died = diedIn(name, item, state);
      ({ state } = item);
      const newest = died ? world.provider.newest(world.refreshTokenAt(item.refreshToken) ?? '') : undefined;
      // What people ended at the provider was given up after it had been tried, and so is kept no longer.
      if (newest === undefined || world.kept(newest) || endedElsewhere(world, newest)) return;
      const call = world.provider.ledger.find(({ issued }) => issued === newest);
      if (call?.tellsAt === undefined || call.tellsAt - call.sentAt >= world.options.profile.callTimeoutMs) return;
      const holder = world.environments[call.environment];
      if (holder === undefined || holder.ended === 'commit_abandoned') return;
      const hadTime =
        bounded(rates) &&
        !holder.wasFrozen &&
        holder.diedAt !== undefined &&
        holder.diedAt - call.tellsAt > keepWithinMs;
      if (holder.dead && !hadTime) return;
      const has = holder.ended === undefined ? 'has' : 'had';
      violate('S5', `${name}: the grant is given up, but environment ${holder.id} ${has} ${newest}`);
    },
  };
};

/**
 * Where a used refresh token stays good until its successor is used, whatever is lost can be asked for again: no fault
 * ends a grant.
 */
export const keptGrantsLive = ({ world, violate }: Watched): Checker => {
  let state: Connection['state'] = 'active';
  return {
    onWrite(name, item) {
      const died = diedIn(name, item, state);
      ({ state } = item);
      if (
        died &&
        world.options.profile.predecessorStays &&
        !endedElsewhere(world, world.refreshTokenAt(item.refreshToken))
      )
        violate('S5', `${name}: the grant is given up, but the provider keeps what was used last`);
    },
  };
};

/** With so many passes of the planner in time, one refresher at least has begun. */
const passesForAStart = 5;

/**
 * A grant whose end the provider tells lapses only if renewals were begun (what came of them is a matter of faults),
 * the planner sent no refresher, or an operator had paused the connection when one would have begun.
 */
export const toldEndsAreObeyed = ({ world, rates, violate }: Watched): Checker => {
  let state: Connection['state'] = 'active';
  const committed = new Set<string>();
  const begunAt: number[] = [];
  return {
    onWrite(name, item) {
      const died = diedIn(name, item, state);
      ({ state } = item);
      if (name === 'acquire') begunAt.push(world.time.now());
      committed.add(world.refreshTokenAt(item.refreshToken) ?? '');
      const held = world.refreshTokenAt(item.refreshToken) ?? '';
      if (!died || world.provider.endOf(held) !== 'lapse' || item.tokens === undefined) return;
      const { lapseMs = 0 } = world.options.nature;
      const usedAt = world.provider.usedAt(held) ?? 0;
      const endedAt = usedAt + lapseMs;
      const lateAt = usedAt + lapseMs * limits.grantUsedShare.late;
      // While it is paused, the planner sends none.
      const from = Math.max(lateAt, world.pause.until);
      const passes = world.plannedAt.filter((at) => at > from && at < endedAt);
      const calls = world.provider.ledger.filter(({ refreshToken }) => world.provider.sameGrant(refreshToken, held));
      // Of a reply that is an error only the refresh token is kept. One that was lost may have been adopted.
      const told = calls.some(
        ({ toldEnd, issued, status = 200 }) =>
          toldEnd && status < 400 && (issued === undefined || committed.has(issued)),
      );
      if (!told || passes.length < passesForAStart || rates.outages > 0) return;
      const begun = begunAt.some((at) => at > usedAt && at < endedAt);
      if (!begun) violate('S5', `${name}: the grant has lapsed, and no renewal was begun since its last use`);
    },
  };
};

/** Holds under every fault: what is in the memory of a process alone may be lost with it, and its predecessor spent. */
export const storedTokensAreSent = ({ world, violate }: Watched): Checker => {
  const pointedAt = new Set<string>();
  return {
    onWrite(_, { refreshToken }) {
      const stored = world.refreshTokenAt(refreshToken);
      if (stored !== undefined) pointedAt.add(stored);
    },
    onCall({ refreshToken, environment }) {
      if (!pointedAt.has(refreshToken))
        violate('S3', `environment ${environment} sent ${refreshToken}, which no commit had stored`);
    },
  };
};

/** An answer can always be kept: only a pause brings a function to its time limit. */
export const nobodyRunsOutOfTime = ({ violate }: Watched): Checker => ({
  onHardStop: ({ id }) => violate('S3', `environment ${id} ran into its time limit, with whatever it had in memory`),
});
