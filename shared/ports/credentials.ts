/** What connections authenticate with. */
import type { ConnectionName } from '../domain/connection-name.ts';
import type { Destinations } from '../domain/destinations.ts';
import type { Secret } from '../domain/secret.ts';

/** The secrets of one connection by name: `client_secret`, and the settings of the kind `secret`. */
export type Credentials = Readonly<Record<string, Secret>>;

/**
 * What a connection authenticates with: all of it in one secret for each connection, read by version id. Throws
 * `Unavailable`.
 */
export interface CredentialStore {
  /** Throws `Misdirected` if they were stored for other destinations. */
  read(connection: ConnectionName, versionId: string, destinations: Destinations): Promise<Credentials | undefined>;
  /** `isFirst`: the connection most likely has none yet, which may save a call. */
  store(
    connection: ConnectionName,
    versionId: string,
    credentials: Credentials,
    destinations: Destinations,
    isFirst?: boolean,
  ): Promise<void>;
}
