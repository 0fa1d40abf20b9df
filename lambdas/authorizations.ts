/** Connecting by login: links are made and ended here; the pages that browsers open are in `login.ts`. */
import { authorize, withdraw } from '../shared/application/authorize.ts';
import { composeAuthorizations } from '../shared/compose.ts';
import { audited } from './audited.ts';
import { authorizationReply } from './authorization-reply.ts';
import { apiUrlOf } from './browser.ts';
import { principalOf } from './caller.ts';
import { loginPages } from './login.ts';
import { faultsOf, parseBare, parseName } from './parse.ts';
import { parseAuthorization } from './parse-authorization.ts';
import { invalid, noContent, notFound } from './reply.ts';
import type { RouteKey } from './routes.ts';
import { type Handler, safely } from './safely.ts';

const compose = composeAuthorizations();
const { open, callback } = loginPages(compose);

const offer: Handler = async (event) => {
  const [name, life] = [parseName(event), parseAuthorization(event)];
  if (!name.ok || !life.ok) return invalid(faultsOf(name, life));
  const world = compose();
  const answer = await authorize(world, name.value, { lifeMs: life.value, askedBy: principalOf(event) });
  return authorizationReply(answer, { connection: name.value, apiUrl: apiUrlOf(event), now: world.clock.now() });
};

const end: Handler = async (event) => {
  const name = parseBare(event);
  if (!name.ok) return invalid(name.faults);
  return (await withdraw(compose(), name.value)) ? noContent : notFound(name.value);
};

const handlers: Readonly<Record<RouteKey<'authorizations'>, Handler>> = {
  'POST /connections/{connection}/authorizations': audited(compose, safely(compose, offer)),
  'DELETE /connections/{connection}/authorizations': audited(compose, safely(compose, end)),
  'GET /connect/{connection}': open,
  'GET /oauth/callback': callback,
  'GET /oauth/callback/{connection}': callback,
};

export const handler: Handler = (event) => handlers[event.routeKey as RouteKey<'authorizations'>](event);
