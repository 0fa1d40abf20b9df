/** Watching a broker that may restart meanwhile. */
import { CommandFailure, exitCodes } from './failure.ts';
import type { Screen } from './screen.ts';

/**
 * Returns a look that answers undefined, and says so once, as long as the broker cannot be reached or is busy. Every
 * other failure is thrown.
 */
export function patient<T>({ note }: Pick<Screen, 'note'>, look: () => Promise<T>): () => Promise<T | undefined> {
  let away = false;
  return async () => {
    try {
      const seen = await look();
      if (away) note('It answers again.');
      away = false;
      return seen;
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.exitCode !== exitCodes.tryAgain) throw error;
      if (!away) note(`${error.message} It is asked again until it answers.`);
      away = true;
      return undefined;
    }
  };
}
