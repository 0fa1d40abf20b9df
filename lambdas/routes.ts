/** The HTTP API, as data: the CDK stack and the handlers read it here, the local gateway in the template. */

import { callbackPath } from '../shared/application/callback-uri.ts';

export { callbackPath };

/** Each has a handler of its own in `lambdas/<name>.ts`. */
export const functionNames = ['token', 'refresh', 'plan', 'connections', 'authorizations'] as const;
export type FunctionName = (typeof functionNames)[number];
/** `canary` is deployed where it is chosen, and has no part in the API. */
export type DeployedName = FunctionName | 'canary';

/** What a principal can be allowed to do with connections; the broker stack has a `grant` method for each. */
export type Permission = 'getToken' | 'read' | 'connect' | 'manage';

export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** As API Gateway writes it: `{name}` is one segment. */
  readonly path: `/${string}`;
  readonly function: FunctionName;
  /** It takes no signature, since a browser that comes back from a login has none. */
  readonly public?: true;
  /** Where the deployment names an issuer, JWTs open it instead of signatures. Its handler looks at their scopes. */
  readonly jwt?: true;
  /** The permissions that include it. */
  readonly permissions?: readonly Permission[];
}

export const routes = [
  { method: 'GET', path: '/token', function: 'token', jwt: true, permissions: ['getToken'] },
  { method: 'GET', path: '/token/{connection}', function: 'token', jwt: true, permissions: ['getToken'] },
  { method: 'POST', path: '/token/{connection}/rejections', function: 'token', jwt: true, permissions: ['getToken'] },
  { method: 'GET', path: '/connections', function: 'connections', permissions: ['read', 'manage'] },
  {
    method: 'GET',
    path: '/connections/{connection}',
    function: 'connections',
    permissions: ['read', 'connect', 'manage'],
  },
  { method: 'PUT', path: '/connections/{connection}', function: 'connections', permissions: ['manage'] },
  { method: 'DELETE', path: '/connections/{connection}', function: 'connections', permissions: ['manage'] },
  { method: 'PUT', path: '/connections/{connection}/pause', function: 'connections', permissions: ['manage'] },
  { method: 'DELETE', path: '/connections/{connection}/pause', function: 'connections', permissions: ['manage'] },
  {
    method: 'POST',
    path: '/connections/{connection}/authorizations',
    function: 'authorizations',
    permissions: ['connect', 'manage'],
  },
  {
    method: 'DELETE',
    path: '/connections/{connection}/authorizations',
    function: 'authorizations',
    permissions: ['connect', 'manage'],
  },
  { method: 'GET', path: '/connect/{connection}', function: 'authorizations', public: true },
  { method: 'GET', path: callbackPath, function: 'authorizations', public: true },
  { method: 'GET', path: `${callbackPath}/{connection}`, function: 'authorizations', public: true },
] as const satisfies readonly Route[];

type KeyOf<R extends Route> = R extends Route ? `${R['method']} ${R['path']}` : never;

/**
 * What `event.routeKey` can be in the handler of a function: `'GET /token' | 'GET /token/{connection}'` for `token`.
 */
export type RouteKey<F extends FunctionName> = KeyOf<Extract<(typeof routes)[number], { function: F }>>;
