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
  readonly broker: Pick<Broker, 'find' | 'put' | 'pause' | 'resume'>;
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
  const asItWas = `${source.title} was left as it is.`;
  const { stop } = source;
  if (stop === undefined) {
    const put = broker.put(name, { ...(await bodyFor(grant)), verify: true });
    return proven(await told(put, asItWas), source, asItWas);
  }
  // Clients of a connection that is there already would have it renewed.
  const existing = await broker.find(name);
  if (existing !== undefined) await told(broker.pause(name), asItWas);
  const first = await bodyFor(grant);
  await told(broker.put(name, unused(first)), asItWas);
  if (existing === undefined) await told(broker.pause(name), asItWas);
  tell(`The broker has the refresh token, and ${name} is paused.`);
  // What the source has renewed meanwhile is the newer one.
  const again = await source.read();
  const newest = again.kind === 'found' ? again : grant;
  const body = { ...first, refresh_token: newest.refreshToken };
  if (newest.refreshToken !== grant.refreshToken) await told(broker.put(name, unused(body)), asItWas);
  await told(
    stop.now(),
    `${name} has the refresh token, unused, and is paused; ${source.title} was not stopped. Run the same again, or ` +
      `stop it by hand and then run token-broker resume ${name}.`,
  );
  tell(`Done: ${stop.what}.`);
  const stopped = `${source.title} is stopped for good.`;
  const isLeft =
    `${stopped} ${name} has its refresh token: token-broker resume ${name}, and token-broker token ${name} ` +
    'renews it.';
  await told(broker.resume(name), isLeft);
  return proven(await told(broker.put(name, { ...body, verify: true }), isLeft), source, stopped);
}

/** A new connection that no client asks for is not renewed before it is paused. */
const unused = (body: PutBody): PutBody => ({ ...body, renewal: 'while_used' });

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
  const { connection, state, unproven, paused_since: paused, last_failure: failure } = item;
  if (state === 'active' && unproven !== true) return item;
  const words = failure && [failure.error, failure.error_description].filter(Boolean).join(', ');
  const said = words === undefined ? '' : ` It said: ${words}.`;
  if (paused !== undefined)
    throw new CommandFailure(
      `${connection} is paused, so nothing has shown that the grant is good: token-broker resume ${connection}. ` +
        sourceIs,
      exitCodes.needsAttention,
    );
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
