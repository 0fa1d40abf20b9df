/**
 * Where the connections' own secrets are kept: versions of secrets, immutable texts under ids that the caller chooses.
 */

/** Secrets are named `<connection>/refresh-<slot>` and `<connection>/client`. Every method throws `Unavailable`. */
export interface SecretVersions {
  /**
   * The text of a version; undefined if the secret or the version does not exist. Throws `SealBroken` if it was sealed
   * and does not open.
   */
  read(name: string, versionId: string): Promise<string | undefined>;
  /**
   * Stores a version, with its secret if need be. Doing it again succeeds; false if the version exists with another
   * text. `isFirst`: the secret is most likely not there yet, which may save a call.
   */
  write(name: string, versionId: string, text: string, isFirst?: boolean): Promise<boolean>;
  /** Deletes the secret with all its versions, if there is one. */
  remove(name: string): Promise<void>;
}
