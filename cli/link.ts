/** Connecting by a login: the link, the browser, and the wait for what comes of it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { LinkReply } from '../lambdas/replies.ts';
import type { Broker, Description } from './broker.ts';
import type { Run } from './command.ts';
import { CommandFailure, exitCodes } from './failure.ts';
import { stoppable } from './interrupt.ts';
import { patient } from './patience.ts';
import type { Screen } from './screen.ts';

const lookEveryMs = 1_000;

interface LoginOptions {
  readonly name: string;
  readonly browser: boolean;
  readonly timeout: number;
}

interface Login {
  readonly screen: Screen;
  readonly broker: Broker;
  readonly name: string;
  readonly openBrowser: boolean;
  /** Seconds to wait for the login and the first token. */
  readonly waitSeconds: number;
  readonly stopped: AbortSignal;
}

/** What Ctrl-C ends is said by `stopped`; `release` lets go of the signal. */
export function loginOf({ broker, screen }: Run, options: LoginOptions): Login & { release(): void } {
  const { signal, release } = stoppable();
  const { name, browser, timeout } = options;
  const openBrowser = browser && screen.interactive;
  return { screen, broker, name, openBrowser, waitSeconds: timeout, stopped: signal, release };
}

/** Takes back what was begun, after Ctrl-C. Throws the failure that says so, or what is left. */
export async function takenBack(what: string, takeBack: () => Promise<unknown>, byHand: string): Promise<never> {
  try {
    await takeBack();
  } catch (error) {
    throw new CommandFailure(
      `${what} could not be taken back: ${(error as Error).message} Later: token-broker ${byHand}.`,
      exitCodes.interrupted,
    );
  }
  throw new CommandFailure(`${what} was taken back.`, exitCodes.interrupted);
}

/** Opens the link in the browser of this machine, or writes it. */
export async function offer(
  { screen, openBrowser }: Login,
  { connect_url: url, expires_at: until }: LinkReply,
): Promise<void> {
  screen.note(`Log in with this link, which is good for one login until ${until}:\n\n  ${url}\n`);
  // Where there is no browser, the link that was just written is what there is.
  if (openBrowser) await import('open').then(({ default: open }) => open(url)).catch(() => undefined);
}

/** Returns the description once a renewal of `after` or a later generation brought a token. Throws what prevents it. */
export async function firstToken(
  { screen, broker, name, waitSeconds, stopped }: Login,
  after: Description | undefined,
) {
  const before = after?.generation ?? 0;
  const until = Date.now() + waitSeconds * 1_000;
  const look = patient(screen, () => broker.describe(name));
  for (;;) {
    stopped.throwIfAborted();
    const item = await look();
    if (item !== undefined && item.generation > before) return item;
    const { state, cause, last_failure: failure } = item ?? {};
    const failed = failure !== undefined && failure.at !== after?.last_failure?.at;
    if (failed && state !== 'active')
      throw new CommandFailure(
        `${name} is ${state}${cause === undefined ? '' : ` (${cause})`}. ` +
          `${failure?.error_description ?? failure?.error ?? ''} ${failure?.fix ?? ''}`.trim(),
        exitCodes.needsAttention,
      );
    if (Date.now() > until)
      throw new CommandFailure(
        `${name} has no token after ${waitSeconds} s. The link stays good for as long as it says; ` +
          `token-broker status ${name} --watch shows what comes of it.`,
        exitCodes.tryAgain,
      );
    await pause(lookEveryMs, undefined, { signal: stopped });
  }
}
