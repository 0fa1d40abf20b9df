/** `npm run bench:fleet`: what fleets of several sizes ask of stores and workers, as a Markdown table. */
import { limits } from '../shared/domain/limits.ts';
import { assumed, type FleetOptions, type FleetReport, runFleet } from './simulated-fleet.ts';

const hour = 3_600_000;
/** What a provider that forbids early renewal is like: Exact Online. */
const rigid = { lifeMs: 600_000, profile: { minTokenAgeMs: 574_000 } } as const;
const together = { spreadShare: 0 };

interface Row extends FleetOptions {
  readonly name: string;
}

const fleets: readonly Row[] = [1_000, 10_000, 100_000].flatMap((connections) => {
  const fleet = { connections, begin: 'imported', lifeMs: hour, lives: connections > 10_000 ? 2.2 : 3.2 } as const;
  return [
    { ...fleet, store: 'secrets-manager', name: 'an hour, put within a minute' },
    { ...fleet, store: 'secrets-manager', name: 'the same, not spread', profile: together },
    { ...fleet, store: 'dynamodb', name: 'an hour, put within a minute' },
    { ...fleet, store: 'dynamodb', name: 'the same, not spread', profile: together },
  ];
});
const short: readonly Row[] = [1_000, 10_000].flatMap((connections) =>
  (['secrets-manager', 'dynamodb'] as const).map((store) => ({
    ...rigid,
    connections,
    begin: 'imported',
    lives: 4.2,
    store,
    name: '600 s, no early renewal',
  })),
);
const outages: readonly Row[] = [10_000, 100_000].flatMap((connections) =>
  [100, 1_000].map((workers) => ({
    connections,
    begin: 'overdue',
    lifeMs: hour,
    lives: 0.9,
    store: 'dynamodb' as const,
    workers,
    name: `all overdue, ${workers} renewals at once`,
  })),
);

const share = (part: number, whole: number): string => (whole === 0 ? '–' : `${Math.round((100 * part) / whole)} %`);
const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;

function cells({ waves, ...report }: FleetReport): readonly string[] {
  const [first, ...later] = waves;
  const sum = (of: typeof waves, what: 'renewals' | 'sealed' | 'expired') =>
    of.reduce((total, wave) => total + wave[what], 0);
  const expired = sum(later, 'expired');
  const longest = Math.max(0, ...later.map(({ longestGapMs }) => longestGapMs));
  return [
    (report.messages / report.renewals).toFixed(2),
    `${share(first?.sealed ?? 0, first?.renewals ?? 0)}, ${share(sum(later, 'sealed'), sum(later, 'renewals'))}`,
    share(expired, sum(later, 'renewals')) + (expired > 0 ? `, by up to ${seconds(longest)}` : ''),
    String(report.queueMost),
    seconds(report.allRenewedAfterMs),
  ];
}

console.log(
  `Virtual time; ${assumed.workers} renewals at once unless another number is named, ${assumed.renewalMs} ms each, ` +
    `${assumed.secretWritesPerSecond} writes/s of Secrets Manager, margin ${limits.marginMs / 1_000} s.\n`,
);
const columns = [
  'connections',
  'tokens live',
  'store',
  'messages per renewal',
  'sealed, since their secret was not written in time: first, later renewals',
  'expired before their renewal',
  'queue at most',
  'all renewed once after',
];
console.log(`| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`);
for (const { name, ...options } of [...fleets, ...short, ...outages]) {
  const report = await runFleet(options);
  const store = options.store === 'dynamodb' ? 'DynamoDB' : 'Secrets Manager';
  console.log(`| ${[options.connections, name, store, ...cells(report)].join(' | ')} |`);
}
