/** What a person calls a connection's state. */
import type { ConnectionReply } from '../../lambdas/replies.ts';

export const states = ['active', 'failing', 'paused', 'reauthorization_required', 'misconfigured', 'deleting'] as const;
export type ShownState = (typeof states)[number];

/** Returns what the broker calls it: a connection that fails or is paused is active for it. */
export const askedFor = (shown: ShownState): ConnectionReply['state'] =>
  shown === 'failing' || shown === 'paused' ? 'active' : shown;

/** Returns the state, or `paused` or `failing` for an active connection that is, or whose last renewal failed. */
export const stateOf = ({ state, last_failure: failure, paused_since: paused }: ConnectionReply): ShownState =>
  state === 'active' && paused !== undefined
    ? 'paused'
    : state === 'active' && failure !== undefined && failure.class !== 'too_early'
      ? 'failing'
      : state;
