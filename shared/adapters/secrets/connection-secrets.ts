/** Refresh tokens, and what connections authenticate with, each in a secret version that the table points to. */

import type { ConnectionName } from '../../domain/connection-name.ts';
import { type Destinations, misdirection } from '../../domain/destinations.ts';
import { limits } from '../../domain/limits.ts';
import type { CredentialStore } from '../../ports/credentials.ts';
import { Misdirected, Unavailable } from '../../ports/errors.ts';
import type { ImportedRefreshTokens, RefreshTokenStore } from '../../ports/refresh-tokens.ts';
import type { SecretRemoval } from '../../ports/secret-removal.ts';
import type { SecretVersions } from '../../ports/secret-versions.ts';
import { someAtOnce } from '../aws/some-at-once.ts';
import {
  credentialsIn,
  type Directed,
  lookUpIn,
  refreshTokenIn,
  textOfCredentials,
  textOfImport,
  textOfTokens,
} from './secret-texts.ts';

const refreshName = (connection: ConnectionName, slot: number): string => `${connection}/refresh-${slot}`;
const clientName = (connection: ConnectionName): string => `${connection}/client`;

export function refreshTokens(versions: SecretVersions): RefreshTokenStore & ImportedRefreshTokens {
  return {
    async read(connection, slot, versionId, destinations) {
      const text = await versions.read(refreshName(connection, slot), versionId);
      return text === undefined ? undefined : directed(refreshTokenIn(text), destinations);
    },

    async lookUp(connection, slot, versionId) {
      try {
        const text = await versions.read(refreshName(connection, slot), versionId);
        return text === undefined ? { kind: 'absent' } : lookUpIn(text);
      } catch {
        // Throttled, denied, out of reach: none of them says that it is not there.
        return { kind: 'unreadable' };
      }
    },

    persist: (connection, slot, versionId, tokens, destinations) =>
      versions.write(refreshName(connection, slot), versionId, textOfTokens(tokens, destinations)),

    storeRefreshToken: (connection, slot, versionId, refreshToken, destinations, isFirst) =>
      versions.write(refreshName(connection, slot), versionId, textOfImport(refreshToken, destinations), isFirst),
  };
}

export function credentials(versions: SecretVersions): CredentialStore {
  return {
    async read(connection, versionId, destinations) {
      const text = await versions.read(clientName(connection), versionId);
      return text === undefined ? undefined : directed(credentialsIn(text), destinations);
    },

    async store(connection, versionId, given, destinations, isFirst) {
      const text = textOfCredentials(given, destinations);
      const stored = await versions.write(clientName(connection), versionId, text, isFirst);
      if (!stored)
        throw new Unavailable('secrets', {
          cause: new Error(`version ${versionId} of the credentials exists with other content`),
        });
    },
  };
}

export function secretRemoval(versions: SecretVersions): SecretRemoval {
  return {
    async remove(connection, slots, mayStill) {
      // No connection has more slots, whatever its item says.
      const most = Math.min(slots, limits.slots);
      const slotNames = Array.from({ length: most }, (_, slot) => refreshName(connection, slot));
      const names = [clientName(connection), ...slotNames];
      return someAtOnce(names, limits.secretsAtOnce, (name) => versions.remove(name), mayStill);
    },
  };
}

/** What was read, if it is for these destinations. */
function directed<T>(read: Directed<T> | undefined, destinations: Destinations): T {
  if (read === undefined)
    throw new Unavailable('secrets', { cause: new Error('the stored text is not what the broker writes') });
  const wrong = misdirection(read.destinations, destinations);
  if (wrong !== undefined) throw new Misdirected(wrong);
  return read.secret;
}
