import { describe, expect, test } from 'vitest';
import { applied } from '../../shared/domain/apply.ts';
import { decide, type Held } from '../../shared/domain/decide.ts';
import { assess } from '../../shared/domain/rules.ts';
import { serve } from '../../shared/domain/serve.ts';
import { refreshAtOf } from '../../shared/domain/timing.ts';
import { type ConnectionName, Secret, type TokenSet } from '../../shared/domain/types.ts';
import { acquire, arm, commitFailure, create, release, replaceConfig } from '../../shared/domain/writes.ts';
import { at, attemptOf, attemptsWith, circumstances, connectionOf, day, dueConnectionOf, failureOf, firstConnectionOf, generation, heldOf, minute, myFence, now, profileOf, second, without } from './fixtures.ts';

const atOnce = profileOf({ ambiguousRetry: 'at_once' });
const exact = profileOf({ minTokenAgeMs: 574 * second });
const suspect = failureOf({ class: 'dead_grant', code: 'invalid_grant', cause: 'invalid_grant', fence: 12 });

test('F1 a call never leaves while my own attempt says "not sent"', () => {
  // f11 paused; its lease ended. A reader sees that, then pauses too. f11 wakes, finds its lease over and releases: its entry goes.
  const seen = dueConnectionOf({ fence: 11, lease: { owner: 'f11', fence: 11, until: now }, attempts: attemptsWith(attemptOf(11)) });
  const released = applied(release(seen, 11), seen);
  if (released === undefined) throw new Error('release refused');
  // The reader acquires on what it saw: fence, generation and state are as seen, and no lease is alive.
  const write = acquire({ item: seen, profile: profileOf() }, 'f12', now, at(18_000));
  const item = applied(write, released);
  if (item === undefined) throw new Error('acquire refused');
  const held: Held = { lease: write.lease, attempt: write.attempt, seen: { item, profile: profileOf() } };
  expect(item.attempts['12']?.sent).toBe(false);
  expect(decide({ kind: 'acquired', held }, circumstances()).do).toBe('mark_sent');
});

test('F2 a look-up that could not be made brings no verdict (at_once, suspect)', () => {
  const held = heldOf(dueConnectionOf({ suspect, attempts: attemptsWith(attemptOf(11, { startedAt: at(-84_000) })) }), atOnce);
  expect(decide({ kind: 'looked_up', held, orphan: undefined, unreadable: true }, circumstances())).toMatchObject({ do: 'release', notBefore: at(3_000) });
});

test('F3 a look-up that could not be made brings no verdict (at_once, replayed and refused)', () => {
  const held = heldOf(dueConnectionOf({ attempts: attemptsWith(attemptOf(11, { startedAt: at(-84_000) })) }), atOnce);
  expect(decide({ kind: 'looked_up', held, orphan: undefined, unreadable: true }, circumstances()).do).toBe('mark_sent');
  expect(decide({ kind: 'reread', held, verdict: suspect, seen: held.seen }, circumstances())).toMatchObject({ commit: { state: 'active', suspect: true } });
});

describe('F4 a verdict heeds every open attempt, outgrown ones too', () => {
  const after = (startedAt: number) => heldOf(dueConnectionOf({ attempts: attemptsWith(attemptOf(12, { generation: generation - 1, startedAt: at(startedAt) })) }), atOnce);
  test('its holder can still answer', () => {
    const held = after(-20_000);
    expect(decide({ kind: 'reread', held, verdict: suspect, seen: held.seen }, circumstances())).toMatchObject({ commit: { state: 'active', notBefore: at(64_000), suspect: true } });
  });
  test('it died', () => {
    const held = after(-day);
    expect(decide({ kind: 'reread', held, verdict: suspect, seen: held.seen }, circumstances())).toMatchObject({ commit: { cause: 'refresh_in_doubt' } });
  });
  test('what it stored came from a replay', () => {
    const held = after(-day);
    const tokens: TokenSet = { accessToken: new Secret('a'), tokenType: 'Bearer', requestedAt: at(-day), receivedAt: at(-day), expiresAt: at(600_000 - day) };
    expect(decide({ kind: 'looked_up', held, orphan: { attempt: attemptOf(12, { generation: generation - 1, repeats: true }), tokens }, unreadable: false }, circumstances())).toMatchObject({ contested: true });
  });
});

test('F4b what is adopted under suspicion is contested: the refused call sent its refresh token again', () => {
  const attempt = attemptOf(11);
  const held = heldOf(dueConnectionOf({ suspect, attempts: attemptsWith(attempt) }), atOnce);
  const tokens: TokenSet = { accessToken: new Secret('a'), tokenType: 'Bearer', requestedAt: at(-1_000), receivedAt: now, expiresAt: at(600_000) };
  expect(decide({ kind: 'looked_up', held, orphan: { attempt, tokens }, unreadable: false }, circumstances())).toMatchObject({ contested: true });
});

