import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Three even on two cores: much of the time is spent waiting for processes and clocks.
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'units',
          include: ['test/**/*.test.ts'],
          exclude: ['test/end-to-end/**'],
          testTimeout: 20_000,
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
