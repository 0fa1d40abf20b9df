/** How the broker is connected to the canary: the body of a PUT. */
import { limits } from '../domain/limits.ts';

export interface CanaryConnection {
  readonly provider: 'generic-oauth2';
  readonly settings: Readonly<Record<string, string>>;
  readonly client: { readonly client_id: string; readonly client_secret: string };
  readonly refresh_token: string;
  readonly renewal: 'always';
  readonly margin_seconds: number;
  readonly verify: true;
}

/** The name of the connection. */
export const canaryConnection = 'canary';

/**
 * Returns the connection to a grant. Its margin is a fifth of a token's life, where that is allowed: long enough for
 * each fault to pass before the token ends.
 */
export const connectionTo = (
  tokenEndpoint: string,
  lifetimeMs: number,
  { client, secret }: { readonly client: string; readonly secret: string },
  refreshToken: string,
): CanaryConnection => ({
  provider: 'generic-oauth2',
  settings: {
    token_endpoint: tokenEndpoint,
    client_authentication: 'client_secret_post',
    refresh_token_rotation: 'until_successor_used',
  },
  client: { client_id: client, client_secret: secret },
  refresh_token: refreshToken,
  renewal: 'always',
  margin_seconds: Math.max(limits.marginSeconds.least, Math.floor(lifetimeMs / 5_000)),
  verify: true,
});
