/** What a run of the refresh protocol needs, and what every part of it is handed. */
import type { Connection, ConnectionName, EpochMs, Profile, Seen } from '../domain/types.ts';
import type {
  Announcer,
  BreakerStore,
  Chance,
  Clock,
  ConnectionStore,
  CredentialStore,
  RefreshQueue,
  RefreshTokenStore,
  Sealer,
  Telemetry,
  TokenSource,
} from '../ports/index.ts';
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
