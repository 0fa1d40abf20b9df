import { setTimeout as pause } from 'node:timers/promises';
import type { Argv } from 'yargs';
import type { Description } from '../broker.ts';
import { begin, withName } from '../command.ts';
import { patient } from '../patience.ts';
import { distance, type Screen, show } from '../screen.ts';
import { stateCell } from './list.ts';

export const command = 'status <name>';
export const describe = 'Shows a connection: its state, what is next, what failed last';
export const builder = (argv: Argv) =>
  withName(argv).option('watch', { type: 'boolean', default: false, describe: 'Go on, and write each change' });

type Options = Awaited<ReturnType<typeof builder>['argv']>;
const watchEveryMs = 2_000;

export async function handler(options: Options): Promise<void> {
  const { broker, screen } = await begin(options);
  const look = (): Promise<Description> => broker.describe(options.name);
  const showNow = (item: Description): void => show(screen, item, statusLines(screen, item, Date.now()));
  const first = await look();
  showNow(first);
  const lookOn = patient(screen, look);
  for (let before = markOf(first); options.watch; ) {
    await pause(watchEveryMs);
    const item = await lookOn();
    if (item === undefined || markOf(item) === before) continue;
    showNow(item);
    before = markOf(item);
  }
}

/** Changes when something has happened, and not with each second or each client that asks. */
export function markOf(item: Description): string {
  const { expires_in, retry_after, last_used_at, budget, ...rest } = item;
  return JSON.stringify(rest);
}

export function statusLines(screen: Screen, item: Description, now: number): string[] {
  const { text, style } = stateCell(item);
  const when = (iso: string): string => `${iso} (${distance(iso, now)})`;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['provider', item.provider],
    ['account', item.account],
    ['state', screen.styled(style, text) + (item.cause === undefined ? '' : ` (${item.cause})`)],
    ['generation', item.generation === 0 ? '0: there was no renewal yet' : String(item.generation)],
    ['renewed', item.renewed_at && when(item.renewed_at)],
    ['expires', item.expires_at && when(item.expires_at)],
    ['next renewal', item.next_renewal_at && when(item.next_renewal_at)],
    ['paused', item.paused_since && `${when(item.paused_since)}${item.paused_by ? ` by ${item.paused_by}` : ''}`],
    ['not before', item.not_before && when(item.not_before)],
    ['grant ends', item.grant_ends_at && when(item.grant_ends_at)],
    ['secret ends', item.client?.client_secret_expires_at && when(item.client.client_secret_expires_at)],
    ['errors left', item.budget?.errors_left_this_hour?.toString()],
    ['calls left', item.budget?.calls_left_today?.toString()],
    ['values', item.values && JSON.stringify(item.values)],
    ['provider', breakerText(item.breaker, now)],
    ['last failure', failureText(item.last_failure, now)],
    ['another party', item.second_refresher && secondRefresherText(item.second_refresher, now)],
    ['what to do', adviceFor(item)],
  ];
  return [
    screen.styled('bold', item.connection),
    ...rows.flatMap(([title, value]) => (value === undefined ? [] : [`  ${title.padEnd(13)} ${value}`])),
  ];
}

function failureText(failure: Description['last_failure'], now: number): string | undefined {
  if (failure === undefined) return undefined;
  const { error, status, error_description: words, rule, at, count } = failure;
  const answer = [error, status, words].filter((part) => part !== undefined).join(', ');
  const times = count > 1 ? `, ${count} in a row` : '';
  return `${answer} (${at === undefined ? '' : distance(at, now)}${times}; rule ${rule})`;
}

function secondRefresherText(found: NonNullable<Description['second_refresher']>, now: number): string {
  const signs = found.signs.map(({ sign, last_at: at, times }) => `${sign} ${times}×, last ${distance(at, now)}`);
  return `${found.detail} (${signs.join('; ')})`;
}

function breakerText(breaker: Description['breaker'], now: number): string | undefined {
  if (breaker === undefined) return undefined;
  const why = breaker.reason === 'refused' ? 'refuses many grants of the application at once' : 'does not answer';
  return `${why}: no call until one connection tries, in ${distance(breaker.until, now)}`;
}

function adviceFor({ connection, state, last_failure: failure }: Description): string | undefined {
  if (failure?.fix !== undefined) return failure.fix;
  if (state === 'reauthorization_required') return `a person has to log in: token-broker reauthorize ${connection}`;
  return state === 'misconfigured' ? 'correct the client or the settings, and put the connection again' : undefined;
}
