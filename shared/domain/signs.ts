/** The signs of another party that renews the same grant; `second-refresher.ts` says when one counts. */
import type { EpochMs } from './time.ts';

/** `certain`: only another party explains it. `hint`: a person who ends the grant leaves it as well. */
export const weights = {
  /** The provider says that our refresh token was used before, which was sent once. */
  refresh_token_reused: 'certain',
  /** The provider calls a token set too young that was old enough: it has issued one since. */
  renewed_elsewhere: 'certain',
  /** The grant was refused so soon after a success of ours. */
  refused_soon: 'hint',
  /** A renewal ends the access token of before, and clients keep reporting new ones as refused. */
  tokens_rejected: 'hint',
} as const;

export type Sign = keyof typeof weights;

export const signNames = Object.keys(weights) as Sign[];

/** What points to another party. It goes with the grant. */
export interface SecondRefresher {
  readonly signs: Readonly<Partial<Record<Sign, { readonly at: EpochMs; readonly times: number }>>>;
  /** When the first certain sign came; absent while there are hints only. */
  readonly suspectedAt?: EpochMs;
  /** Subscribers have not been told of the suspicion yet. */
  readonly untold?: true;
}
