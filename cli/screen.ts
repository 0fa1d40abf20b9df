/** What commands write: for people by default, JSON for programs. Colours only where a person looks (NO_COLOR). */
import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

export interface Screen {
  /** One JSON value is written, and no prose. */
  readonly json: boolean;
  /** A person sits at the terminal, and can be asked. */
  readonly interactive: boolean;
  /** The result of a command: standard output. */
  out(text: string): void;
  /** What happens meanwhile: standard error, so that a pipe gets the result alone. */
  note(text: string): void;
  styled(style: Style, text: string): string;
}

export function screenOf(json: boolean): Screen {
  return {
    json,
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true && !json,
    out: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    styled: (style, text) => styleText(style, text, { stream: process.stdout }),
  };
}

/** Writes the value for programs, or its lines for people. */
export function show(screen: Screen, value: unknown, lines: readonly string[]): void {
  if (screen.json) screen.out(JSON.stringify(value, null, 2));
  else if (lines.length > 0) screen.out(lines.join('\n'));
}

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

/** Returns the lines of a table whose columns are as wide as what is in them. */
export function table(screen: Screen, titles: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.text.length ?? 0)),
  );
  const line = (cells: readonly Cell[]): string =>
    cells
      .map(({ text, style }, column) => {
        const padded = column === cells.length - 1 ? text : text.padEnd(widths[column] ?? 0);
        return style === undefined ? padded : screen.styled(style, padded);
      })
      .join('  ')
      .trimEnd();
  return [line(titles.map((text) => ({ text, style: 'dim' }))), ...rows.map(line)];
}

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** Returns how long it is until (or since) an instant, in its greatest unit: `9 min`, `3 d ago`. */
export function distance(iso: string, now: number): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1_000);
  const [unit, length] = units.find(([, unitSeconds]) => Math.abs(seconds) >= unitSeconds) ?? units[3];
  const text = `${Math.floor(Math.abs(seconds) / length)} ${unit}`;
  return seconds < 0 ? `${text} ago` : text;
}
