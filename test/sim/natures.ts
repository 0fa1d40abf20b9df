/** The kinds of provider that are simulated, each with the profile that its preset would give. */

import { clientSecretNames } from '../../shared/domain/client-secrets.ts';
import type { ConnectionConfig, StoredCredentials } from '../../shared/domain/connection.ts';
import { limits } from '../../shared/domain/limits.ts';
import type { Profile } from '../../shared/domain/profile.ts';
import type { Nature } from './provider.ts';

export interface Kind {
  readonly nature: Nature;
  readonly profile: Profile;
  readonly config: ConnectionConfig;
}

const nature: Nature = {
  name: 'reusable',
  rotation: 'none',
  graceMs: 0,
  killsSibling: false,
  lifetimeMs: 600_000,
  minTokenAgeMs: 0,
  expiresIn: 'number',
  words: 'rfc6749',
};

const profile: Profile = {
  grant: 'refresh_token',
  marginMs: limits.marginMs,
  minTokenAgeMs: 0,
  defaultLifetimeMs: 600_000,
  ambiguousRetry: 'at_once',
  callTimeoutMs: limits.callTimeoutMs,
  slots: 2,
  renewal: 'always',
  firstDelayMs: { default: 5_000, time_out: 1_000, http_429: 60_000, http_500: 15_000 },
};

const config: ConnectionConfig = {
  provider: 'generic-oauth2',
  settings: { token_endpoint: 'https://provider.example/token' },
  renewal: 'always',
};
const exactConfig: ConnectionConfig = { provider: 'exact-online', settings: { country: 'nl' }, renewal: 'always' };

const kind = (its: Partial<Nature>, itsProfile: Partial<Profile> = {}): Kind => ({
  nature: { ...nature, ...its },
  profile: { ...profile, defaultLifetimeMs: its.lifetimeMs ?? profile.defaultLifetimeMs, ...itsProfile },
  config:
    its.words === 'exact'
      ? exactConfig
      : {
          ...config,
          settings: { ...config.settings, lifetime_seconds: (its.lifetimeMs ?? nature.lifetimeMs) / 1_000 },
        },
});

const patient = { ambiguousRetry: 'after_holder' } as const;
const exact = { words: 'exact', minTokenAgeMs: 570_000, expiresIn: 'string' } as const;
const exactProfile = { ...patient, minTokenAgeMs: 574_000, errorsPerHour: 8, callsPerDay: 190 } as const;

export const kinds = {
  reusable: kind({ name: 'reusable' }),
  reusableShort: kind({ name: 'reusable, 300 s, no expires_in', lifetimeMs: 300_000, expiresIn: 'missing' }),
  singleUse: kind({ name: 'single use', rotation: 'single_use' }, patient),
  revoking: kind({ name: 'reuse revokes', rotation: 'revokes' }, patient),
  minuteOfGrace: kind(
    { name: 'grace of 60 s', rotation: 'grace', graceMs: 60_000 },
    { callTimeoutMs: 60_000 - limits.graceReserveMs },
  ),
  halfHourOfGrace: kind(
    { name: 'grace of 30 min, renewals spread', rotation: 'grace', graceMs: 1_800_000, lifetimeMs: 1_800_000 },
    { spreadShare: limits.spreadShare },
  ),
  graceKillsSibling: kind({
    name: 'grace, reuse kills the sibling',
    rotation: 'grace',
    graceMs: 1_800_000,
    killsSibling: true,
  }),
  keptForSuccessor: kind(
    { name: 'until the successor is used', rotation: 'until_successor_used' },
    { predecessorStays: true },
  ),
  keptForSuccessors: kind(
    { name: 'until one of its successors is used', rotation: 'until_successor_used', killsSibling: true },
    { predecessorStays: true },
  ),
  lapsing: kind(
    {
      name: 'lapses after 1,200 s, and tells at times',
      rotation: 'single_use',
      lifetimeMs: 1_800_000,
      lapseMs: 1_200_000,
      tellsSeldom: true,
    },
    { ...patient, renewal: 'while_used' },
  ),
  sameToken: kind({ name: 'the same token again, with its whole life', sameToken: true }),
  otherWords: kind({ name: 'single use, refusals in other words', rotation: 'single_use', words: 'other' }, patient),
  endsPrevious: kind(
    { name: 'a renewal ends the token before, lapses after 1,000 s', endsPrevious: true, lapseMs: 1_000_000 },
    { renewalEndsPrevious: true },
  ),
  endsPreviousSingleUse: kind(
    { name: 'single use, a renewal ends the token before', rotation: 'single_use', endsPrevious: true },
    { ...patient, renewalEndsPrevious: true },
  ),
  exactSingleUse: kind({ name: 'Exact Online', rotation: 'single_use', ...exact }, exactProfile),
  exactReusable: kind({ name: 'Exact Online, reuse allowed', rotation: 'none', ...exact }, exactProfile),
  unknown: kind({ name: 'reusable, taken for single use' }, patient),
} as const satisfies Record<string, Kind>;

/** The settings of a connection that was put with two client secrets, and perhaps with when these end. */
export const withTwoSecrets = (one: ConnectionConfig, endsAt?: StoredCredentials['endsAt']): ConnectionConfig => ({
  ...one,
  credentials: { versionId: 'both', names: Object.values(clientSecretNames), ...(endsAt && { endsAt }) },
});

export type KindName = keyof typeof kinds;
