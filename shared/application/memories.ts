/**
 * The memories of the token function's environments, and how long a grant that has ended may still be served from one.
 */
import type { Connection } from '../domain/connection.ts';
import { limits } from '../domain/limits.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Resolves when no environment remembers a token of the connection as it was before the write that ended its grant. An
 * environment answers from memory for `limits.memoryMs` from when it sent its read, so a caller that waits here after
 * the write can promise that the ended grant is not served any more. Resolves at once where there was no token that an
 * environment could remember.
 */
export async function forgotten({ clock }: { readonly clock: Clock }, before: Connection | undefined): Promise<void> {
  const { tokens } = before ?? {};
  if (tokens !== undefined && tokens.expiresAt > clock.now()) await clock.sleep(limits.memoryMs);
}

/**
 * The same for a request that meets a grant which another request has begun, perhaps a moment ago: its answer is the
 * first that the caller may get, and what was before is not known any more.
 */
export const formerForgotten = ({ clock }: { readonly clock: Clock }): Promise<void> => clock.sleep(limits.memoryMs);
