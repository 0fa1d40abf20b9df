import * as v from 'valibot';
import { type AuthorizationServer, type AuthorizationServerOptions, startAuthorizationServer } from './authorization-server.ts';
import { startClock } from './providers/clock.ts';
import { startExactOnline } from './providers/exact-online.ts';
import type { SignedFetch } from './signed-fetch.ts';

/** A provider to connect the newcomer's connection to. */
export interface DemoProvider extends Omit<AuthorizationServer, 'issuer' | 'authorizationEndpoint' | 'revocationEndpoint'> {
  readonly url: string;
  /** How its tokens are, as the beginning of a sentence. */
  readonly title: string;
  /** What the connection says of it, besides where it is. */
  readonly preset: { readonly provider: string; readonly settings: Readonly<Record<string, string>> };
}

/** Starts a provider by its name. */
export async function startDemoProvider(name: 'oidc-provider' | 'exact-online', options: AuthorizationServerOptions): Promise<DemoProvider> {
  if (name === 'exact-online') return startDemoExactOnline(options);
  const server = await startAuthorizationServer(options);
  const { authorizationEndpoint, revocationEndpoint } = server;
  const endpoints = { authorization_endpoint: authorizationEndpoint, revocation_endpoint: revocationEndpoint };
  const preset = { provider: 'generic-oauth2', settings: { client_authentication: 'client_secret_basic', ...endpoints, scope: 'openid offline_access' } };
  return { ...server, url: server.issuer, title: 'An authorization server with 60-second access tokens', preset };
}

/** It keeps nothing: at the next start it listens on another port, and the connection gets a fresh grant. */
async function startDemoExactOnline({ onTokenCall }: AuthorizationServerOptions): Promise<DemoProvider> {
  const exact = await startExactOnline({
    clock: startClock(),
    onCall({ at, path, status, error }) {
      if (path === '/api/oauth2/token') onTokenCall?.({ at: new Date(at), grantType: 'refresh_token', status, ...(error !== undefined && { error }) });
    },
  });
  return {
    ...exact,
    title: 'A simulator of Exact Online (tokens live 600 s and may be renewed after 570 s)',
    preset: { provider: 'exact-online', settings: {} },
    // As if somebody had consented ten minutes ago: a younger grant may not be renewed yet.
    issueRefreshToken: async () => exact.authorize({ secondsAgo: 600 }).refreshToken,
  };
}

export const demoConnection = 'demo';

const Description = v.object({ settings: v.object({ token_endpoint: v.optional(v.string()) }) });

/** Connects the newcomer's connection with a fresh grant, through the API like anybody else, unless it is connected already. Throws if the API refuses. */
export async function connectDemo(fetch: SignedFetch, { tokenEndpoint, client, issueRefreshToken, preset }: DemoProvider): Promise<void> {
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
      provider: preset.provider,
      settings: { ...preset.settings, token_endpoint: tokenEndpoint },
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
