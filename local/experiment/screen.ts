/** Draws over what it drew before, where it can. */
import type { WriteStream } from 'node:tty';

interface Screen {
  /** Shows these lines in place of the ones before. */
  draw(lines: readonly string[]): void;
}

/** On a terminal that is high enough, an animated screen; else undefined. */
export function screenOn(stream: WriteStream, height: number): Screen | undefined {
  if (!stream.isTTY || stream.rows <= height) return undefined;
  let drawn = 0;
  return {
    draw(lines) {
      const up = drawn > 0 ? `\x1b[${drawn}A` : '';
      // Each line is cleared to its end, since what was there may have been longer.
      stream.write(up + lines.map((line) => `${line}\x1b[K\n`).join(''));
      drawn = lines.length;
    },
  };
}
