/**
 * Secrets that have moved: new versions go to one store, and versions from before the switch are found in the other.
 */
import type { SecretVersions } from '../../ports/secret-versions.ts';

/**
 * Reads from the second store what the first does not have. A version is absent if both say so; if either cannot be
 * read, that is thrown, since what it would have said is not known.
 */
export function withFallback(store: SecretVersions, earlier: SecretVersions): SecretVersions {
  return {
    read: async (name, versionId) => (await store.read(name, versionId)) ?? (await earlier.read(name, versionId)),
    write: store.write,
    async remove(name) {
      await Promise.all([store.remove(name), earlier.remove(name)]);
    },
  };
}
