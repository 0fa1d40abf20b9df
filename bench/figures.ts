/** What was measured, as tables and bars. Times are given as ratios only: this machine is not Lambda. */

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

/** Of measurements taken side by side, round by round: the median of their ratios, and the least and the greatest. */
interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function ratio(of: readonly number[], to: readonly number[]): Ratio {
  const ratios = of.map((value, round) => value / (to[round] ?? Number.NaN));
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

export const shown = ({ median, least, most }: Ratio): string =>
  `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;

export const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly range?: readonly [least: number, most: number];
  /** What the chart is about, against what it is compared with. */
  readonly ours?: boolean;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** A bar chart as SVG, readable on a light and on a dark page. */
export function chartOf(title: string, bars: readonly Bar[], unit = ''): string {
  const [left, width, row, top] = [290, 400, 30, 44];
  const most = Math.max(...bars.map(({ value, range }) => range?.[1] ?? value));
  const x = (value: number): number => left + (value / most) * width;
  const drawn = bars.map(({ label, value, range, ours }, i) => {
    const y = top + i * row;
    const whisker = range && `<path d="M${x(range[0])} ${y + 10}H${x(range[1])}" stroke="#888" stroke-width="2"/>`;
    return [
      `<text x="${left - 8}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${left}" y="${y}" width="${x(value) - left}" height="20" fill="${ours ? '#1f77b4' : '#b9c4cf'}"/>`,
      whisker ?? '',
      `<text x="${x(range?.[1] ?? value) + 6}" y="${y + 15}">${value.toFixed(2)}${unit}</text>`,
    ].join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 90}" height="${top + bars.length * row + 10}"`,
    ' font-family="sans-serif" font-size="13" fill="#666">',
    `<title>${escaped(title)}</title>`,
    `<text x="8" y="22" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...drawn,
    '</svg>\n',
  ].join('');
}
