/** Changes of connections as events on the broker's own event bus (docs/operations.md#events). */
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Announcement } from '../../domain/announcement.ts';
import { iso } from '../../domain/time.ts';
import { type Announcer, eventDetailType } from '../../ports/announcer.ts';
import { unavailable } from './unavailable.ts';

/** Field by field, so that nothing else can get into an event. */
const detailOf = ({ id, change, connection, provider, cause, at, grantEndsAt, ...more }: Announcement) => ({
  version: 1,
  id,
  change,
  connection,
  provider,
  ...(cause === undefined ? {} : { cause }),
  at: iso(at),
  ...(grantEndsAt === undefined ? {} : { grant_ends_at: iso(grantEndsAt) }),
  ...(more.secretEndsAt !== undefined && { client_secret_expires_at: iso(more.secretEndsAt) }),
  ...(more.connections && { connections: more.connections }),
  ...(more.signs && { signs: more.signs }),
  ...(more.changed && { changed: more.changed }),
  ...(more.revoked !== undefined && { revoked: more.revoked }),
});

export function eventBridgeAnnouncer(
  client: EventBridgeClient,
  { eventBusName, source }: { readonly eventBusName: string; readonly source: string },
): Announcer {
  return {
    async announce(announcement) {
      try {
        const { Entries: [entry] = [] } = await client.send(
          new PutEventsCommand({
            Entries: [
              {
                EventBusName: eventBusName,
                Source: source,
                DetailType: eventDetailType,
                Time: new Date(announcement.at),
                Detail: JSON.stringify(detailOf(announcement)),
              },
            ],
          }),
        );
        // EventBridge answers 200 and refuses entries one by one: only an entry with an id was taken.
        if (entry?.EventId === undefined) throw new RefusedEvent(entry?.ErrorCode);
      } catch (error) {
        throw unavailable('events', error);
      }
    },
  };
}

class RefusedEvent extends Error {
  override readonly name = 'RefusedEvent';
  readonly code: string | undefined;
  constructor(code: string | undefined) {
    super('EventBridge refused the event');
    this.code = code;
  }
}
