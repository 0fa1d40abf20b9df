/** The figures as text, eighty columns and a few. */
import type { Figures, Run } from './run.ts';

/** What is said of one run: its figures, and how many grants it lost, once that is known. */
interface Row extends Pick<Run, 'scenario' | 'workers'> {
  readonly figures: Figures;
  readonly grantsLost: number | undefined;
}

const columns: readonly (readonly [title: string, cell: (row: Row) => string])[] = [
  ['workers', ({ workers }) => String(workers)],
  ['token calls', ({ figures }) => String(figures.tokenCalls)],
  ['a lifetime', ({ figures }) => figures.callsALifetime.toFixed(1)],
  ['errors an hour', ({ figures }) => figures.errorsAnHour.toFixed(0)],
  ['hours blocked', ({ figures }) => figures.hoursBlocked.toFixed(1)],
  ['grants lost', ({ grantsLost }) => (grantsLost === undefined ? '' : String(grantsLost))],
  ['records not delivered', ({ figures }) => `${figures.notDelivered} of ${figures.records}`],
];
const gap = '   ';

/** Returns the table's lines: a heading, then each scenario's title and a line for each of its runs. */
export function tableOf(rows: readonly Row[]): string[] {
  const lines = [gap + columns.map(([title]) => title).join(gap)];
  let before: Row | undefined;
  for (const row of rows) {
    if (row.scenario !== before?.scenario) lines.push(row.scenario.title);
    lines.push(gap + columns.map(([title, cell]) => cell(row).padStart(title.length)).join(gap));
    before = row;
  }
  return lines;
}
