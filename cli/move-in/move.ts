/**
 * Moves a grant in without losing it: at each step the newest refresh token is in one store at least, and each step can
 * be repeated. The broker has it first and does not use it; then the source is stopped; then the broker renews.
 */
import { Refused } from '../api.ts';
import type { Broker, Description } from '../broker.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import type { FoundGrant, Source } from './source.ts';

/** The body of `PUT /connections/{connection}`. */
export type PutBody = Readonly<Record<string, unknown>>;

interface Move {
  readonly broker: Pick<Broker, 'put'>;
  readonly name: string;
  readonly source: Source;
  /** The body for what was read; throws a failure where it is not complete. */
  bodyFor(grant: FoundGrant): Promise<PutBody>;
  tell(line: string): void;
}

/** Returns the connection as it is after its first renewal. Throws a failure that says in what state both sides are. */
export async function move({ broker, name, source, bodyFor, tell }: Move): Promise<Description> {
  const grant = await source.read();
  if (grant.kind === 'withheld') throw new CommandFailure(grant.lines.join('\n'), exitCodes.needsAttention);
  const body = await bodyFor(grant);
  const { stop } = source;
  if (stop !== undefined) {
    // A connection that no client has asked for rests: the broker has the refresh token, and does not send it.
    await told(broker.put(name, { ...body, renewal: 'while_used' }), `${source.title} was left as it is.`);
    tell('The broker has the refresh token, and has not used it.');
    const again = await source.read();
    // It was renewed in between: what the broker has is an older one.
    if (again.kind === 'found' && again.refreshToken !== grant.refreshToken)
      await told(
        broker.put(name, { ...(await bodyFor(again)), renewal: 'while_used' }),
        `${source.title} was left as it is.`,
      );
    await told(
      stop.now(),
      `The broker has the refresh token and has not used it; ${source.title} was not stopped. Run the same again, or ` +
        `stop it by hand and then run token-broker token ${name}.`,
    );
    tell(`Done: ${stop.what}.`);
    const newest = again.kind === 'found' ? again : grant;
    return proven(
      await told(broker.put(name, { ...(await bodyFor(newest)), verify: true }), afterStop(name, source)),
      source,
      `${source.title} is stopped for good.`,
    );
  }
  return proven(
    await told(broker.put(name, { ...body, verify: true }), `${source.title} was left as it is.`),
    source,
    `${source.title} was left as it is.`,
  );
}

const afterStop = (name: string, { title }: Source): string =>
  `${title} is stopped, and the broker has its refresh token: token-broker token ${name} renews it.`;

/** What a failed step leaves behind, beside why it failed. */
async function told<T>(step: Promise<T>, state: string): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const stored = error instanceof Refused && error.status < 500 ? ' The broker has changed nothing.' : '';
    throw new CommandFailure(`${error.message}${stored} ${state}`, error.exitCode);
  }
}

/** The proving renewal went well, or what is the case where it did not. */
function proven(item: Description, source: Source, sourceIs: string): Description {
  const { connection, state, unproven, last_failure: failure } = item;
  if (state === 'active' && unproven !== true) return item;
  const words = failure && [failure.error, failure.error_description].filter(Boolean).join(', ');
  const said = words === undefined ? '' : ` It said: ${words}.`;
  if (state === 'active')
    throw new CommandFailure(
      `${connection} has no token yet.${said} The broker has the refresh token and goes on trying: ` +
        `token-broker status ${connection} --watch. ${sourceIs} Do not switch it on again: one of the two would ` +
        'lose the grant.',
      exitCodes.tryAgain,
    );
  if (state === 'misconfigured')
    throw new CommandFailure(
      `The provider refuses the client or the settings, not the grant.${said} The broker keeps the refresh token. ` +
        `${sourceIs} ${failure?.fix ?? ''} Correct them, and run the same again.`,
      exitCodes.needsAttention,
    );
  throw new CommandFailure(
    `The provider refuses the refresh token.${said} ${sourceIs} What ${source.title} gave was used or ended before. ` +
      'If something still renews there, end that and run the same again; else a person logs in: ' +
      `token-broker reauthorize ${connection}.`,
    exitCodes.needsAttention,
  );
}
