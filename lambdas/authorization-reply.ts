import type { Authorization } from '../shared/application/authorize.ts';
import type { ConnectionName } from '../shared/domain/connection-name.ts';
import { limits } from '../shared/domain/limits.ts';
import { type EpochMs, iso } from '../shared/domain/time.ts';
import type { NotAuthorizable } from '../shared/ports/authorization-server.ts';
import { grantRefused, invalid, json, notFound, problem, type Reply, settingsOutdated } from './reply.ts';

interface Asked {
  readonly connection: ConnectionName;
  /** Where browsers reach this API. */
  readonly apiUrl: string;
  readonly now: EpochMs;
}

/** A link; or why the broker makes no link, and what to do about it. */
export function authorizationReply(answer: Authorization, { connection, apiUrl, now }: Asked): Reply {
  switch (answer.kind) {
    case 'offered':
      return json(201, {
        connect_url: `${apiUrl}/connect/${connection}?link=${answer.link}`,
        expires_at: iso(answer.expiresAt),
      });
    case 'not_found':
      return notFound(connection);
    case 'not_authorizable':
      return invalid([obstacleFault(answer.reason, connection)]);
    case 'outdated':
      return settingsOutdated(connection);
    case 'grant_conflict':
    case 'grant_pending':
      return grantRefused(answer, now);
    case 'conflict':
      return problem('conflict', {
        detail: 'The connection was replaced at the same moment. No link was made; try again.',
        retryAfterSeconds: limits.retryAfterSeconds.least,
      });
  }
}

function obstacleFault(reason: NotAuthorizable, connection: ConnectionName) {
  const put = `PUT /connections/${connection}`;
  switch (reason) {
    case 'grant_without_login':
      return { path: 'connection', message: `has a grant that comes without a login: ${put} is all that it takes` };
    case 'preset_without_login':
      return {
        path: 'connection',
        message:
          'is of a provider whose login is not known here: obtain a refresh token elsewhere, ' +
          `and import it with ${put}`,
      };
    case 'no_authorization_endpoint':
      return { path: 'settings.authorization_endpoint', message: `is missing: put it with ${put}` };
  }
}
