/** The results as a Markdown table. */
import type { Row } from './rows.ts';
import type { Measured } from './verdict.ts';

export interface Result {
  readonly row: Row;
  /** Undefined if the row could not be run to its end. */
  readonly measured: Measured | undefined;
  /** Promises that were broken. */
  readonly faults: readonly string[];
}

const columns = [
  'Step',
  'What happened',
  'Provider',
  'Grant',
  'Client errors',
  '503',
  'Longest without a token',
  'New token after',
  'Calls (ok / errors)',
  'As promised',
];

const seconds = (ms: number | undefined): string => (ms === undefined ? '–' : `${(ms / 1_000).toFixed(1)} s`);

export function tableOf(results: readonly Result[]): string {
  return [columns, columns.map(() => '---'), ...results.map(cells)].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function cells({ row, measured, faults }: Result): string[] {
  const promised = faults.length === 0 ? 'yes' : '**no**';
  if (measured === undefined) return [row.step, row.what, row.provider, 'unknown', '–', '–', '–', '–', '–', promised];
  const { grant, clientErrors, unavailable, longestGapMs, newTokenMs, calls } = measured;
  return [
    row.step,
    row.what,
    row.provider,
    row.promised === 'lost_in_doubt' ? `${grant} (unavoidable)` : grant,
    String(clientErrors.length),
    String(unavailable),
    seconds(longestGapMs),
    seconds(newTokenMs),
    `${calls.ok} / ${calls.errors}`,
    promised,
  ];
}
