/**
 * The renewals of a connection that were seen since the page was opened. The table keeps the last one only, and a
 * history in each item would cost every renewal.
 */
import type { ConnectionReply } from '../../lambdas/replies.ts';

export interface History {
  /** Since when was looked, as ISO 8601. */
  readonly since: string;
  readonly events: readonly Seen[];
}

interface Seen {
  readonly at: string;
  readonly kind: 'renewed' | 'failed';
}

/** Enough for a chart, and little for some hundred connections. */
const mostEvents = 24;

type Item = Pick<ConnectionReply, 'renewed_at' | 'last_failure'>;

/** Returns the history with what the description tells anew. Renewals between two looks are one. */
export function noted(
  { since, events }: History = { since: new Date().toISOString(), events: [] },
  { renewed_at: renewedAt, last_failure: failure }: Item,
): History {
  const told: Seen[] = [];
  if (renewedAt !== undefined) told.push({ at: renewedAt, kind: 'renewed' });
  if (failure !== undefined) told.push({ at: failure.at, kind: 'failed' });
  const known = (seen: Seen): boolean => events.some(({ at, kind }) => at === seen.at && kind === seen.kind);
  const news = told.filter((seen) => !known(seen));
  if (news.length === 0) return { since, events };
  return { since, events: [...events, ...news].sort((a, b) => (a.at < b.at ? -1 : 1)).slice(-mostEvents) };
}
