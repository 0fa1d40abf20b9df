/** Connecting by login: the link that is given to a person, and the page that the login ends on. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { authorize } from '../shared/application/authorize.ts';
import { redeem } from '../shared/application/redeem.ts';
import { composeAuthorizations } from '../shared/compose.ts';
import { limits } from '../shared/domain/limits.ts';
import { iso, plus } from '../shared/domain/time.ts';
import { loopbackAllowed, optional } from '../shared/environment.ts';
import { pageFor, pageForError } from './callback-pages.ts';
import { page } from './page.ts';
import { parseName } from './parse.ts';
import { grantRefused, invalid, json, problem, settingsOutdated } from './reply.ts';
import { callbackPath, type RouteKey } from './routes.ts';
import { type Handler, safely } from './safely.ts';

const compose = composeAuthorizations();

const offer: Handler = async (event) => {
  const name = parseName(event);
  if (!name.ok) return invalid(name.faults);
  const connection = name.value;
  const world = compose();
  const result = await authorize(world, connection, redirectUriOf(event));
  switch (result.kind) {
    case 'offered':
      return json(201, {
        authorize_url: result.authorizeUrl.href,
        expires_at: iso(result.expiresAt),
      });
    case 'not_found':
      return problem('connection_not_found', {
        detail: `There is no connection "${connection}". Create it with PUT /connections/${connection}.`,
      });
    case 'not_authorizable':
      return invalid([
        result.reason === 'no_login'
          ? { path: 'connection', message: 'has a grant that nobody logs in for' }
          : {
              path: 'settings.authorization_endpoint',
              message: `is missing: put it with PUT /connections/${connection}`,
            },
      ]);
    case 'outdated':
      return settingsOutdated(connection);
    case 'grant_conflict':
    case 'grant_pending':
      return grantRefused(result, world.clock.now());
    case 'conflict':
      return problem('conflict', {
        detail: 'The connection was replaced at the same moment. No link was made; try again.',
        retryAfterSeconds: 1,
      });
  }
};

/** Public: it does nothing without a `state` that was sealed here. */
const callback: Handler = async (event) => {
  const world = compose();
  const deadline = plus(world.clock.now(), limits.refreshTimeoutMs);
  return page(pageFor(await redeem(world, new URLSearchParams(event.rawQueryString), deadline)));
};

const handlers: Readonly<Record<RouteKey<'authorizations'>, Handler>> = {
  'POST /connections/{connection}/authorizations': safely(compose, offer),
  'GET /oauth/callback': safely(compose, callback, (error) => page(pageForError(error))),
};

export const handler: Handler = (event) => handlers[event.routeKey as RouteKey<'authorizations'>](event);

/**
 * Where browsers reach this API: at the address of the deployment's own, if it has one, since the request does not tell the path of that.
 * Otherwise where the caller reached it: API Gateway serves only its own host names, so the caller has not made it up. The local broker
 * has no TLS.
 */
function redirectUriOf({ requestContext: { domainName } }: APIGatewayProxyEventV2): string {
  const local = loopbackAllowed() && domainName.startsWith('127.0.0.1:');
  return `${optional('API_URL') ?? `${local ? 'http' : 'https'}://${domainName}`}${callbackPath}`;
}
