/** `POST /connections/{connection}/authorizations`: a link to open in a browser, good for one login. */
import { type Asked, offerAuthorization } from '../domain/authorization-writes.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import { limits } from '../domain/limits.ts';
import { type EpochMs, iso, plus } from '../domain/time.ts';
import type { AuthorizationServer, NotAuthorizable } from '../ports/authorization-server.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import type { StateSealer } from '../ports/state-sealer.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { type ClaimRefused, type ClaimWorld, claimGrant } from './claim-grant.ts';

export interface AuthorizeWorld extends ClaimWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: ConnectionStore;
  readonly states: StateSealer;
  readonly authorizationServer: AuthorizationServer;
  readonly telemetry: Telemetry;
}

export type Authorization =
  | { readonly kind: 'offered'; readonly authorizeUrl: URL; readonly expiresAt: EpochMs }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'not_authorizable'; readonly reason: NotAuthorizable }
  /** The connection's preset is gone, or its settings do not fit it any more. */
  | { readonly kind: 'outdated' }
  | ClaimRefused
  /** The grant or the settings were replaced at the same moment. */
  | { readonly kind: 'conflict' };

/** The grant that there is stays in use until the new one is in hand. Throws `Unavailable`. */
export async function authorize(
  world: AuthorizeWorld,
  connection: ConnectionName,
  redirectUri: string,
): Promise<Authorization> {
  const { clock, chance, store, states, authorizationServer } = world;
  const item = await store.read(connection);
  if (item === undefined || item.deletion !== undefined) return { kind: 'not_found' };
  const provider = world.providers.of(item.config);
  if (provider.rules === undefined) return { kind: 'outdated' };
  const asked: Asked = { grantId: item.grant.id, configuredAt: item.configuredAt };
  const id = chance.id();
  const expiresAt = plus(clock.now(), limits.authorizationMs);
  const codeVerifier = authorizationServer.newCodeVerifier();
  const state = await states.seal({ id, connection, ...asked, redirectUri, codeVerifier, expiresAt });
  const authorizeUrl = await authorizationServer.authorizeUrl(item.config, { state, redirectUri, codeVerifier });
  if (!(authorizeUrl instanceof URL)) return { kind: 'not_authorizable', reason: authorizeUrl };
  // Its PUT claimed the grant, unless that was before there were claims.
  const key = provider.grantKey;
  const refused = key && (await claimGrant(world, connection, key));
  if (refused !== undefined) return refused;
  const { applied } = await store.apply(connection, offerAuthorization(asked, { id }));
  if (!applied) return { kind: 'conflict' };
  world.telemetry.info('authorization_offered', {
    connection,
    provider: item.config.provider,
    expiresAt: iso(expiresAt),
  });
  return { kind: 'offered', authorizeUrl, expiresAt };
}
