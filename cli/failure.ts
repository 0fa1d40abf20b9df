/** Why a command ends without having done its work, and the exit code that says so to a script. */

/** Documented in docs/command-line.md. */
export const exitCodes = {
  /** The broker refused, or something else failed that asking again does not mend. */
  failed: 1,
  /** The command line or a file is wrong; nothing was sent. */
  usage: 2,
  /** The broker cannot be reached, is busy, or has no token at this moment: ask again. */
  tryAgain: 3,
  /** A person has to log in, or settings have to be corrected, before there can be a token. */
  needsAttention: 4,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;

  /** `message` says what is wrong and what to do next, for a person. */
  constructor(message: string, exitCode: ExitCode = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Returns the failure of a command line or file that has these faults, each a line. */
export const wrongInput = (...faults: readonly string[]): CommandFailure =>
  new CommandFailure(faults.join('\n'), exitCodes.usage);
