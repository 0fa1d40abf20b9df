/** What a store or key may throw. */

/** A store or queue could not be reached, refused to answer, or timed out; whether it acted is unknown. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  readonly store: 'table' | 'secrets' | 'queue' | 'keys' | 'events';
  constructor(store: Unavailable['store'], options?: { cause?: unknown }) {
    super(`${store} unavailable`, options);
    this.store = store;
  }
}

/**
 * Why a store did not do what was asked, for the log: it may name a resource, and goes to no client. Of an error that
 * is not expected here, its name.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (!(error instanceof Unavailable || error instanceof SealBroken)) return error.name;
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** A secret is for other destinations than those that it was asked for (`domain/destinations.ts`). */
export class Misdirected extends Error {
  override readonly name = 'Misdirected';
}

export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}
