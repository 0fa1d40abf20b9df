const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Returns the seconds of `90s`, `30m`, `12h` or `3d`; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * unitSeconds[unit as keyof typeof unitSeconds];
}
