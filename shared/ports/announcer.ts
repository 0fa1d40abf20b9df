/** Publishing of changes. */
import type { Announcement } from '../domain/announcement.ts';

/** Publishes changes of connections to subscribers. */
export interface Announcer {
  /** Publishes a change at least once; a repetition has the same id. Throws `Unavailable`. */
  announce(announcement: Announcement): Promise<void>;
}
