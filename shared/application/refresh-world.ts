/** What a run of the refresh protocol needs, and what every part of it is handed. */
import type { Connection, Seen } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import type { Profile } from '../domain/profile.ts';
import type { EpochMs } from '../domain/time.ts';
import type { Announcer } from '../ports/announcer.ts';
import type { BreakerStore } from '../ports/breakers.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import type { CredentialStore } from '../ports/credentials.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { RefreshTokenStore } from '../ports/refresh-tokens.ts';
import type { Sealer } from '../ports/sealer.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { TokenSource } from '../ports/token-source.ts';
import type { Protocol } from './protocol.ts';

export interface RefreshWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: ConnectionStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly credentials: CredentialStore;
  readonly accessSealer: Sealer;
  readonly refreshSealer: Sealer;
  readonly source: TokenSource;
  readonly queue: RefreshQueue;
  readonly breakers: BreakerStore;
  readonly announcer: Announcer;
  readonly telemetry: Telemetry;
  readonly profileOf: (item: Connection) => Profile;
  /** Which breaker a connection's calls go through. */
  readonly applicationOf: (item: Connection) => string;
}

/** One run: for which connection, until when, by which rules. */
export interface Run {
  readonly world: RefreshWorld;
  readonly connection: ConnectionName;
  /** When this process will be killed. */
  readonly deadline: EpochMs;
  readonly protocol: Protocol;
}

export const seenBy = ({ world }: Run, item: Connection): Seen => ({ item, profile: world.profileOf(item) });
