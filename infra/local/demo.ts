import * as v from 'valibot';
import type { AuthorizationServer } from './authorization-server.ts';
import type { SignedFetch } from './signed-fetch.ts';

export const demoConnection = 'demo';

const Description = v.object({ settings: v.object({ token_endpoint: v.optional(v.string()) }) });

/** Connects the newcomer's connection with a fresh grant, through the API like anybody else, unless it is connected already. Throws if the API refuses. */
export async function connectDemo(fetch: SignedFetch, { tokenEndpoint, client, issueRefreshToken }: AuthorizationServer): Promise<void> {
  const path = `/connections/${demoConnection}`;
  const existing = await fetch(path);
  if (existing.ok) {
    const description = v.safeParse(Description, await existing.json());
    // A provider that came up on another port than last time has to be told to the connection.
    if (description.success && description.output.settings.token_endpoint === tokenEndpoint) return;
  }
  const connected = await fetch(path, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      provider: 'generic-oauth2',
      settings: { token_endpoint: tokenEndpoint, client_authentication: 'client_secret_basic' },
      client: { client_id: client.clientId, client_secret: client.clientSecret },
      refresh_token: await issueRefreshToken(),
      renewal: 'always',
    }),
  });
  if (!connected.ok) throw new Error(`PUT ${path} answered ${connected.status}: ${await connected.text()}`);
  // Asking is what brings the first access token; by itself the planner would come to it within a minute.
  const token = await fetch(`/token/${demoConnection}`);
  await token.body?.cancel();
}
