/** Where a grant is moved in from, as every reader describes it. */

/** A grant with all that the source tells of it. */
export interface FoundGrant {
  readonly kind: 'found';
  /** What goes into the body of the PUT; what the command line says comes first. */
  readonly refreshToken: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** The whole body where the source has one. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** The source never gives the refresh token back. */
interface Withheld {
  readonly kind: 'withheld';
  /** What cannot be had, what can, and how to go on. */
  readonly lines: readonly string[];
}

export interface Source {
  /** For messages: `connection 42 of exact in Nango`. */
  readonly title: string;
  /** Whether it is there, without reading a secret. Throws a failure that says what is wrong. */
  look(): Promise<void>;
  read(): Promise<FoundGrant | Withheld>;
  /** What a person has to switch off before, where the source cannot be stopped from here. */
  readonly before: readonly string[];
  /** Stops the source for good, so that it renews nothing any more. */
  readonly stop?: { readonly what: string; now(): Promise<void> };
  /** What is left to switch off once the broker renews. */
  readonly after: readonly string[];
}
