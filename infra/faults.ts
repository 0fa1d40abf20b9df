/** What an operator or the author of a preset gave cannot be used. The message says all that is wrong. */
export class Faults extends Error {
  override readonly name = 'Faults';
}

/**
 * Runs a program. Of faults it prints the message alone, since a stack would tell their author nothing; other errors
 * are thrown.
 */
export function orSayFaults(program: () => void): void {
  try {
    program();
  } catch (error) {
    if (!(error instanceof Faults)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
