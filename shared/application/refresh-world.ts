/** What a run of the refresh protocol needs, and what every part of it is handed. */
import type { Connection, Seen } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import type { EpochMs } from '../domain/time.ts';
import type { Announcer } from '../ports/announcer.ts';
import type { BreakerStore } from '../ports/breakers.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import type { CredentialStore } from '../ports/credentials.ts';
import type { ProviderRules, Providers } from '../ports/providers.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { RefreshTokenStore } from '../ports/refresh-tokens.ts';
import type { Sealer } from '../ports/sealer.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { TokenEndpoint } from '../ports/token-endpoint.ts';
import type { Protocol } from './protocol.ts';

export interface RefreshWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: ConnectionStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly credentials: CredentialStore;
  readonly accessSealer: Sealer;
  readonly refreshSealer: Sealer;
  readonly tokenEndpoint: TokenEndpoint;
  readonly queue: RefreshQueue;
  readonly breakers: BreakerStore;
  readonly announcer: Announcer;
  readonly telemetry: Telemetry;
  readonly providers: Providers;
}

/** One run: for which connection, until when, by which rules. */
export interface Run {
  readonly world: RefreshWorld;
  readonly connection: ConnectionName;
  /** When this process will be killed. */
  readonly deadline: EpochMs;
  readonly protocol: Protocol;
}

/** A connection cannot be renewed: its preset is gone, or its stored settings do not fit the preset any more. */
export class SettingsOutdated extends Error {
  override readonly name = 'SettingsOutdated';
  readonly item: Connection;
  constructor(item: Connection) {
    super(`the settings of connection "${item.connection}" do not fit a preset "${item.config.provider}"`);
    this.item = item;
  }
}

/** Returns how the connection's provider renews and speaks. Throws `SettingsOutdated`. */
export function rulesOf({ providers }: Pick<RefreshWorld, 'providers'>, item: Connection): ProviderRules {
  const { rules } = providers.of(item.config);
  if (rules === undefined) throw new SettingsOutdated(item);
  return rules;
}

/** Returns the connection with its profile. Throws `SettingsOutdated`. */
export const seenBy = ({ world }: { readonly world: Pick<RefreshWorld, 'providers'> }, item: Connection): Seen => ({
  item,
  profile: rulesOf(world, item).profile(item),
});
