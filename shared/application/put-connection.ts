/**
 * `PUT /connections/{connection}`: creates a connection or replaces its settings, and imports a grant if one is given.
 */

import { changesNothing } from '../domain/apply.ts';
import { withEnds } from '../domain/client-secrets.ts';
import type { Connection, ConnectionConfig, State } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import type { Destinations } from '../domain/destinations.ts';
import { dueShards } from '../domain/due-shards.ts';
import { beside, type Fault, type Parsed } from '../domain/fault.ts';
import {
  abandonGrant,
  create,
  firstPlace,
  type NewGrant,
  replaceConfig,
  replaceGrant,
} from '../domain/grant-writes.ts';
import { limits } from '../domain/limits.ts';
import type { Secret } from '../domain/secret.ts';
import { latest, plus } from '../domain/time.ts';
import type { Write } from '../domain/writes.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type {
  ConnectionDraft,
  ConnectionRequest,
  ConnectionRequests,
  ParsedRequest,
} from '../ports/connection-requests.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import type { CredentialStore, Credentials } from '../ports/credentials.ts';
import type { Discovery } from '../ports/discovery.ts';
import type { Providers } from '../ports/providers.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { ImportedRefreshTokens } from '../ports/refresh-tokens.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { type ClaimRefused, type ClaimWorld, claimGrant, claimHeld, giveBack } from './claim-grant.ts';
import { faultsAgainst, imports, kept, meantBy, obstacleTo } from './kept-secrets.ts';
import { forgotten, formerForgotten } from './memories.ts';
import { requestRefresh } from './request-refresh.ts';
import { sideBySide } from './side-by-side.ts';

export interface ConnectionsWorld extends ClaimWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: ConnectionStore;
  readonly refreshTokens: ImportedRefreshTokens;
  readonly credentials: CredentialStore;
  readonly requests: Pick<ConnectionRequests, 'complete'>;
  readonly discovery: Discovery;
  readonly queue: RefreshQueue;
  readonly telemetry: Telemetry;
}

export type PutResult =
  | { readonly kind: 'created' | 'replaced'; readonly item: Connection; readonly generationBefore: number | undefined }
  | { readonly kind: 'invalid'; readonly faults: readonly Fault[] }
  /** Nothing was changed. */
  | ClaimRefused
  /** Refreshes kept changing the connection while it was written; nothing was changed. */
  | { readonly kind: 'conflict' }
  /** The connection of this name is being deleted; nothing was changed. */
  | { readonly kind: 'deleting' };

/**
 * Discovers the endpoints that the request leaves to its issuer, then writes the connection. Secrets are stored before
 * the item that points to them: whatever crashes, the item never points to nothing. Throws `Unavailable`.
 */
export async function putConnection(
  world: ConnectionsWorld,
  connection: ConnectionName,
  request: ConnectionRequest,
): Promise<PutResult> {
  const completed = await discovered(world, request);
  if (completed.ok) return putCompleted(world, connection, completed.value);
  const { faults } = completed;
  return { kind: 'invalid', faults: [...faults, ...(await faultsInView(world, connection, { request }, faults))] };
}

/**
 * Returns what is wrong with a request that has faults, beside those: at its issuer, and in view of what is stored for
 * the connection, if it has a name. Throws `Unavailable`.
 */
export async function faultsBeside(
  world: ConnectionsWorld,
  connection: ConnectionName | undefined,
  parsed: ParsedRequest,
  known: readonly Fault[],
): Promise<readonly Fault[]> {
  const sound = parsed.ok ? { request: parsed.value, open: [] } : parsed.draft;
  if (sound === undefined) return [];
  const { request, open } = sound;
  const completed = await discovered(world, request);
  const draft = completed.ok ? { request: completed.value, open } : { request };
  const told = completed.ok ? [] : completed.faults;
  return [...told, ...(await faultsInView(world, connection, draft, [...known, ...told]))];
}

/** Where the issuer tells no endpoints, every setting is open. */
async function faultsInView(
  { store, providers }: Pick<ConnectionsWorld, 'store' | 'providers'>,
  connection: ConnectionName | undefined,
  { request, open }: Omit<ConnectionDraft, 'open'> & Partial<ConnectionDraft>,
  known: readonly Fault[],
): Promise<readonly Fault[]> {
  const before = connection && (await store.read(connection));
  const meant =
    before === undefined ? request : meantBy({ request, open: open ?? Object.keys(before.config.settings) }, before);
  return beside(known, faultsAgainst(providers, before, meant));
}

/** Asks the authorization server that the request names by its issuer, if it names one. */
async function discovered(
  { discovery, requests }: Pick<ConnectionsWorld, 'discovery' | 'requests'>,
  request: ConnectionRequest,
): Promise<Parsed<ConnectionRequest>> {
  const { issuer } = request;
  if (issuer === undefined) return { ok: true, value: request };
  const answer = await discovery.discover(issuer.value);
  return answer.kind === 'fault'
    ? { ok: false, faults: [{ path: issuer.path, message: answer.message }] }
    : requests.complete(request, answer.metadata);
}