test('F13 a spare that replaces a suspected refresh token is tried', () => {
  const held = heldOf(dueConnectionOf({ suspect, spare: { slot: 1, versionId: 'spare' }, attempts: attemptsWith(attemptOf(11, { ended: true })) }));
  const effect = decide({ kind: 'looked_up', held, orphan: undefined, unreadable: false }, circumstances());
  if (effect.do !== 'commit_failure') throw new Error(effect.do);
  const item = applied(commitFailure(held.seen.item, myFence, effect.commit), held.seen.item);
  if (item === undefined) throw new Error('refused');
  const again = heldOf({ ...item, fence: myFence });
  expect(decide({ kind: 'looked_up', held: again, orphan: undefined, unreadable: false }, circumstances()).do).toBe('mark_sent');
});

test('F5 a rejection of a generation without a token set does not put its renewal off for ever', () => {
  const item = firstConnectionOf({ generation, rejectedGeneration: generation });
  expect(assess({ item: { ...item, generation }, profile: exact }, now)).toEqual({ kind: 'refresh', reason: 'first' });
});

test('F6 an imported grant that nobody uses is in the due index, for its keep-alive', () => {
  const item = create('idle' as ConnectionName, { provider: 'exact-online', settings: {}, renewal: 'while_used' }, '0', now, 'active', { grantId: 'g', place: { slot: 0, versionId: 'v' } });
  expect(item.dueAt).toBeDefined();
});

describe('F7 arming', () => {
  test('is not asked for once the due key is past: its write could not apply', () => {
    const item = dueConnectionOf({ refreshAt: at(-minute), notBefore: at(-1), dueAt: at(-1) });
    expect(applied(arm(item, now), item)).toBeUndefined();
    expect(serve(item, 10_000, now).arm).toBe(false);
  });
  test('is asked for while backing off, if at rest', () => {
    const item = without(dueConnectionOf({ notBefore: at(minute) }), 'dueAt');
    expect(applied(arm(item, now), item)?.dueAt).toBe(at(minute));
    expect(serve(item, 10_000, now).arm).toBe(true);
  });
});

test('F8 an expired token whose renewal is allowed in 6 s is a wait, not a bad request', () => {
  const item = connectionOf({ expiresAt: at(-3_000), refreshAt: at(6_000) });
  expect(serve(item, 30_000, now).answer).toEqual({ kind: 'wait', notBefore: at(6_000), retryAt: at(6_000) });
});

describe('F9 a refresh token that came with an error', () => {
  const held = heldOf(dueConnectionOf(), exact);
  const refreshToken = new Secret('new');
  test('is used at once by whoever adopts it', () => {
    const effect = decide({ kind: 'answered', held, outcome: { kind: 'failure', class: 'transient', code: 'http_500', refreshToken } }, circumstances());
    if (effect.do !== 'persist') throw new Error(effect.do);
    expect(refreshAtOf(effect.tokens, exact)).toBe(now);
  });
  test('leaves nothing in doubt: else its own version is adopted, over a valid access token and the back-off', () => {
    const place = { slot: 0, versionId: held.attempt.versionId };
    const effect = decide({ kind: 'persisted', held, outcome: { kind: 'failure', class: 'in_doubt', code: 'http_500', refreshToken }, place }, circumstances());
    if (effect.do !== 'commit_failure') throw new Error(effect.do);
    const after = applied(commitFailure(held.seen.item, myFence, effect.commit), held.seen.item);
    expect(after?.attempts).toEqual({});
  });
});

test('F10 the release after a re-read of another generation gives the lease back', () => {
  const held = heldOf();
  const item = { ...held.seen.item, generation: generation + 1 };
  const effect = decide({ kind: 'reread', held, verdict: suspect, seen: { ...held.seen, item } }, circumstances());
  if (effect.do !== 'release') throw new Error(effect.do);
  expect(applied(release(effect.held.seen.item, myFence), item)?.lease).toBeUndefined();
  expect(applied(release(effect.held.seen.item, myFence), item)).toBeDefined();
});

test('F11 an answer to old settings does not stop new ones', () => {
  const held = heldOf();
  const mended = applied(replaceConfig(held.seen.item, { ...held.seen.item.config, clientSecretVersionId: 'new' }, now), held.seen.item);
  if (mended === undefined) throw new Error('refused');
  const effect = decide({ kind: 'answered', held, outcome: { kind: 'failure', class: 'misconfigured', code: 'invalid_client' } }, circumstances());
  if (effect.do !== 'commit_failure') throw new Error(effect.do);
  expect(applied(commitFailure(held.seen.item, myFence, effect.commit), mended)?.state ?? 'active').toBe('active');
});

describe('F12 reasons and words', () => {
  test('a release because nothing is due any more does not wait as a back-off', () => {
    expect(decide({ kind: 'released', wakeAt: at(510 * second) }, circumstances())).not.toMatchObject({ reason: 'backing_off' });
  });
  test('too early is no failure', () => {
    expect(serve(dueConnectionOf({ failure: failureOf({ class: 'too_early', code: 'access_denied' }) }), 10_000, now).answer).toEqual({ kind: 'serve', warning: undefined });
  });
});
