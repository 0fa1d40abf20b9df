/**
 * `GET /connect/{connection}`: the page between a link and a login. It changes nothing: scanners and prefetching
 * browsers open links, too.
 */
import { type LinkState, linkStateOf } from '../domain/authorization-writes.ts';
import type { Connection } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import type { EpochMs } from '../domain/time.ts';
import type { AuthorizeWorld } from './authorize.ts';
import { callbackUriOf } from './callback-uri.ts';

interface OpenedLink {
  readonly connection: ConnectionName;
  /** The `link` of the query. */
  readonly link: string;
  /** What an earlier page set as a cookie in this browser: a UUID, if there is one. */
  readonly browser: string | undefined;
  /** Where browsers reach this API. */
  readonly apiUrl: string;
}

/** What a person is told of a connection. */
export interface About {
  readonly connection: ConnectionName;
  readonly title: string;
  readonly account?: string;
}

export type LinkPage =
  | {
      readonly kind: 'good';
      readonly about: About;
      readonly authorizeUrl: URL;
      readonly expiresAt: EpochMs;
      readonly askedBy?: string;
      /** For the cookie of this browser: the login is good in it alone. */
      readonly browser: string;
    }
  | { readonly kind: 'unknown_link' }
  | {
      readonly kind: 'link_expired' | 'link_used' | 'link_over' | 'already_connected' | 'not_possible';
      readonly about: About;
    };

/** Throws `Unavailable`. */
export async function openLink(
  world: Omit<AuthorizeWorld, 'claims'>,
  { connection, link, browser: known, apiUrl }: OpenedLink,
): Promise<LinkPage> {
  const { clock, chance, store, logins, authorizationServer } = world;
  const opened = await logins.openLink(link);
  if (opened === undefined || opened.connection !== connection) return { kind: 'unknown_link' };
  const item = await store.read(connection);
  if (item === undefined || item.deletion !== undefined) return { kind: 'unknown_link' };
  const { rules, title } = world.providers.of(item.config);
  const about = aboutOf(item, title);
  const state = linkStateOf(item, opened.id, clock.now());
  if (state.kind !== 'good') return { kind: kindOf(state), about };
  if (rules === undefined || authorizationServer.obstacleTo(item.config) !== undefined)
    return { kind: 'not_possible', about };
  const browser = known ?? chance.id();
  const { text, codeVerifier } = await logins.sealState({ id: opened.id, connection, browser });
  const redirectUri = callbackUriOf(item, apiUrl);
  const authorizeUrl = await authorizationServer.authorizeUrl(item.config, { state: text, redirectUri, codeVerifier });
  const { expiresAt, askedBy } = state.authorization;
  return { kind: 'good', about, authorizeUrl, expiresAt, ...(askedBy !== undefined && { askedBy }), browser };
}

export const aboutOf = ({ connection, config: { account } }: Connection, title: string): About => ({
  connection,
  title,
  ...(account !== undefined && { account }),
});

function kindOf(state: Exclude<LinkState, { kind: 'good' }>) {
  switch (state.kind) {
    case 'over':
      return 'link_over';
    case 'expired':
      return 'link_expired';
    case 'used':
      return state.outcome?.kind === 'connected' ? 'already_connected' : 'link_used';
  }
}
