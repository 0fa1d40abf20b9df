/** What `PUT`, `GET` and `DELETE` of connections answer. */
import { callbackUriOf } from '../shared/application/callback-uri.ts';
import type { DeleteResult } from '../shared/application/delete-connection.ts';
import type { PauseResult } from '../shared/application/pause-connection.ts';
import type { ConnectionsWorld, PutResult } from '../shared/application/put-connection.ts';
import type { Connection } from '../shared/domain/connection.ts';
import type { ConnectionName } from '../shared/domain/connection-name.ts';
import type { Unrevocable } from '../shared/domain/failure.ts';
import { limits } from '../shared/domain/limits.ts';
import { iso } from '../shared/domain/time.ts';
import type { BreakerStore } from '../shared/ports/breakers.ts';
import type { ConnectionDirectory } from '../shared/ports/connections.ts';
import { describe } from './describe.ts';
import type { Listing } from './parse-listing.ts';
import type { ConnectionList, ConnectionReply } from './replies.ts';
import { grantRefused, invalid, json, noContent, notFound, problem, type Reply, since } from './reply.ts';

/** The description of a connection, by what is known of its provider. `apiUrl`: where browsers reach this API. */
function described(
  { clock, providers }: Pick<ConnectionsWorld, 'clock' | 'providers'>,
  item: Connection,
  apiUrl: string,
): ConnectionReply {
  const { rules, application } = providers.of(item.config);
  const redirectUri = rules?.hasLogin ? callbackUriOf(item, apiUrl) : undefined;
  const known = rules && { limits: rules.profile(item), ...(redirectUri !== undefined && { redirectUri }) };
  return { ...describe(item, clock.now(), known), application };
}

/** The same, and whether its provider application is let alone at the moment. */
export async function withHealth(
  world: Pick<ConnectionsWorld, 'clock' | 'providers'> & { readonly breakers: Pick<BreakerStore, 'read'> },
  item: Connection,
  apiUrl: string,
): Promise<ConnectionReply> {
  const description = described(world, item, apiUrl);
  const { open } = (await world.breakers.read(description.application)) ?? {};
  if (open === undefined) return description;
  const { reason, until, probes } = open;
  return { ...description, breaker: { reason, until: iso(until), probes } };
}

/**
 * A page of the list. State and limits follow from more than the table could choose by, so a page of which not every
 * connection is wanted is chosen from as many as a page can have, however few of them that leaves.
 */
export async function listed(
  world: Pick<ConnectionsWorld, 'clock' | 'providers'> & { readonly directory: ConnectionDirectory },
  { limit, after, wanted }: Listing,
  apiUrl: string,
): Promise<ConnectionList> {
  const { items, next } = await world.directory.list(wanted === undefined ? limit : limits.listPage, after);
  const all = items.map((item) => described(world, item, apiUrl));
  const found = wanted === undefined ? all : all.filter(wanted);
  const connections = found.slice(0, limit);
  return { connections, next: found.length > limit ? connections.at(-1)?.connection : next };
}

const changedMeanwhile = problem('conflict', {
  detail: 'Renewals kept changing the connection while it was written. Nothing was changed; try again.',
  retryAfterSeconds: limits.retryAfterSeconds.least,
});

/** The connection as it was written, or why nothing was changed. */
export function putReply(
  world: Pick<ConnectionsWorld, 'clock' | 'providers'>,
  connection: ConnectionName,
  result: PutResult,
  apiUrl: string,
): Reply {
  switch (result.kind) {
    case 'created':
    case 'replaced':
      return since(
        result.generationBefore,
        json(result.kind === 'created' ? 201 : 200, described(world, result.item, apiUrl)),
      );
    case 'invalid':
      return invalid(result.faults);
    case 'grant_conflict':
    case 'grant_pending':
      return grantRefused(result, world.clock.now());
    case 'conflict':
      return changedMeanwhile;
    case 'deleting':
      return problem('conflict', {
        detail: `Connection "${connection}" is being deleted. Put it again when it is gone.`,
        retryAfterSeconds: limits.deletionMs / 1_000,
      });
  }
}

/** The connection, paused or not as was wished. */
export function pauseReply(
  world: Pick<ConnectionsWorld, 'clock' | 'providers'>,
  connection: ConnectionName,
  result: PauseResult,
  apiUrl: string,
): Reply {
  switch (result.kind) {
    case 'done':
      return json(200, described(world, result.item, apiUrl));
    case 'not_found':
      return notFound(connection);
    case 'conflict':
      return changedMeanwhile;
  }
}

/** Nothing, where the grant will be revoked; else why it will not, and what is left to do. */
export function deletionReply(connection: ConnectionName, result: DeleteResult): Reply {
  if (result.kind === 'not_found')
    return problem('connection_not_found', { detail: `There is no connection "${connection}".` });
  const { unrevoked: code, title, generation } = result;
  if (code === undefined) return since(generation, noContent);
  const detail = `${reasonOf(code, title)} ${nextOf(code)}`;
  return since(generation, json(200, { connection, revoked: false, code, detail }));
}

function reasonOf(code: Unrevocable, title: string): string {
  switch (code) {
    case 'no_refresh_token':
      return 'The broker keeps no refresh token of this connection, so there is none to revoke.';
    case 'revocation_ends_other_grants':
      return `${title} would end every grant of the same user and application, so the grant is not revoked.`;
    case 'settings_outdated':
      return `The preset ${title} is gone, or the settings do not fit it any more, so the grant is not revoked.`;
    case 'no_revocation_endpoint':
      return `No revocation endpoint of ${title} is known, so the grant is not revoked.`;
  }
}

const nextOf = (code: Unrevocable): string =>
  code === 'no_refresh_token' ? 'The connection is forgotten.' : 'End it at the provider, if it is to end.';
