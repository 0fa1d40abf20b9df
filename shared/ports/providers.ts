/** What the broker knows of a connection's provider, and the only way to ask for it. */
import type { Connection, ConnectionConfig } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import type { Destinations } from '../domain/destinations.ts';
import type { Unrevocable } from '../domain/failure.ts';
import type { Profile } from '../domain/profile.ts';
import type { Dialect } from '../domain/reply.ts';
import type { Secret } from '../domain/secret.ts';
import type { Told } from '../domain/told-values.ts';
import type { GrantKey } from './grant-claims.ts';

export interface Providers {
  /** Returns the provider of a connection with these settings. Never throws: see `Provider.rules`. */
  of(config: ConnectionConfig): Provider;
}

/** A provider, with the settings of one connection in their places. */
export interface Provider {
  /** What people call it: the preset's title, or the preset's name where the preset is gone. */
  readonly title: string;
  /**
   * Token endpoint and client: connections that share them share the provider's health and its limits. The key of the
   * breaker.
   */
  readonly application: string;
  /**
   * What a grant and its secrets belong to: provider, token endpoint, client, user. Another identity may have none of
   * them.
   */
  readonly identity: string;
  /** Where its secrets are sent. */
  readonly destinations: Destinations;
  /**
   * The one grant that the provider knows for this user and application; undefined where several can live side by side.
   */
  readonly grantKey: GrantKey | undefined;
  /** Why a deletion leaves out to revoke a grant of such a connection; undefined where it is revoked. */
  readonly revocationObstacle: Unrevocable | undefined;
  /**
   * A digest by which an imported refresh token is recognized when it is imported again; it tells nothing else of the
   * token.
   */
  importDigest(connection: ConnectionName, refreshToken: Secret): string;
  /**
   * Undefined where the preset is gone or the stored settings do not fit it any more: nothing can be asked of such a
   * provider.
   */
  readonly rules: ProviderRules | undefined;
}

/** How a provider renews, and how its replies are understood. */
export interface ProviderRules {
  /**
   * What the protocol needs to know. By connection, since the number of slots depends on the life of the token in hand.
   */
  profile(item: Connection): Profile;
  readonly dialect: Dialect;
  /** The secrets that API requests carry beside the access token: clients get them with the token. */
  readonly headerSecrets: readonly string[];
  /** What a login's callback tells that clients get with the token. */
  readonly callbackValues: readonly Told[];
  /** A person can log in, which brings a grant. */
  readonly hasLogin: boolean;
  /** With the grant `static`: the name of the secret that is itself the access token. */
  readonly storedToken?: string;
}
