/**
 * Each invariant is watched by objects of its own (docs/invariants.md). A checker is told what happens as it happens,
 * from the outside: it knows the provider's truth and the table's, and nothing of what any process believes.
 */
import type { TokenAnswer } from '../../../shared/application/get-token.ts';
import type { Redemption as Told } from '../../../shared/application/redeem.ts';
import type { Connection } from '../../../shared/domain/connection.ts';
import type { Redemption } from '../authorization-server.ts';
import { boundedPauseMs, type FaultRates } from '../faults.ts';
import type { Watcher } from '../stores.ts';
import type { World } from '../world.ts';

export interface Violation {
  readonly invariant: string;
  readonly at: number;
  readonly what: string;
}

export interface Watched {
  readonly world: World;
  readonly rates: FaultRates;
  readonly violate: (invariant: string, what: string) => void;
}

export interface Checker extends Watcher {
  readonly onAnswer?: (answer: TokenAnswer, minTtlMs: number, askedAt: number) => void;
  /** After the faults have stopped and everything had time to converge; no item if the connection was deleted. */
  readonly onEnd?: (item: Connection | undefined, answer: TokenAnswer) => void;
}

/** Pauses and clocks stay inside the bounds that S1 and S2 are promised for, and every holder can reach the table. */
export const bounded = ({ pause, pauseMostMs, table, outages }: FaultRates): boolean =>
  (pause === 0 || pauseMostMs <= boundedPauseMs) && table === 0 && outages === 0;

/**
 * The grant was ended at the provider by what people did: another login, or a code that was sent twice (which is a
 * violation of its own); or a stranger renews it; or it has lapsed (whether the broker let it lapse is told in
 * grants.ts).
 */
export const endedElsewhere = ({ provider }: World, refreshToken: string | undefined): boolean => {
  const end = provider.endOf(refreshToken);
  return end !== undefined && end !== 'reuse' && end !== 'revocation';
};

/** A person was told that the login has brought the grant that there is. */
export const isConnected = ({ kind }: Told): boolean => kind === 'connected' || kind === 'connected_unproven';

/**
 * The login that this environment told a browser of. A callback that comes again sends no code, and tells what came of
 * the first of its link.
 */
export const loginBy = ({ provider }: World, environment: number, ofLink: string): Redemption | undefined =>
  provider.redemptions.find((one) => one.environment === environment) ??
  provider.redemptions.find(({ link }) => link === ofLink);
