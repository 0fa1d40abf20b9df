/** Each part measures, and returns the text and the charts that take the place of its last ones in the document. */
import type { Stage } from './stage.ts';

export interface Surroundings {
  readonly stage: Stage;
  /** For bundles and data, deleted at the end. */
  readonly directory: string;
  readonly rounds: number;
}

interface Report {
  /** Markdown. */
  readonly text: string;
  /** SVG by file name. */
  readonly charts?: Readonly<Record<string, string>>;
}

export type Part = (surroundings: Surroundings) => Promise<Report>;
