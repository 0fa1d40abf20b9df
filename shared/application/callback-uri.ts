/** Where providers send browsers back to after a login. */
import type { Connection } from '../domain/connection.ts';

/** The one for every connection that is put with `"callback": "shared"`; each other connection has its own below it. */
export const callbackPath = '/oauth/callback';

/**
 * Returns the redirect URI of a connection. Each has its own, so that a provider cannot pass off another one's code as
 * its answer (mix-up, RFC 9700 §4.4).
 */
export const callbackUriOf = (
  { connection, config }: Pick<Connection, 'connection' | 'config'>,
  apiUrl: string,
): string => `${apiUrl}${callbackPath}${config.callback === 'shared' ? '' : `/${connection}`}`;
