/** What must hold of the requests that the provider sees (S1, S2, S8). */
import { mayHaveBeenSent } from '../../../shared/domain/attempts.ts';
import { limits } from '../../../shared/domain/limits.ts';
import type { Call } from '../provider.ts';
import type { World } from '../world.ts';
import { bounded, type Checker, type Watched } from './checker.ts';

export const oneCallInFlight = ({ world, rates, violate }: Watched): Checker => ({
  onCall(call) {
    if (!bounded(rates)) return;
    const { provider } = world;
    // Of the same grant: a person who authorizes again does not wait for the old one.
    const family = provider.newest(call.refreshToken);
    const other = provider.ledger.find(
      (earlier) =>
        earlier !== call && earlier.endedAt === undefined && provider.newest(earlier.refreshToken) === family,
    );
    if (other !== undefined)
      violate('S1', `environments ${other.environment} and ${call.environment} both have a request in flight`);
  },
});

export const consumedTokensStayUnsent = ({ world, rates, violate }: Watched): Checker => ({
  onCall(call) {
    if (!bounded(rates) || rates.pause > 0) return;
    const current = world.refreshTokenAt(world.current?.refreshToken);
    // Of the same grant: a person may have authorized again while this request was on its way.
    const sameGrant =
      current !== undefined && world.provider.newest(current) === world.provider.newest(call.refreshToken);
    if (sameGrant && current !== call.refreshToken)
      violate('S2', `${call.refreshToken} was sent, but the table has ${current}`);
  },
});

/**
 * Where a replay can hurt, no refresher sends a token that another one may have an answer to, nor one whose successor
 * can be found; a second is enough to look. Holds under every fault.
 */
export const replaysAreCareful = ({ world, violate }: Watched): Checker => ({
  onCall(call) {
    if (world.options.profile.ambiguousRetry === 'at_once') return;
    const { refreshToken } = call;
    const busy = world.provider.ledger.find(
      (other) => other !== call && other.refreshToken === refreshToken && answerIsStillWanted(world, other),
    );
    if (busy !== undefined)
      violate('S2', `${refreshToken} was sent again, but environment ${busy.environment} is still at it`);
    const newest = world.provider.newest(refreshToken);
    if (newest === undefined || newest === refreshToken) return;
    if (world.refreshTokenAt(world.current?.refreshToken) === newest)
      violate('S2', `${refreshToken} was sent, but the table has its successor ${newest}`);
    else if (world.readableFor(newest, 1_000))
      violate('S2', `${refreshToken} was sent again, but its successor ${newest} is kept`);
  },
});

/** Its caller lives, and waits for the answer or has it in hand. */
function answerIsStillWanted(world: World, { environment, endedAt, issued, tellsAt }: Call): boolean {
  const caller = world.environments[environment];
  if (caller === undefined || caller.dead || caller.ended !== undefined) return false;
  return endedAt === undefined || (issued !== undefined && tellsAt !== undefined && tellsAt <= endedAt);
}

export const deadGrantsCostNothing = ({ world, rates, violate }: Watched): Checker => {
  let callsInHour: number[] = [];
  return {
    onCall() {
      const now = world.time.now();
      callsInHour = [...callsInHour.filter((at) => at > now - 3_600_000), now];
      const lives = Math.ceil(3_600_000 / world.options.nature.lifetimeMs) + 1;
      // Failures at most double the wait each time, from 5 s to 15 min: about 12 in an hour, again after each success.
      if (callsInHour.length > lives * 14) violate('S8', `${callsInHour.length} calls in an hour`);
      if (bounded(rates) && rates.pause === 0 && world.current?.state !== 'active')
        violate('S8', `a request was sent though the connection is ${world.current?.state}`);
    },
  };
};

/**
 * A provider that says when to come back is not called before: only other settings, a new grant, a token set that
 * comes late, or a later failure that says nothing of it, end the wait.
 */
export const toldWaitsAreKept = ({ world, rates, violate }: Watched): Checker => {
  let until = 0;
  return {
    onWrite(name, item) {
      if (name === 'commit_failure') until = item.failure?.told ? (item.notBefore ?? 0) : 0;
      else if (endsWaits.has(name)) until = 0;
    },
    onRemove() {
      until = 0;
    },
    onCall(call) {
      if (!bounded(rates) || rates.pause > 0) return;
      const earlyMs = until - world.time.now();
      if (earlyMs > 2 * limits.skewMs)
        violate('S8', `environment ${call.environment} calls ${earlyMs} ms before the provider said to come back`);
    },
  };
};

const endsWaits: ReadonlySet<string> = new Set([
  'commit_success',
  'authorized',
  'replace_config',
  'replace_grant',
  'abandon_grant',
]);

/**
 * The provider dealt with another request while this one was on its way: what was known when it left is not what it
 * met.
 */
const wasOvertaken = ({ provider }: World, call: Call): boolean =>
  provider.ledger.some(
    (other) =>
      other !== call &&
      other.processedAt !== undefined &&
      other.processedAt > call.sentAt &&
      other.processedAt <= (call.processedAt ?? call.sentAt),
  );

const countedByExact: ReadonlySet<number> = new Set([400, 401, 403, 404]);

/**
 * Exact Online blocks an API key for an hour after ten errors in one; and asking too early is never needed but after a
 * failure or a doubt.
 */
export const errorsAreFew = ({ world, violate }: Watched): Checker => {
  const errors: number[] = [];
  const inNoDoubt = new Set<Call>();
  return {
    // The budget is a connection's own, and begins with it: another one of the same name knows nothing of the calls of
    // the former.
    onRemove() {
      errors.length = 0;
    },
    onCall(call) {
      const { current } = world;
      // Of the same grant: what the table says of a newer one is nothing that this caller could know.
      const sameGrant =
        current !== undefined &&
        world.provider.newest(world.refreshTokenAt(current.refreshToken) ?? '') ===
          world.provider.newest(call.refreshToken);
      if (
        sameGrant &&
        mayHaveBeenSent(current).length <= 1 &&
        current.tokens?.contested !== true &&
        current.failure === undefined
      )
        inNoDoubt.add(call);
    },
    onReply(call) {
      const shared = world.provider.endOf(call.refreshToken) === 'stranger';
      if (call.result === 'too_early' && inNoDoubt.has(call) && !wasOvertaken(world, call) && !shared)
        violate('S8', 'a call came too early, though nothing was in doubt');
      if (world.options.nature.words !== 'exact' || !countedByExact.has(call.status ?? 0)) return;
      errors.push(world.time.now());
      if (errors.filter((at) => at > world.time.now() - 3_600_000).length >= 10) violate('S8', 'ten errors in an hour');
    },
  };
};
