/** `PUT /connections/{connection}`: creates a connection or replaces its settings, and imports a grant if one is given. */

import type { Connection, ConnectionConfig, ConnectionName, Secret, State } from '../domain/types.ts';
import { versionIdOf } from '../domain/types.ts';
import { create, type Grant, replaceConfig, replaceGrant, type Write } from '../domain/writes.ts';
import type { Chance, ClientSecretStore, Clock, ConnectionStore, ImportedRefreshTokens, Telemetry } from '../ports/index.ts';
import { dueShards } from './plan.ts';

export interface ConnectionsWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: ConnectionStore;
  readonly refreshTokens: ImportedRefreshTokens;
  readonly clientSecrets: ClientSecretStore;
  readonly telemetry: Telemetry;
}

/** A request whose form is right (`providers/validate.ts`). */
export interface ConnectionRequest {
  /** Without `clientSecretVersionId`, which is ours to give. */
  readonly config: ConnectionConfig;
  readonly grant: 'refresh_token' | 'client_credentials';
  /** What a grant is bound to: provider, token endpoint and client. A grant cannot be carried over to another. */
  readonly identityOf: (config: ConnectionConfig) => string;
  readonly needsClientSecret: boolean;
  readonly clientSecret?: Secret;
  readonly refreshToken?: Secret;
}

export type PutResult =
  | { readonly kind: 'created' | 'replaced'; readonly item: Connection }
  | { readonly kind: 'invalid'; readonly faults: readonly { readonly path: string; readonly message: string }[] }
  /** Refreshes kept changing the connection while it was written; nothing was changed. */
  | { readonly kind: 'conflict' };

const tries = 5;
/** Attempts have fencing tokens from 1; an imported refresh token is stored under this one. */
const importFence = 0;

/** Secrets are stored before the item that points to them: whatever crashes, the item never points to nothing. Throws `Unavailable`. */
export async function putConnection(world: ConnectionsWorld, connection: ConnectionName, request: ConnectionRequest): Promise<PutResult> {
  const { chance, store } = world;
  const grantId = chance.grantId();
  const secretVersionId = request.clientSecret === undefined ? undefined : chance.id();
  let stored = false;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const before = await store.read(connection);
    const faults = faultsAgainst(before, request);
    if (faults.length > 0) return { kind: 'invalid', faults };
    if (!stored) await storeSecrets(world, connection, request, grantId, secretVersionId);
    stored = true;
    const versionId = secretVersionId ?? keptSecret(before, request);
    const config: ConnectionConfig = { ...request.config, ...(versionId === undefined ? {} : { clientSecretVersionId: versionId }) };
    const item = await write(world, connection, before, config, request, grantId);
    if (item !== undefined) {
      world.telemetry.info('connection_put', {
        connection,
        provider: config.provider,
        created: before === undefined,
        imported: request.refreshToken !== undefined,
      });
      return { kind: before === undefined ? 'created' : 'replaced', item };
    }
  }
  return { kind: 'conflict' };
}

const sameIdentity = (before: Connection | undefined, { config, identityOf }: ConnectionRequest): boolean =>
  before !== undefined && identityOf(before.config) === identityOf(config);

/** The client secret stays when the client does and none is sent: nobody can read it back to send it again. */
const keptSecret = (before: Connection | undefined, request: ConnectionRequest): string | undefined =>
  request.needsClientSecret && sameIdentity(before, request) ? before?.config.clientSecretVersionId : undefined;

function faultsAgainst(before: Connection | undefined, request: ConnectionRequest) {
  const faults: { path: string; message: string }[] = [];
  if (request.needsClientSecret && request.clientSecret === undefined && keptSecret(before, request) === undefined) {
    faults.push({ path: 'client.client_secret', message: 'is missing: this client authenticates with a secret, and none is stored for it' });
  }
  if (before === undefined || request.grant !== 'refresh_token' || request.refreshToken !== undefined) return faults;
  if (before.refreshToken === undefined && before.state !== 'reauthorization_required') {
    faults.push({ path: 'refresh_token', message: 'is missing: the connection was one by client credentials, so none is stored for it' });
  }
  if (before.refreshToken !== undefined && !sameIdentity(before, request)) {
    faults.push({ path: 'refresh_token', message: 'is missing: the stored one belongs to another provider, token endpoint or client than this request names' });
  }
  return faults;
}

async function storeSecrets(
  world: ConnectionsWorld,
  connection: ConnectionName,
  request: ConnectionRequest,
  grantId: string,
  secretVersionId: string | undefined,
): Promise<void> {
  if (request.clientSecret !== undefined && secretVersionId !== undefined) {
    await world.clientSecrets.store(connection, secretVersionId, request.clientSecret);
  }
  if (request.refreshToken !== undefined) await world.refreshTokens.storeRefreshToken(connection, 0, versionIdOf(grantId, importFence), request.refreshToken);
}

/** Returns the item as written, or undefined if it was changed since it was read. */
async function write(
  { clock, chance, store }: ConnectionsWorld,
  connection: ConnectionName,
  before: Connection | undefined,
  config: ConnectionConfig,
  request: ConnectionRequest,
  grantId: string,
): Promise<Connection | undefined> {
  const now = clock.now();
  const place = request.refreshToken === undefined ? undefined : { slot: 0, versionId: versionIdOf(grantId, importFence) };
  const grant: Grant = { grantId, place };
  if (before === undefined) {
    const authorized = place !== undefined || request.grant === 'client_credentials';
    const state: State = authorized ? 'active' : 'reauthorization_required';
    const shard = dueShards[Math.floor(chance.next() * dueShards.length)] ?? '0';
    const item = create(connection, config, shard, now, state, grant);
    return (await store.create(item)) ? item : undefined;
  }
  const { applied, item } = await store.apply(connection, change(before, config, request, grant, now));
  return applied ? item : undefined;
}

function change(before: Connection, config: ConnectionConfig, request: ConnectionRequest, grant: Grant, now: Connection['createdAt']): Write {
  if (grant.place !== undefined) return replaceGrant(before, config, now, grant);
  // Client credentials wait for nobody, and there is nothing in them to lose: a token of the old client must not be served for the new one.
  const anew = before.state === 'reauthorization_required' || !sameIdentity(before, request);
  if (request.grant === 'client_credentials' && anew) return replaceGrant(before, config, now, grant);
  return replaceConfig(before, config, now);
}
