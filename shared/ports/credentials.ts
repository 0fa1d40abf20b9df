/** What connections authenticate with. */
import type { ConnectionName } from '../domain/connection-name.ts';
import type { Secret } from '../domain/secret.ts';

/** The secrets of one connection by name: `client_secret`, and the settings of the kind `secret`. */
export type Credentials = Readonly<Record<string, Secret>>;

/**
 * What a connection authenticates with: all of it in one secret for each connection, read by version id. Throws
 * `Unavailable`.
 */
export interface CredentialStore {
  read(connection: ConnectionName, versionId: string): Promise<Credentials | undefined>;
  /** `isFirst`: the connection most likely has none yet, which may save a call. */
  store(connection: ConnectionName, versionId: string, credentials: Credentials, isFirst?: boolean): Promise<void>;
}
