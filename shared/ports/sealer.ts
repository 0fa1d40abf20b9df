/** Authenticated encryption of what is stored outside Secrets Manager. */
import type { ConnectionName } from '../domain/connection-name.ts';
import type { VersionId } from '../domain/ids.ts';
import type { Secret } from '../domain/secret.ts';

/** What a sealed text is bound to: it opens for the same binding only. */
export interface SealBinding {
  readonly connection: ConnectionName;
  /** `versionIdOf(grantId, fence)`: names one token set of one grant. */
  readonly versionId: VersionId;
}

/** Seals and opens with one key (access tokens and refresh tokens have different ones). */
export interface Sealer {
  /** Brings the current key into memory, so that `seal` cannot fail later. Throws `Unavailable`. */
  ready(): Promise<void>;
  seal(plaintext: Secret, binding: SealBinding): Promise<string>;
  /**
   * Throws `Unavailable` if the key cannot be read, `SealBroken` if the text is not what was sealed for this binding.
   */
  open(sealed: string, binding: SealBinding): Promise<Secret>;
}

/** Opens what was sealed elsewhere. */
export interface Opener extends Pick<Sealer, 'open'> {
  /**
   * Reads the current key if no key is in memory yet, beside what its caller waits for anyway. Never throws: a key that
   * could not be read is asked for again when a text is opened.
   */
  warm(): Promise<void>;
}
