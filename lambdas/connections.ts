/** `PUT`, `GET`, `DELETE` and the list of connections. */
import { deleteConnection } from '../shared/application/delete-connection.ts';
import { pauseConnection, type Wish } from '../shared/application/pause-connection.ts';
import { proven } from '../shared/application/prove-grant.ts';
import { faultsBeside, putConnection } from '../shared/application/put-connection.ts';
import { composeConnections } from '../shared/compose.ts';
import type { ParsedRequest } from '../shared/ports/connection-requests.ts';
import { audited } from './audited.ts';
import { apiUrlOf } from './browser.ts';
import { principalOf } from './caller.ts';
import { deletionReply, listed, pauseReply, putReply, withHealth } from './connection-replies.ts';
import { faultsOf, parseBare, parseBody, parseName, queryFaults } from './parse.ts';
import { parseListing } from './parse-listing.ts';
import { invalid, json, notFound } from './reply.ts';
import type { RouteKey } from './routes.ts';
import { type Handler, safely } from './safely.ts';

const compose = composeConnections();

const handlers: Readonly<Record<RouteKey<'connections'>, Handler>> = {
  'GET /connections': async (event) => {
    const listing = parseListing(event);
    if (!listing.ok) return invalid(listing.faults);
    return json(200, await listed(compose(), listing.value, apiUrlOf(event)));
  },

  'GET /connections/{connection}': async (event) => {
    const name = parseBare(event);
    if (!name.ok) return invalid(name.faults);
    const world = compose();
    const item = await world.store.read(name.value);
    if (item === undefined) return notFound(name.value);
    return json(200, await withHealth(world, item, apiUrlOf(event)));
  },

  'PUT /connections/{connection}': async (event) => {
    const world = compose();
    const [name, body] = [parseName(event), parseBody(event)];
    const request: ParsedRequest = body.ok ? world.requests.parse(body.value) : body;
    const faults = queryFaults(event);
    if (!name.ok || !request.ok || faults.length > 0) {
      const told = [...faultsOf(name, request), ...faults];
      return invalid([...told, ...(await faultsBeside(world, name.ok ? name.value : undefined, request, told))]);
    }
    const result = await putConnection(world, name.value, request.value);
    if ('item' in result && request.value.verify) {
      const item = await proven(world, result.item);
      return putReply(world, name.value, { ...result, item }, apiUrlOf(event));
    }
    return putReply(world, name.value, result, apiUrlOf(event));
  },

  'DELETE /connections/{connection}': async (event) => {
    const name = parseBare(event);
    if (!name.ok) return invalid(name.faults);
    return deletionReply(name.value, await deleteConnection(compose(), name.value));
  },

  'PUT /connections/{connection}/pause': pausing((event) => ({ kind: 'paused', by: principalOf(event) })),
  'DELETE /connections/{connection}/pause': pausing(() => ({ kind: 'resumed' })),
};

function pausing(wishOf: (event: Parameters<Handler>[0]) => Wish): Handler {
  return async (event) => {
    const name = parseBare(event);
    if (!name.ok) return invalid(name.faults);
    const world = compose();
    return pauseReply(world, name.value, await pauseConnection(world, name.value, wishOf(event)), apiUrlOf(event));
  };
}

const answer: Handler = (event) => handlers[event.routeKey as RouteKey<'connections'>](event);

export const handler = audited(compose, safely(compose, answer));
