/** What happened to other people, tried here: each case is a line of data in `cases/`. */
import { describe, expect, test } from 'vitest';
import type { FieldCase } from './case.ts';
import { cases } from './cases.ts';
import { run } from './run.ts';

describe.each(Object.entries(cases))('%s', (_, entries) => {
  test.each(entries.map((entry): [string, FieldCase] => [`${entry.what} (${entry.source})`, entry]))(
    '%s',
    async (_name, entry) => {
      const { expected } = entry;
      const came = await run(entry);
      if (expected.faults === undefined) expect(came.faults).toBeUndefined();
      else expect(came.faults).toMatchObject(expected.faults);
      const seen = {
        status: came.status,
        ...(expected.served !== undefined && { served: came.served ?? null }),
        ...(expected.last !== undefined && { last: came.last }),
        ...(expected.request !== undefined && { request: came.calls.at(-1) }),
        ...(expected.sent !== undefined && {
          sent: came.calls.slice(0, expected.sent.length).map(({ form }) => form.refresh_token),
        }),
        ...(expected.told !== undefined && { told: came.told }),
      };
      const { calls = [0, Number.POSITIVE_INFINITY], refusals, looks, faults: _faults, ...parts } = expected;
      expect(seen).toMatchObject(parts);
      const [least, most] = typeof calls === 'number' ? [calls, calls] : calls;
      expect(came.calls.length).toBeGreaterThanOrEqual(least);
      expect(came.calls.length).toBeLessThanOrEqual(most);
      if (looks !== undefined) expect(came.looks).toBeLessThanOrEqual(looks);
      if (refusals !== undefined) expect(came.refusals).toBeLessThanOrEqual(refusals);
      expect(came.deadServed).toEqual([]);
      // A client secret in any costume, and refresh tokens, are told nowhere.
      expect(came.output.toLowerCase()).not.toContain('hun7er2');
    },
  );
});
