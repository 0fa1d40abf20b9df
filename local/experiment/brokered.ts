/**
 * A worker on the broker: it asks for the token, uses it until the broker says it is time to ask again, and knows no
 * secret.
 */
import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import type { SignedFetch } from '../platform/signed-fetch.ts';
import type { ExactOnline } from '../simulators/exact-online.ts';
import { callApi, type Sender } from './sender.ts';

const Token = v.object({ access_token: v.string(), refresh_after: v.pipe(v.string(), v.isoTimestamp()) });
const Description = v.object({ state: v.string() });

/**
 * Connects a grant that was made long enough ago to be renewed, and waits for its first access token. Throws if the
 * broker refuses.
 */
export async function connect(
  fetch: SignedFetch,
  connection: string,
  exact: ExactOnline,
  seconds: { readonly lifetime: number; readonly minTokenAge: number },
): Promise<void> {
  const { client, tokenEndpoint } = exact;
  const body = {
    // Not the preset `exact-online`, whose 574 s hold at Exact's own speed.
    provider: 'generic-oauth2',
    settings: {
      token_endpoint: tokenEndpoint,
      client_authentication: 'client_secret_post',
      refresh_token_rotation: 'single_use',
      lifetime_seconds: seconds.lifetime,
      min_token_age_seconds: seconds.minTokenAge,
    },
    client: { client_id: client.clientId, client_secret: client.clientSecret },
    refresh_token: exact.authorize({ secondsAgo: 600 }).refreshToken,
    renewal: 'always',
  };
  const put = await fetch(`/connections/${connection}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!put.ok) throw new Error(`PUT /connections/${connection} answered ${put.status}: ${await put.text()}`);
  await untilServed(fetch, connection);
}

/** Asks until there is a token, as often as the broker says. The functions start cold, perhaps on a busy machine. */
async function untilServed(fetch: SignedFetch, connection: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const token = await fetch(tokenPath(connection));
    const body = await token.text();
    if (token.ok) return;
    if (token.status !== 503 || tries === 4)
      throw new Error(`GET ${tokenPath(connection)} answered ${token.status}: ${body}`);
    await setTimeout(Number(token.headers.get('retry-after')) * 1_000);
  }
}

export function brokeredSender(fetch: SignedFetch, connection: string, exact: ExactOnline): Sender {
  let token: { readonly accessToken: string; readonly refreshAfter: number } | undefined;
  return async () => {
    if (token === undefined || Date.now() >= token.refreshAfter) {
      const { access_token, refresh_after } = v.parse(Token, await (await fetch(tokenPath(connection))).json());
      token = { accessToken: access_token, refreshAfter: Date.parse(refresh_after) };
    }
    return (await callApi(exact, token.accessToken)) === 200;
  };
}

/** Whether a person has to log in again. */
export async function isLost(fetch: SignedFetch, connection: string): Promise<boolean> {
  const { state } = v.parse(Description, await (await fetch(`/connections/${connection}`)).json());
  return state !== 'active';
}

/** The shortest life that may be asked for: here, a quarter of a token's. */
const tokenPath = (connection: string): string => `/token/${connection}?min_ttl=5`;
