/** The newcomer's connection, and the provider that it is connected to. */
import * as v from 'valibot';
import type { SignedFetch } from '../platform/signed-fetch.ts';
import type { DemoOptions, DemoProvider } from './demo-provider.ts';
import { type DemoProviderName, demoProviders } from './index.ts';

export type { DemoGrant, DemoProvider } from './demo-provider.ts';

/** Starts a provider by its name. */
export const startDemoProvider = (name: DemoProviderName, options: DemoOptions): Promise<DemoProvider> =>
  demoProviders[name].start(options);

export const demoConnection = 'demo';

const Description = v.object({ provider: v.string(), settings: v.object({ token_endpoint: v.optional(v.string()) }) });

/**
 * Connects the newcomer's connection with a fresh grant, through the API as every client does, unless it is connected
 * already. Throws if the API refuses.
 */
export async function connectDemo(fetch: SignedFetch, { connection, issueRefreshToken }: DemoProvider): Promise<void> {
  const path = `/connections/${demoConnection}`;
  if (await isConnected(fetch, path, connection)) return;
  const connected = await fetch(path, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...connection,
      ...(issueRefreshToken && { refresh_token: await issueRefreshToken() }),
      renewal: 'always',
    }),
  });
  if (!connected.ok) throw new Error(`PUT ${path} answered ${connected.status}: ${await connected.text()}`);
  // Asking is what brings the first access token; by itself the planner would come to it within a minute.
  const token = await fetch(`/token/${demoConnection}`);
  await token.body?.cancel();
}

/**
 * A provider that came up on another port than last time has to be told to the connection; one that is never called
 * keeps nothing.
 */
async function isConnected(
  fetch: SignedFetch,
  path: string,
  { provider, settings }: DemoProvider['connection'],
): Promise<boolean> {
  const existing = await fetch(path);
  const { success, output } = v.safeParse(Description, await existing.json());
  return (
    success &&
    output.provider === provider &&
    settings.token_endpoint !== undefined &&
    output.settings.token_endpoint === settings.token_endpoint
  );
}
