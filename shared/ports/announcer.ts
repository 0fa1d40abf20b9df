/** Publishing of changes. */
import type { Announcement } from '../domain/announcement.ts';

/** Whoever subscribed to changes of connections. */
export interface Announcer {
  /** Tells them, at least once; a repetition has the same id. Throws `Unavailable`. */
  announce(announcement: Announcement): Promise<void>;
}
