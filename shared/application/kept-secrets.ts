/**
 * What a PUT may carry over from the connection that it replaces. Nobody can read stored secrets back to send them
 * again, so they stay if none is sent; but only for their owner, and only where they would be sent to nobody who was
 * not sent them before: else whoever may put and delete a connection could have them sent to a host of his own.
 */

import type { Connection, ConnectionConfig } from '../domain/connection.ts';
import { firstPlace } from '../domain/grant-writes.ts';
import type { ConnectionRequest } from '../ports/connection-requests.ts';
import type { Providers } from '../ports/providers.ts';

/** Why nothing may be carried over: another owner, or settings that name somebody new to send it to. */
export type Obstacle =
  | { readonly kind: 'another_owner' }
  | { readonly kind: 'another_destination'; readonly paths: readonly string[] };

/** Returns what bars the request from what is stored for `before`, or undefined if nothing does. */
export function obstacleTo(
  providers: Providers,
  before: Connection,
  { config }: ConnectionRequest,
): Obstacle | undefined {
  const [stored, asked] = [providers.of(before.config), providers.of(config)];
  if (stored.identity !== asked.identity) return { kind: 'another_owner' };
  const known = stored.destinations;
  const paths = Object.entries(asked.destinations).flatMap(([path, url]) => (known[path] === url ? [] : [path]));
  return paths.length === 0 ? undefined : { kind: 'another_destination', paths };
}

/** The stored secrets, if the request has a use for them and nothing bars it from them. */
export const kept = (
  providers: Providers,
  before: Connection | undefined,
  request: ConnectionRequest,
): ConnectionConfig['credentials'] =>
  before !== undefined && request.needed.length > 0 && obstacleTo(providers, before, request) === undefined
    ? before.config.credentials
    : undefined;

/**
 * Whether the request's refresh token is to begin a grant. One that began the present grant is most likely used by now,
 * and the request sent again: its answer was lost, or a tool applies what it applied before. The grant goes on then,
 * with its newest refresh token. Only where it is dead is the old one meant to be tried.
 */
export const imports = (providers: Providers, before: Connection | undefined, request: ConnectionRequest): boolean =>
  request.refreshToken !== undefined &&
  !(
    before !== undefined &&
    beganGrant(providers, before, request) &&
    obstacleTo(providers, before, request) === undefined
  );

const beganGrant = (providers: Providers, before: Connection, { config, refreshToken }: ConnectionRequest): boolean =>
  refreshToken !== undefined &&
  before.state !== 'reauthorization_required' &&
  before.grant.importDigest === providers.of(config).importDigest(before.connection, refreshToken);

/** Whether the refresh token that began the grant was replaced by another, or may be in use at this moment. */
const isUsed = ({ grant, refreshToken, attempts }: Connection): boolean =>
  refreshToken?.versionId !== firstPlace(grant.id).versionId || Object.keys(attempts).length > 0;

/**
 * Returns what is wrong with the request in view of what is stored: secrets that it lacks and that cannot be carried
 * over.
 */
export function faultsAgainst(providers: Providers, before: Connection | undefined, request: ConnectionRequest) {
  const obstacle = before && obstacleTo(providers, before, request);
  const have =
    request.credentials === undefined ? kept(providers, before, request)?.names : Object.keys(request.credentials);
  const missing = request.needed.filter(({ name }) => !have?.includes(name));
  const faults = missing.map(({ path }) => ({
    path,
    message: `is missing, and ${noneStored(obstacle)}. Secrets are replaced together: give all of them`,
  }));
  if (before === undefined || request.grant !== 'refresh_token') return faults;
  if (request.refreshToken !== undefined) {
    const spent = obstacle !== undefined && beganGrant(providers, before, request) && isUsed(before);
    if (spent)
      faults.push({
        path: 'refresh_token',
        message: `has been used since it was put, and its successor ${stays(obstacle)}: give a newer one`,
      });
    return faults;
  }
  // There is nothing to lose in a dead grant: it is forgotten, and a person authorizes anew.
  if (before.state === 'reauthorization_required') return faults;
  if (before.refreshToken === undefined) {
    faults.push({
      path: 'refresh_token',
      message: 'is missing: the connection had no use for one until now, so none is stored for it',
    });
  } else if (obstacle !== undefined)
    faults.push({ path: 'refresh_token', message: `is missing: the stored one ${stays(obstacle)}` });
  return faults;
}

const noneStored = (obstacle: Obstacle | undefined): string =>
  obstacle?.kind === 'another_destination'
    ? `what is stored ${stays(obstacle)}`
    : 'none is stored for this provider, client and user';

const stays = (obstacle: Obstacle): string =>
  obstacle.kind === 'another_owner'
    ? 'belongs to another provider, token endpoint or client than this request names'
    : `would be sent to another ${obstacle.paths.join(', ')} than before (given, or found in the issuer’s metadata)`;