async function putCompleted(
  world: ConnectionsWorld,
  connection: ConnectionName,
  request: ConnectionRequest,
): Promise<PutResult> {
  const { chance, store } = world;
  const grantId = chance.grantId();
  const given = request.credentials && { versionId: chance.id(), names: Object.keys(request.credentials) };
  const { grantKey: key, importDigest, destinations } = world.providers.of(request.config);
  let stored = nothingStored;
  for (let attempt = 0; attempt < limits.putTries; attempt += 1) {
    const before = await store.read(connection);
    if (before?.deletion !== undefined) return { kind: 'deleting' };
    const faults = faultsAgainst(world.providers, before, request);
    if (faults.length > 0) return { kind: 'invalid', faults };
    // Claimed anew for each look at the connection: another PUT gives back only the very claim that it saw.
    const refused = key && (await claimGrant(world, connection, key));
    if (refused !== undefined) return refused;
    const formerKey = before && world.providers.of(before.config).grantKey;
    const left =
      formerKey !== undefined && formerKey !== key ? await claimHeld(world, connection, formerKey) : undefined;
    const imported = imports(world.providers, before, request) ? request.refreshToken : undefined;
    const grant: NewGrant =
      imported === undefined
        ? { id: grantId, place: undefined }
        : { id: grantId, place: firstPlace(grantId), importDigest: importDigest(connection, imported) };
    // A deletion takes the stored secrets with it. Where the item is gone, they are stored again.
    stored = await storeSecrets(world, connection, before === undefined ? nothingStored : stored, {
      credentials: request.credentials,
      given,
      imported,
      grant,
      isFirst: before === undefined,
      destinations,
    });
    const credentials = given ?? kept(world.providers, before, request);
    const config: ConnectionConfig = {
      ...request.config,
      ...(credentials && { credentials: withEnds(credentials, request.secretEnds) }),
    };
    const written = await write(world, connection, before, config, request, grant);
    if (written !== undefined) {
      const { item, changed } = written;
      if (formerKey !== undefined && left !== undefined) await giveBack(world, formerKey, left);
      world.telemetry.info('connection_put', {
        connection,
        provider: config.provider,
        created: before === undefined,
        imported: imported !== undefined,
        ...(item.changed && { changed: item.changed.paths }),
      });
      // The refresher tells subscribers at once, and fetches the first token of a connection that is always renewed.
      if (changed) await requestRefresh(world, connection);
      if (before?.grant.id !== item.grant.id) await forgotten(world, before);
      else if (request.refreshToken !== undefined) await formerForgotten(world);
      return { kind: before === undefined ? 'created' : 'replaced', item, generationBefore: before?.generation };
    }
  }
  return { kind: 'conflict' };
}

/** Which of a request's secrets are in the store: each goes there once, however often the connection is looked at. */
interface Stored {
  readonly credentials: boolean;
  readonly refreshToken: boolean;
}

const nothingStored: Stored = { credentials: false, refreshToken: false };

interface ToStore {
  readonly credentials: Credentials | undefined;
  readonly given: ConnectionConfig['credentials'];
  readonly imported: Secret | undefined;
  readonly grant: NewGrant;
  /** The connection is new, and most likely has no secrets yet. */
  readonly isFirst: boolean;
  readonly destinations: Destinations;
}

async function storeSecrets(
  world: ConnectionsWorld,
  connection: ConnectionName,
  stored: Stored,
  { credentials, given, imported, grant: { place }, isFirst, destinations }: ToStore,
): Promise<Stored> {
  const storeCredentials = async (): Promise<void> => {
    if (!stored.credentials && credentials !== undefined && given !== undefined)
      await world.credentials.store(connection, given.versionId, credentials, destinations, isFirst);
  };
  const storeRefreshToken = async (): Promise<boolean> => {
    if (stored.refreshToken || imported === undefined || place === undefined) return stored.refreshToken;
    await world.refreshTokens.storeRefreshToken(
      connection,
      place.slot,
      place.versionId,
      imported,
      destinations,
      isFirst,
    );
    return true;
  };
  const [, refreshToken] = await sideBySide(storeCredentials(), storeRefreshToken());
  return { credentials: true, refreshToken };
}

/** Returns the item as written, or as it is if there was nothing to write; undefined if it was changed meanwhile. */
async function write(
  { clock, chance, store, providers }: ConnectionsWorld,
  connection: ConnectionName,
  before: Connection | undefined,
  config: ConnectionConfig,
  request: ConnectionRequest,
  grant: NewGrant,
): Promise<{ readonly item: Connection; readonly changed: boolean } | undefined> {
  const now = clock.now();
  if (before === undefined) {
    const authorized = grant.place !== undefined || request.grant !== 'refresh_token';
    const state: State = authorized ? 'active' : 'reauthorization_required';
    const shard = dueShards[Math.floor(chance.next() * dueShards.length)] ?? '0';
    const item = create(connection, config, shard, now, state, grant);
    return (await store.create(item)) ? { item, changed: true } : undefined;
  }
  // Later than the last PUT, so that the instant tells a change of settings between the look and the write.
  const replacedAt = latest(now, plus(before.configuredAt, 1));
  const replacing = change(providers, before, config, request, grant, replacedAt);
  // A tool that applies its configuration again and again changes nothing by it.
  if (changesNothing(replacing, before, ['configuredAt', 'dueAt'])) return { item: before, changed: false };
  const { applied, item } = await store.apply(connection, replacing);
  return applied ? { item, changed: true } : undefined;
}

function change(
  providers: Providers,
  before: Connection,
  config: ConnectionConfig,
  request: ConnectionRequest,
  grant: NewGrant,
  now: Connection['createdAt'],
): Write {
  if (grant.place !== undefined) return replaceGrant(before, config, now, grant);
  const obstacle = obstacleTo(providers, before, request);
  if (request.grant === 'refresh_token' && obstacle !== undefined) return abandonGrant(before, config, now, grant.id);
  // A grant that needs no login can begin again at once, and nothing is lost by it. A token of the old client, or a
  // replaced key, must not be served, not even from an environment that remembers it (`forgotten`).
  const replaced = request.grant === 'static' && request.credentials !== undefined;
  const anew = replaced || before.state === 'reauthorization_required' || obstacle?.kind === 'another_owner';
  if (request.grant !== 'refresh_token' && anew) return replaceGrant(before, config, now, grant);
  return replaceConfig(before, config, now);
}
