/** What the protocol and the classifier need to know of a connection's provider. Pure. */

import type { Connection } from '../domain/connection.ts';
import { limits } from '../domain/limits.ts';
import type { Profile } from '../domain/profile.ts';
import { dayMs } from '../domain/time.ts';
import type { Presets } from './by-name.ts';
import { longestMarginSeconds } from './contradictions.ts';
import type { Facts } from './facts.ts';
import { knownPresets } from './presets/index.ts';
import { resolveProvider } from './resolve.ts';

/** Returns the connection's profile; the cycle is taken from the token in hand. Throws if the provider is unknown. */
export function profileOf(item: Connection, presets: Presets = knownPresets): Profile {
  const { preset, facts } = resolveProvider(item.config, presets);
  const hasRefreshToken = facts.grant === 'refresh_token';
  const marginMs = (item.config.marginSeconds ?? Math.min(facts.marginSeconds, longestMarginSeconds(facts))) * 1_000;
  const { default: first, ...delays } = preset.retryDelaysSeconds ?? limits.firstDelaysSeconds;
  return {
    grant: facts.grant,
    marginMs,
    minTokenAgeMs: facts.minTokenAgeSeconds * 1_000,
    defaultLifetimeMs: facts.lifetimeSeconds * 1_000,
    ambiguousRetry: hasRefreshToken && facts.rotation === 'single_use' ? 'after_holder' : 'at_once',
    ...(hasRefreshToken && facts.rotation === 'until_successor_used' && { predecessorStays: true as const }),
    // Clients would lose what is left of the token of before.
    ...(facts.renewalEnds === 'previous_token' ? { renewalEndsPrevious: true } : { spreadShare: limits.spreadShare }),
    callTimeoutMs: callTimeoutOf(facts),
    slots: hasRefreshToken ? slotsFor(cycleOf(item, facts, marginMs)) : 1,
    renewal: item.config.renewal,
    ...(facts.scope !== undefined && { scope: facts.scope }),
    ...(hasRefreshToken && facts.keepAliveSeconds !== undefined && { keepAliveMs: facts.keepAliveSeconds * 1_000 }),
    ...(hasRefreshToken &&
      facts.refreshTokenLifetimeSeconds !== undefined && {
        grantLifetimeMs: facts.refreshTokenLifetimeSeconds * 1_000,
      }),
    ...(hasRefreshToken &&
      facts.refreshTokenIdleSeconds !== undefined && { grantIdleMs: facts.refreshTokenIdleSeconds * 1_000 }),
    ...(facts.errorsPerHour !== undefined && { errorsPerHour: facts.errorsPerHour }),
    ...(facts.callsPerDay !== undefined && { callsPerDay: facts.callsPerDay }),
    firstDelayMs: {
      ...Object.fromEntries(Object.entries(delays).map(([code, seconds]) => [code, seconds * 1_000])),
      default: first * 1_000,
    },
  };
}

/** An answer within the grace period must come early enough to be kept, or to send the token again. */
const callTimeoutOf = ({ rotation, graceSeconds = 0 }: Facts): number =>
  rotation === 'grace'
    ? Math.min(limits.callTimeoutMs, graceSeconds * 1_000 - limits.graceReserveMs)
    : limits.callTimeoutMs;

/** How long a token set stays the current one. */
function cycleOf({ tokens }: Connection, facts: Facts, marginMs: number): number {
  const lifetimeMs = tokens === undefined ? facts.lifetimeSeconds * 1_000 : tokens.expiresAt - tokens.requestedAt;
  return Math.max(
    lifetimeMs - Math.min(marginMs, lifetimeMs * limits.marginShare),
    facts.minTokenAgeSeconds * 1_000,
    1_000,
  );
}

/** Returns so many slots that no secret takes more versions in a day than Secrets Manager keeps. */
const slotsFor = (cycleMs: number): number =>
  Math.min(Math.ceil(dayMs / (cycleMs * limits.slotVersionsPerDay)), limits.slots);
