/**
 * What a PUT may keep of the connection that it replaces. Stored secrets cannot be read back to be sent again, so they
 * stay if the request brings none; but only for the same identity, and only if they go to no new destination. Otherwise
 * a caller who may put connections could have their secrets sent to a host of its own.
 */

import { clientSecretsIn } from '../domain/client-secrets.ts';
import type { Connection, ConnectionConfig } from '../domain/connection.ts';
import { firstPlace } from '../domain/grant-writes.ts';
import type { ConnectionDraft, ConnectionRequest } from '../ports/connection-requests.ts';
import type { Providers } from '../ports/providers.ts';

/**
 * Returns a faulty request as it may be meant, with the client and the settings that are stored in place of what it
 * lacks: what is wrong with it even so is a fault of its own.
 */
export function meantBy({ request, open }: ConnectionDraft, { config }: Connection): ConnectionRequest {
  const stored = Object.entries(config.settings).filter(([name]) => open.includes(name));
  const clientId = request.config.clientId ?? config.clientId;
  return {
    ...request,
    config: {
      ...request.config,
      ...(clientId !== undefined && { clientId }),
      settings: { ...Object.fromEntries(stored), ...request.config.settings },
    },
  };
}

/** Why nothing may be kept: another identity, or settings that name a new destination. */
type Obstacle =
  | { readonly kind: 'another_owner' }
  | { readonly kind: 'another_destination'; readonly paths: readonly string[] };

/** Returns what keeps the request from what is stored for `before`, or undefined. */
export function obstacleTo(
  providers: Providers,
  before: Connection,
  { config }: ConnectionRequest,
): Obstacle | undefined {
  const [stored, asked] = [providers.of(before.config), providers.of(config)];
  if (stored.identity !== asked.identity) return { kind: 'another_owner' };
  const known = stored.destinations;
  const paths = Object.entries(asked.destinations).flatMap(([name, address]) =>
    known[name] === address ? [] : [`settings.${name}`],
  );
  return paths.length === 0 ? undefined : { kind: 'another_destination', paths };
}

/** Returns the stored secrets, if the request has a use for them and there is no obstacle. */
export const kept = (
  providers: Providers,
  before: Connection | undefined,
  request: ConnectionRequest,
): ConnectionConfig['credentials'] =>
  before !== undefined && request.needed.length > 0 && obstacleTo(providers, before, request) === undefined
    ? before.config.credentials
    : undefined;

/**
 * Whether the request's refresh token begins a new grant. The one that began the present grant is most likely used by
 * now, and the request was sent again: its answer was lost, or a tool applies its configuration again. The grant then
 * goes on with its newest refresh token. Only a dead grant is begun again with the old one.
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
  const stored = request.credentials === undefined ? kept(providers, before, request) : undefined;
  const have = request.credentials === undefined ? stored?.names : Object.keys(request.credentials);
  const missing = request.needed.filter(({ name }) => !have?.includes(name));
  const faults = missing.map(({ path }) => ({
    path,
    message: `is missing, and ${noneStored(obstacle)}. Secrets are replaced together: give all of them`,
  }));
  const ends = request.secretEnds?.length;
  if (stored !== undefined && ends !== undefined && ends !== clientSecretsIn(stored))
    faults.push({
      path: 'client.client_secret_expires_at',
      message: ends === 2 ? 'must be one: one secret is stored' : 'must be a list of two: two secrets are stored',
    });
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
