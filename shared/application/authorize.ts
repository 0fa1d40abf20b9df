/**
 * `POST` and `DELETE /connections/{connection}/authorizations`: a link to a page of ours that leads to a login, and its
 * end.
 */
import { offerAuthorization, withdrawAuthorization } from '../domain/authorization-writes.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import { type EpochMs, iso, plus } from '../domain/time.ts';
import type { AuthorizationServer, NotAuthorizable } from '../ports/authorization-server.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import type { LoginSealer } from '../ports/login-sealer.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { type ClaimRefused, type ClaimWorld, claimGrant } from './claim-grant.ts';

export interface AuthorizeWorld extends ClaimWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: ConnectionStore;
  readonly logins: LoginSealer;
  readonly authorizationServer: AuthorizationServer;
  readonly telemetry: Telemetry;
}

interface AuthorizeRequest {
  /** How long the link is to be good. */
  readonly lifeMs: number;
  /** The principal who asks, if API Gateway names one. */
  readonly askedBy?: string | undefined;
}

export type Authorization =
  /** `link`: what the page is asked for with. */
  | { readonly kind: 'offered'; readonly link: string; readonly expiresAt: EpochMs }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'not_authorizable'; readonly reason: NotAuthorizable }
  /** The connection's preset is gone, or its settings do not fit it any more. */
  | { readonly kind: 'outdated' }
  | ClaimRefused
  /** The grant or the settings were replaced at the same moment. */
  | { readonly kind: 'conflict' };

/** Ends the link before it, if there is one. The grant that there is stays in use. Throws `Unavailable`. */
export async function authorize(
  world: AuthorizeWorld,
  connection: ConnectionName,
  { lifeMs, askedBy }: AuthorizeRequest,
): Promise<Authorization> {
  const { clock, chance, store, logins, authorizationServer } = world;
  const item = await store.read(connection);
  if (item === undefined || item.deletion !== undefined) return { kind: 'not_found' };
  const provider = world.providers.of(item.config);
  if (provider.rules === undefined) return { kind: 'outdated' };
  const obstacle = authorizationServer.obstacleTo(item.config);
  if (obstacle !== undefined) return { kind: 'not_authorizable', reason: obstacle };
  const asked = { grantId: item.grant.id, configuredAt: item.configuredAt };
  const id = chance.id();
  const expiresAt = plus(clock.now(), lifeMs);
  const link = await logins.sealLink({ id, connection });
  // Its PUT claimed the grant, unless that was before there were claims.
  const key = provider.grantKey;
  const refused = key && (await claimGrant(world, connection, key));
  if (refused !== undefined) return refused;
  const offer = offerAuthorization({ id, ...asked, expiresAt, ...(askedBy !== undefined && { askedBy }) });
  if (!(await store.apply(connection, offer)).applied) return { kind: 'conflict' };
  world.telemetry.info('authorization_offered', {
    connection,
    provider: item.config.provider,
    askedBy,
    expiresAt: iso(expiresAt),
  });
  return { kind: 'offered', link, expiresAt };
}

/** Ends the link that there is, if there is one; false if there is no such connection. Throws `Unavailable`. */
export async function withdraw(
  { store, telemetry }: Pick<AuthorizeWorld, 'store' | 'telemetry'>,
  connection: ConnectionName,
): Promise<boolean> {
  const { applied } = await store.apply(connection, withdrawAuthorization());
  if (applied) telemetry.info('authorization_withdrawn', { connection });
  return applied;
}
