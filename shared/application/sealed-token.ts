/** What is sealed of a token set: the access token, and with it whatever else only a client may see. */

import { type Destinations, misdirection } from '../domain/destinations.ts';
import { Secret } from '../domain/secret.ts';
import type { Companions, TokenSet } from '../domain/token-set.ts';
import { Misdirected } from '../ports/errors.ts';

export type OpenedToken = Pick<TokenSet, 'accessToken' | 'companions'>;

/**
 * The access token alone is sealed as it is, so most sealed texts are a token and nothing else. One that could be taken
 * for JSON is wrapped.
 */
export function sealedTextOf({ accessToken, companions = {} }: OpenedToken): Secret {
  const { secrets, endpoint } = companions;
  if (secrets === undefined && endpoint === undefined && !accessToken.reveal().startsWith('{')) return accessToken;
  const texts = secrets && Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]));
  return new Secret(JSON.stringify({ access_token: accessToken.reveal(), secrets: texts, endpoint }));
}

/** What is sealed of a refresh token where no secret takes it: with its destinations, as in a secret. */
export const sealedRefreshToken = (refreshToken: Secret, destinations: Destinations): Secret =>
  new Secret(JSON.stringify({ refresh_token: refreshToken.reveal(), for: destinations }));

/** The refresh token that was sealed. Throws `Misdirected` if it was for other destinations. */
export function openedRefreshToken(text: Secret, destinations: Destinations): Secret {
  const { refresh_token, for: named } = JSON.parse(text.reveal()) as { refresh_token: string; for: Destinations };
  const wrong = misdirection(named, destinations);
  if (wrong !== undefined) throw new Misdirected(wrong);
  return new Secret(refresh_token);
}

/** What was sealed. The seal vouches that the text is ours. */
export function openedTextOf(text: Secret): OpenedToken {
  if (!text.reveal().startsWith('{')) return { accessToken: text };
  const { access_token, secrets, endpoint } = JSON.parse(text.reveal()) as {
    access_token: string;
    secrets?: Record<string, string>;
    endpoint?: string;
  };
  const companions: Companions = {
    ...(secrets && {
      secrets: Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)])),
    }),
    ...(endpoint !== undefined && { endpoint }),
  };
  return { accessToken: new Secret(access_token), companions };
}
