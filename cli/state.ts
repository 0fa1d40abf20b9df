/** What a person calls a connection's state. */
import type { Description } from './broker.ts';

export const states = ['active', 'failing', 'reauthorization_required', 'misconfigured', 'deleting'] as const;
export type ShownState = (typeof states)[number];

/** Returns the state, or `failing` for an active connection whose last renewal failed. */
export const stateOf = ({ state, last_failure: failure }: Description): ShownState =>
  state === 'active' && failure !== undefined && failure.class !== 'too_early' ? 'failing' : state;
