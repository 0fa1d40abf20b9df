/** `PUT`, `GET`, `DELETE` and the list of connections. */
import { deleteConnection } from '../shared/application/delete-connection.ts';
import { type ConnectionsWorld, putConnection } from '../shared/application/put-connection.ts';
import { composeConnections } from '../shared/compose.ts';
import type { Connection } from '../shared/domain/connection.ts';
import { limits } from '../shared/domain/limits.ts';
import { describe } from './describe.ts';
import { faultsOf, parseBare, parseBody, parseListQuery, parseName, queryFaults } from './parse.ts';
import { grantRefused, invalid, json, noContent, notFound, problem } from './reply.ts';
import type { RouteKey } from './routes.ts';
import { type Handler, safely } from './safely.ts';

const compose = composeConnections();

const handlers: Readonly<Record<RouteKey<'connections'>, Handler>> = {
  'GET /connections': async (event) => {
    const query = parseListQuery(event);
    if (!query.ok) return invalid(query.faults);
    const world = compose();
    const { items, next } = await world.store.list(limits.listPage, query.value);
    return json(200, { connections: items.map((item) => described(world, item)), next });
  },

  'GET /connections/{connection}': async (event) => {
    const name = parseBare(event);
    if (!name.ok) return invalid(name.faults);
    const world = compose();
    const item = await world.store.read(name.value);
    if (item === undefined) return notFound(name.value);
    return json(200, described(world, item));
  },

  'PUT /connections/{connection}': async (event) => {
    const world = compose();
    const [name, body] = [parseName(event), parseBody(event)];
    const request = body.ok ? world.requests.parse(body.value) : body;
    const faults = queryFaults(event);
    if (!name.ok || !request.ok || faults.length > 0) return invalid([...faultsOf(name, request), ...faults]);
    const result = await putConnection(world, name.value, request.value);
    switch (result.kind) {
      case 'created':
      case 'replaced':
        return json(result.kind === 'created' ? 201 : 200, described(world, result.item));
      case 'invalid':
        return invalid(result.faults);
      case 'grant_conflict':
      case 'grant_pending':
        return grantRefused(result, world.clock.now());
      case 'conflict':
        return problem('conflict', {
          detail: 'Renewals kept changing the connection while it was written. Nothing was changed; try again.',
          retryAfterSeconds: limits.retryAfterSeconds.least,
        });
      case 'deleting':
        return problem('conflict', {
          detail: `Connection "${name.value}" is being deleted. Put it again when it is gone.`,
          retryAfterSeconds: limits.deletionMs / 1_000,
        });
    }
  },

  'DELETE /connections/{connection}': async (event) => {
    const name = parseBare(event);
    if (!name.ok) return invalid(name.faults);
    if (await deleteConnection(compose(), name.value)) return noContent;
    return problem('connection_not_found', { detail: `There is no connection "${name.value}".` });
  },
};

const described = ({ clock, providers }: ConnectionsWorld, item: Connection) =>
  describe(item, clock.now(), providers.of(item.config).rules?.profile(item));

export const handler = safely(compose, (event) => handlers[event.routeKey as RouteKey<'connections'>](event));
