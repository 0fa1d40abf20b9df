/**
 * Facts that cannot all be true, or that leave the protocol no room. The same rules hold for a preset and for a
 * connection's settings.
 */
import { limits } from '../domain/limits.ts';
import { dayMs } from '../domain/time.ts';
import type { Facts } from './facts.ts';

interface Contradiction {
  readonly fact: keyof Facts;
  /** What is wrong, and what to change. */
  readonly message: string;
}

const guardSeconds = (2 * limits.skewMs) / 1_000;
const graceReserveSeconds = limits.graceReserveMs / 1_000;
const leastGraceSeconds = graceReserveSeconds + limits.leastCallMs / 1_000;

/**
 * Returns the longest margin, in seconds, that the least age of a token leaves room for. The skew of two clocks is
 * added: a preset's least age contains it as a guard, and an operator may take the margin from the provider's own rule
 * (Exact Online: 600 − 570 s, renewed at 574 s).
 */
export function longestMarginSeconds({ lifetimeSeconds, minTokenAgeSeconds }: Facts): number {
  if (minTokenAgeSeconds === 0) return limits.marginSeconds.most;
  return Math.min(lifetimeSeconds - minTokenAgeSeconds + guardSeconds, limits.marginSeconds.most);
}

/** Returns every contradiction, each with the fact to change. */
export const contradictionsIn = (facts: Facts): Contradiction[] =>
  [...ofTimes(facts), ...ofRefreshTokens(facts), ...ofCredentials(facts)].filter(
    (contradiction) => contradiction !== false,
  );

type Found = (Contradiction | false)[];

function ofTimes(facts: Facts): Found {
  const { lifetimeSeconds, minTokenAgeSeconds, marginSeconds, callsPerDay } = facts;
  const longest = longestMarginSeconds(facts);
  const cycleSeconds = Math.max(
    lifetimeSeconds - Math.min(marginSeconds, lifetimeSeconds * limits.marginShare),
    minTokenAgeSeconds,
  );
  const calls = Math.ceil(dayMs / (cycleSeconds * 1_000));
  return [
    minTokenAgeSeconds >= lifetimeSeconds && {
      fact: 'minTokenAgeSeconds',
      message: `must be less than the lifetime of ${lifetimeSeconds} s: no token could be renewed before it expires`,
    },
    minTokenAgeSeconds < lifetimeSeconds &&
      marginSeconds > longest && {
        fact: 'marginSeconds',
        message:
          `must be at most ${longest} s: a token that lives ${lifetimeSeconds} s may not be renewed before ` +
          `it is ${minTokenAgeSeconds} s old`,
      },
    callsPerDay !== undefined &&
      callsPerDay < calls && {
        fact: 'callsPerDay',
        message: `must be at least ${calls}: a token in use is renewed that often`,
      },
  ];
}

function ofRefreshTokens({ rotation, graceSeconds = 0, ...facts }: Facts): Found {
  const { keepAliveSeconds: keepAlive, refreshTokenIdleSeconds: idle, refreshTokenLifetimeSeconds: lifetime } = facts;
  return [
    rotation === 'grace' &&
      graceSeconds < leastGraceSeconds && {
        fact: 'graceSeconds',
        message:
          `must be at least ${leastGraceSeconds} s with rotation "grace": the call ends ` +
          `${graceReserveSeconds} s before the grace period does. If it is shorter, the ` +
          'rotation is "single_use"',
      },
    rotation !== 'grace' &&
      graceSeconds > 0 && {
        fact: 'graceSeconds',
        message: `is only for rotation "grace", and the rotation is "${rotation}": change one of them`,
      },
    keepAlive !== undefined &&
      idle !== undefined &&
      keepAlive >= idle && {
        fact: 'keepAliveSeconds',
        message: `must be less than the ${idle} s after which an unused refresh token lapses`,
      },
    idle !== undefined &&
      lifetime !== undefined &&
      idle > lifetime && {
        fact: 'refreshTokenIdleSeconds',
        message: `must be at most the ${lifetime} s that a grant lives`,
      },
  ];
}

function ofCredentials({ grant, clientAuthentication, authorizationEndpoint, pkce, ...facts }: Facts): Found {
  const ownWay = grant === 'mint' || grant === 'static';
  return [
    grant === 'client_credentials' &&
      clientAuthentication === 'none' && {
        fact: 'clientAuthentication',
        message:
          'must not be "none" with the grant client_credentials: a public client has no credentials (RFC 6749 §4.4)',
      },
    ownWay &&
      clientAuthentication !== 'none' && {
        fact: 'clientAuthentication',
        message: `must be "none" with the grant ${grant}: it has no client`,
      },
    grant === 'static' &&
      facts.tokenEndpoint !== undefined && {
        fact: 'tokenEndpoint',
        message: 'is never called with the grant static: remove it',
      },
    authorizationEndpoint !== undefined &&
      pkce === undefined && {
        fact: 'pkce',
        message: 'is missing: say "S256", or "none" if the server does not know it',
      },
  ];
}
