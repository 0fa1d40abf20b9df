/** Publishing of changes. */
import type { Announcement } from '../domain/announcement.ts';

/** By this and their source, the name of the deployment, rules find the events. */
export const eventDetailType = 'Connection State Changed';

/** Publishes changes of connections to subscribers. */
export interface Announcer {
  /** Publishes a change at least once; a repetition has the same id. Throws `Unavailable`. */
  announce(announcement: Announcement): Promise<void>;
}
