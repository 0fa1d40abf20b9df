/** Builders with sensible defaults: a connection in good health, seen one minute after its token set came. */

import { applied } from '../../shared/domain/apply.ts';
import type { Commit } from '../../shared/domain/commit-writes.ts';
import type { Attempt, Calls, Connection, SealedTokenSet, Seen } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import type { Held } from '../../shared/domain/held.ts';
import type { Fence, Generation } from '../../shared/domain/ids.ts';
import { release } from '../../shared/domain/lease-writes.ts';
import type { Profile } from '../../shared/domain/profile.ts';
import type { Circumstances } from '../../shared/domain/steps.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import type { Write } from '../../shared/domain/writes.ts';
import { inSecret, type Plain, told, versionIdOf } from '../plain.ts';

export const now = 1_800_000_000_000 as EpochMs;
/** The instant `ms` from now. */
export const at = (ms: number): EpochMs => plus(now, ms);

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;
/** The day of `now`, counted from 1970. */
export const today = 20_833;

export const generation = 5 as Generation;
/** The fencing token of the committed token set. */
export const committedFence = 8 as Fence;
export const myFence = 13 as Fence;
const grantId = '3f2a81c4-0d5e-4b6a-9c7d';

/** Single use or unknown, as most providers: an hour's token, no least age. */
export const profileOf = (more: Partial<Profile> = {}): Profile => ({
  grant: 'refresh_token',
  marginMs: 30 * second,
  minTokenAgeMs: 0,
  defaultLifetimeMs: hour,
  ambiguousRetry: 'after_holder',
  callTimeoutMs: minute,
  slots: 2,
  renewal: 'while_used',
  firstDelayMs: { default: 5 * second, http_429: minute },
  ...more,
});

/** Requested a minute ago, and expires in 540 s. */
export const tokenSetOf = (more: Partial<Plain<SealedTokenSet>> = {}): SealedTokenSet =>
  told<SealedTokenSet>({
    sealed: 'sealed',
    fence: committedFence,
    type: 'Bearer',
    requestedAt: at(-minute),
    receivedAt: at(-59 * second),
    expiresAt: at(540 * second),
    renewableAt: at(-59 * second),
    contested: false,
    ...more,
  });

/** Nothing was spent but this. */
export const callsWith = (more: Partial<Calls> = {}): Calls => ({ day: 0, count: 0, failing: {}, codes: {}, ...more });

/** Its token was requested a minute ago, falls due in 510 s and expires in 540 s. */
export const connectionOf = (more: Partial<Plain<Connection>> = {}): Connection =>
  told<Connection>({
    connection: 'exact-nl' as ConnectionName,
    config: { provider: 'generic-oauth2', settings: {}, renewal: 'while_used' },
    configuredAt: at(-30 * day),
    createdAt: at(-30 * day),
    calls: callsWith(),
    state: 'active',
    grant: { id: grantId, at: at(-30 * day) },
    generation,
    fence: committedFence,
    committedFence,
    attempts: {},
    tokens: tokenSetOf(),
    refreshAt: at(510 * second),
    refreshToken: inSecret(1, versionIdOf(grantId, committedFence)),
    dueAt: at(510 * second),
    dueShard: '3',
    slots: 2,
    lastUsed: at(-minute),
    ...more,
  });

/** The same without these attributes, as before the first token set. */
export function without(item: Connection, ...names: (keyof Connection)[]): Connection {
  const rest: Partial<Connection> = { ...item };
  for (const name of names) delete rest[name];
  return rest as Connection;
}

/** Imported or authorized a moment ago: no token set yet. */
export const firstConnectionOf = (more: Partial<Plain<Connection>> = {}): Connection =>
  without(connectionOf({ generation: 0, ...more }), 'tokens', 'refreshAt');

/** Due for one second, and in use. */
export const dueConnectionOf = (more: Partial<Plain<Connection>> = {}): Connection =>
  connectionOf({ refreshAt: at(-second), tokens: tokenSetOf({ expiresAt: at(29 * second) }), ...more });

/** Sent a moment ago with the current refresh token, and nothing heard of it. */
export const attemptOf = (fence: number, more: Partial<Plain<Attempt>> = {}): Attempt =>
  told<Attempt>({
    fence,
    slot: 0,
    versionId: versionIdOf(grantId, fence),
    startedAt: at(-20 * second),
    generation,
    sent: true,
    repeats: false,
    ended: false,
    ...more,
  });

export const attemptsWith = (...attempts: readonly Attempt[]): Connection['attempts'] =>
  Object.fromEntries(attempts.map((attempt) => [String(attempt.fence), attempt]));

export const failureOf = (more: Partial<Plain<Failure>> = {}): Failure =>
  told<Failure>({
    class: 'transient',
    code: 'http_503',
    at: at(-minute),
    count: 1,
    fence: 12,
    ...more,
  });

/** What a renewal has brought this moment: an access token for an hour, and no refresh token. */
export const commitOf = (more: Partial<Plain<Commit>> = {}): Commit =>
  told<Commit>({
    tokens: { tokenType: 'Bearer', requestedAt: now, receivedAt: now, expiresAt: at(hour) },
    sealedAccessToken: 'sealed',
    place: undefined,
    contested: false,
    adoptedFence: undefined,
    overtaken: undefined,
    spread: 0,
    ...more,
  });

/** The item after a write that must be applied. */
export function itemAfter(write: Write, item: Connection): Connection {
  const next = applied(write, item);
  if (next === undefined) throw new Error(`${write.name} was refused`);
  return next;
}

/**
 * The lease held since now, and the item as the acquiring write returned it: with that lease and attempt in it, and
 * the call counted.
 */
export function heldOf(
  item: Connection = dueConnectionOf(),
  profile: Profile = profileOf(),
  more: Partial<Plain<Attempt>> = {},
): Held {
  const lease = { owner: 'me', fence: myFence, until: at(18 * second) };
  const earlier = Object.values(item.attempts).filter((attempt) => attempt.sent);
  const repeats = earlier.some((other) => other.generation === item.generation);
  const attempt = attemptOf(myFence, { startedAt: now, sent: earlier.length === 0, repeats, ...more });
  const attempts = { ...item.attempts, ...attemptsWith(attempt) };
  const failing = { ...item.calls.failing, [myFence]: now };
  const calls = { ...item.calls, failing, count: item.calls.count + 1, day: today };
  const seen: Seen = { profile, item: { ...item, fence: myFence, lease, attempts, calls } };
  return { lease, attempt, seen } as Held;
}

export const circumstances = (more: Partial<Circumstances> = {}): Circumstances => ({
  now,
  chance: 0,
  deadline: at(80 * second),
  ...more,
});

/** The release as its holder first tries it. */
export function released(...args: Parameters<typeof release>): Write {
  const [write] = release(...args);
  if (write === undefined) throw new Error('there is no release');
  return write;
}
