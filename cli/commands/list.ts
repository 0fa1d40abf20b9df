import type { Argv } from 'yargs';
import { askedFor, type ShownState, stateOf, states } from '../../local/page/state.ts';
import type { Description } from '../broker.ts';
import { begin, withTarget } from '../command.ts';
import { type Cell, distance, type Screen, type Style, show, table } from '../screen.ts';

export const command = 'list';
export const describe = 'Lists the connections, sorted by name';
export const builder = (argv: Argv) =>
  withTarget(argv)
    .option('state', { choices: states, array: true, describe: 'Only these states' })
    .option('provider', { type: 'string', array: true, describe: 'Only these providers' });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const { broker, screen } = await begin(options);
  const { state: wanted, provider } = options;
  const asked = wanted?.map(askedFor);
  const all = await broker.all({ ...(asked && { states: asked }), ...(provider && { providers: provider }) });
  const found = all.filter(
    (item) => wanted === undefined || wanted.some((state) => state === stateOf(item) || state === item.state),
  );
  show(screen, found, listed(screen, found, Date.now()));
}

function listed(screen: Screen, found: readonly Description[], now: number): string[] {
  if (found.length === 0) return ['There is no such connection. token-broker connect NAME makes one.'];
  const titles = ['connection', 'provider', 'state', 'generation', 'expires', 'renewal', 'grant ends', 'secret ends'];
  return table(
    screen,
    titles,
    found.map((item) => [
      { text: item.connection },
      { text: item.provider },
      stateCell(item),
      { text: String(item.generation) },
      instant(item.expires_at, now),
      instant(item.next_renewal_at, now),
      instant(item.grant_ends_at, now),
      instant(item.client?.client_secret_expires_at, now),
    ]),
  );
}

const styles: Readonly<Record<ShownState, Style>> = {
  active: 'green',
  failing: 'yellow',
  paused: 'yellow',
  reauthorization_required: 'red',
  misconfigured: 'red',
  deleting: 'dim',
};

export function stateCell(item: Description): Required<Cell> {
  const text = stateOf(item);
  return { text, style: styles[text] };
}

const instant = (iso: string | undefined, now: number): Cell => ({
  text: iso === undefined ? '–' : distance(iso, now),
});
