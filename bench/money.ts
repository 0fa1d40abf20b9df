/**
 * What counted calls cost in us-east-1, on arm64, without the free tier, in dollars a million operations, by the public
 * lists of November 2026.
 */
import type { Passed } from './stage.ts';

/** What is charged of an operation. */
export interface Counted {
  readonly calls: readonly Passed[];
  readonly writeUnits: number;
  readonly readUnits: number;
}

/** Dollars for one. */
const prices = {
  secretCall: 5e-6,
  writeUnit: 0.625e-6,
  readUnit: 0.125e-6,
  queueRequest: 0.4e-6,
  event: 1e-6,
} as const;

const secretCalls = ['CreateSecret', 'GetSecretValue', 'PutSecretValue', 'DeleteSecret', 'RestoreSecret'];

/** What the calls of AWS cost, for a million operations: the functions' own time is not among them. */
export function dollarsOf({ calls, writeUnits, readUnits }: Counted): number {
  const count = (names: readonly string[]): number => calls.filter(({ call }) => names.includes(call)).length;
  const one =
    count(secretCalls) * prices.secretCall +
    writeUnits * prices.writeUnit +
    readUnits * prices.readUnit +
    // It is sent, received and deleted.
    3 * count(['SendMessage']) * prices.queueRequest +
    count(['PutEvents']) * prices.event;
  return one * 1e6;
}
