/**
 * A race too rare for random seeds, as a story that a right and a wrong protocol can both go through. It returns what
 * the simulation's checkers found, and what only the story can tell; with the right protocol, that is nothing.
 */
import type { Violation } from '../sim/checkers/checker.ts';
import type { FaultRates } from '../sim/faults.ts';
import type { KindName } from '../sim/natures.ts';
import type { Variant } from '../sim/variant.ts';
import { watch } from '../sim/watch.ts';
import { Scenario, type Story } from './scenario.ts';

export interface Race {
  readonly name: string;
  readonly run: (variant?: Variant) => Promise<readonly Violation[]>;
}

interface Telling {
  /** A client asks, and wants an answer at once. */
  readonly ask: () => Promise<string>;
  readonly violate: (invariant: string, what: string) => void;
}

/** Nothing happens by chance here: the checkers that allow for faults have nothing to allow for. */
const noFaults: FaultRates = {
  crash: 0,
  pause: 0,
  pauseMostMs: 0,
  table: 0,
  secrets: 0,
  queue: 0,
  keys: 0,
  events: 0,
  provider: 0,
  slow: 0,
  planner: 0,
  duplicates: 0,
  resent: 0,
  outages: 0,
  skewMs: 0,
  staleSecretsMs: 0,
};

/** A holder is frozen for longer than S1 and S2 are promised for. */
export const longPauses: FaultRates = { ...noFaults, pause: 1, pauseMostMs: 60_000 };

export function race(
  name: string,
  kind: KindName,
  story: Story,
  tell: (s: Scenario, telling: Telling) => Promise<void>,
  rates = noFaults,
): Race {
  const run = async (variant?: Variant) => {
    const s = new Scenario(kind, { ...story, options: { ...story.options, ...(variant && { variant }) } });
    const { violations, violate, answered } = watch(s, rates);
    const ask = async () => {
      const askedAt = s.time.now();
      const answer = await s.ask(10_000, 0);
      answered(answer, 10_000, askedAt);
      return answer.kind;
    };
    await tell(s, { ask, violate });
    return violations;
  };
  return { name, run };
}

/** The first renewal is made; the second begins now. */
export async function renewing(s: Scenario): Promise<void> {
  await s.connected();
  await s.untilDue();
  s.send();
}
