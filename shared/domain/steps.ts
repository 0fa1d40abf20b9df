/**
 * The steps of the refresh protocol: what can happen, and what can be done about it. `decide.ts` leads from one to the
 * other.
 */

import type { Announcement } from './announcement.ts';
import type { StopReason, WaitReason } from './assess.ts';
import type { Breaker } from './breaker.ts';
import type { FailureCommit } from './commit-writes.ts';
import type { Attempt, ClientSecretInUse, Place, Seen } from './connection.ts';
import type { Failure, OwnFailureCode } from './failure.ts';
import type { Held } from './held.ts';
import type { Fence } from './ids.ts';
import type { Outcome } from './outcome.ts';
import type { Secret } from './secret.ts';
import type { EpochMs } from './time.ts';
import type { Received } from './token-set.ts';

/** What a successor found of an earlier attempt. */
export interface Orphan {
  readonly attempt: Attempt;
  readonly tokens: Received;
}

export type Event =
  | { readonly kind: 'started' }
  | { readonly kind: 'read'; readonly seen: Seen | undefined }
  | { readonly kind: 'acquired'; readonly held: Held }
  | { readonly kind: 'acquire_refused'; readonly seen: Seen | undefined; readonly tries: number }
  | {
      readonly kind: 'looked_up';
      readonly held: Held;
      readonly orphan: Orphan | undefined;
      readonly unreadable: boolean;
    }
  | { readonly kind: 'send_marked'; readonly held: Held }
  | { readonly kind: 'send_refused' }
  | {
      readonly kind: 'ready';
      readonly held: Held;
      readonly leaseUntil: EpochMs /** Of the provider application, if it has one. */;
      readonly breaker: Breaker | undefined;
    }
  | { readonly kind: 'probe_refused'; readonly held: Held }
  | {
      readonly kind: 'not_ready';
      readonly held: Held;
      readonly code: OwnFailureCode /** Not there, as opposed to out of reach. */;
      readonly missing: boolean;
    }
  /** The secrets are not for where the settings would send them; `description` says which. */
  | { readonly kind: 'misdirected'; readonly held: Held; readonly description: string }
  | {
      readonly kind: 'answered';
      readonly held: Held;
      readonly outcome: Outcome;
      /** Until when a refusal is withheld, since the application's provider refuses too many at once to be believed. */
      readonly withheldUntil?: EpochMs;
    }
  | { readonly kind: 'persisted'; readonly held: Held; readonly outcome: Outcome; readonly place: Place | undefined }
  | { readonly kind: 'reread'; readonly held: Held; readonly verdict: Failure; readonly seen: Seen | undefined }
  | { readonly kind: 'success_committed'; readonly adopted: boolean; readonly seen: Seen }
  | { readonly kind: 'failure_committed'; readonly notBefore: EpochMs | undefined; readonly seen: Seen }
  | { readonly kind: 'success_refused'; readonly held: Held; readonly place: Place | undefined }
  | { readonly kind: 'failure_refused'; readonly held: Held; readonly place: Place | undefined }
  | { readonly kind: 'spare_kept' }
  | { readonly kind: 'commit_abandoned' }
  /** `seen` is the connection as before if the change could not be told; a later refresher tells it. */
  | { readonly kind: 'announced'; readonly seen: Seen | undefined }
  | { readonly kind: 'released'; readonly wakeAt: EpochMs | undefined };

export type Effect =
  | { readonly do: 'read' }
  | { readonly do: 'acquire'; readonly seen: Seen }
  | { readonly do: 'look_up'; readonly held: Held; readonly attempts: readonly Attempt[] }
  | { readonly do: 'mark_sent'; readonly held: Held }
  /** Bring everything that the call and the keeping of its answer need into memory. */
  | { readonly do: 'load_secrets'; readonly held: Held }
  /** Become the refresher that finds out whether the provider is back. */
  | { readonly do: 'take_probe'; readonly held: Held; readonly probe: Breaker; readonly leaseUntil: EpochMs }
  | { readonly do: 'call'; readonly held: Held }
  | {
      readonly do: 'persist';
      readonly held: Held;
      readonly outcome: Outcome;
      readonly tokens: Received;
      readonly refreshToken: Secret;
    }
  | {
      readonly do: 'commit_success';
      readonly held: Held;
      readonly tokens: Received /** Undefined: the reply brought no refresh token, the one we have stays. */;
      readonly place: Place | undefined;
      readonly contested: boolean;
      /** The fencing token of the attempt that brought these tokens, if it was found and is not ours. */
      readonly adoptedFence: Fence | undefined;
      /**
       * The refresh token that these tokens put aside, though it was committed after the call that brought them began.
       */
      readonly overtaken: Place | undefined;
      /** Drawn from [0, 1): how far the next renewal is spread. */
      readonly spread: number;
    }
  | { readonly do: 'commit_failure'; readonly held: Held; readonly commit: FailureCommit }
  | { readonly do: 'keep_spare'; readonly held: Held; readonly place: Place }
  | { readonly do: 'reread'; readonly held: Held; readonly verdict: Failure }
  /**
   * `notBefore` is written down for all refreshers; `wakeAt` is when to look again, if at all. What was called stays
   * counted.
   */
  | {
      readonly do: 'release';
      readonly held: Held;
      readonly notBefore: EpochMs | undefined;
      readonly wakeAt: EpochMs | undefined;
      readonly called: boolean;
      readonly budgetSpent: boolean;
      /** The provider's last refusal, the same so often, is not asked for again yet: the connection goes on failing. */
      readonly refusedAlike?: true;
      /** The provider refused one of two client secrets: the next attempt is with this one. */
      readonly clientSecret?: ClientSecretInUse;
    }
  /** Tell subscribers of a change, and note that they were told. */
  | { readonly do: 'announce'; readonly seen: Seen; readonly announcement: Announcement }
  | { readonly do: 'wait'; readonly until: EpochMs; readonly reason: WaitReason }
  | { readonly do: 'rest'; readonly seen: Seen; readonly dueAt: EpochMs | undefined }
  | { readonly do: 'stop'; readonly reason: StopReason };

/** The effect of this name. */
export type EffectOf<D extends Effect['do']> = Extract<Effect, { readonly do: D }>;

/**
 * What a decision may depend on besides the event: the clock, chance in [0, 1), and when this process will be killed.
 */
export interface Circumstances {
  readonly now: EpochMs;
  readonly chance: number;
  readonly deadline: EpochMs;
}

export const releaseFor = (held: Held, notBefore: EpochMs): EffectOf<'release'> => ({
  ...uncalled,
  held,
  notBefore,
  wakeAt: notBefore,
});

export const releaseAndLookAgain = (held: Held, at: Circumstances): EffectOf<'release'> => ({
  ...uncalled,
  held,
  notBefore: undefined,
  wakeAt: at.now,
});

const uncalled = { do: 'release', called: false, budgetSpent: false } as const;
