/** Versions of secrets in memory, for scenarios. What is deleted is gone at once, as if the seven days were over. */
import type { SecretVersions } from '../../shared/ports/secret-versions.ts';

export function memoryVersions(): SecretVersions {
  const texts = new Map<string, Map<string, string>>();
  return {
    async read(name, versionId) {
      return texts.get(name)?.get(versionId);
    },
    async write(name, versionId, text) {
      const versions = texts.get(name) ?? new Map<string, string>();
      texts.set(name, versions);
      if (!versions.has(versionId)) versions.set(versionId, text);
      return versions.get(versionId) === text;
    },
    async remove(name) {
      texts.delete(name);
    },
  };
}
