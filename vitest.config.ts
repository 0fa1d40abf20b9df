import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, longest first: begun last, each would be waited for alone. */
const longest = [
  'end-to-end/newcomer',
  'end-to-end/deploy',
  'end-to-end/two-releases',
  'end-to-end/packages',
  'end-to-end/secret-store',
  'end-to-end/command-line',
  'end-to-end/broker',
  'end-to-end/kills',
  'end-to-end/exact-online-failures',
  'field/field',
  'sim/simulation',
  'mutants/mutants',
  'scenarios/breaker',
  'handlers/login',
  'handlers/deletion',
].map((name) => `test/${name}.test.ts`);
for (const file of longest)
  if (!existsSync(file)) throw new Error(`vitest.config.ts names ${file}, which is not there`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = longest.findIndex((file) => moduleId.endsWith(file));
      return found < 0 ? longest.length : found;
    };
    const group = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    return (await super.sort(files)).toSorted((a, b) => group(a) - group(b) || rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    // Three even on two cores: much of the time is spent waiting for processes and clocks.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'units',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'test/end-to-end/**'],
          // A worker's files share the modules that they import, which else is half of the time.
          isolate: false,
          globalSetup: 'test/infra/outputs.ts',
          // A limit for what hangs; a busy machine takes several times as long as a quiet one.
          testTimeout: 60_000,
          // Synthesis, and emulators that start.
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'end-to-end',
          include: ['test/end-to-end/**/*.test.ts'],
          // They start the whole broker and mostly wait for the clock: after everything else, side by side.
          globalSetup: 'test/end-to-end/synthesized.ts',
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
