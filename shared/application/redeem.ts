/**
 * `GET /oauth/callback`: redeems the code that a login brought. Whatever can fail without the provider is done before
 * the code is sent; a code is sent once, ever; and the grant that there is gives way only to one that is stored.
 */
import { authorized, isPending, redeemAuthorization } from '../domain/authorization-writes.ts';
import { type Connection, type Grant, type PlaceInSecret, versionIdOf } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import { firstPlace } from '../domain/grant-writes.ts';
import { type GrantId, nextFence } from '../domain/ids.ts';
import { limits } from '../domain/limits.ts';
import type { Outcome } from '../domain/outcome.ts';
import { Secret } from '../domain/secret.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import type { TokenSet } from '../domain/token-set.ts';
import type { AuthorizationResponse, CodeGrant } from '../ports/authorization-server.ts';
import type { CredentialStore } from '../ports/credentials.ts';
import { Unavailable } from '../ports/errors.ts';
import type { Provider } from '../ports/providers.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { ImportedRefreshTokens } from '../ports/refresh-tokens.ts';
import type { Sealer } from '../ports/sealer.ts';
import type { AuthorizationState } from '../ports/state-sealer.ts';
import type { AuthorizeWorld } from './authorize.ts';
import { forgotten } from './memories.ts';
import { outcomeOf } from './outcome-of.ts';
import { requestRefresh } from './request-refresh.ts';
import { sealedTextOf } from './sealed-token.ts';

export interface RedeemWorld extends AuthorizeWorld {
  readonly refreshTokens: ImportedRefreshTokens;
  readonly credentials: Pick<CredentialStore, 'read'>;
  readonly accessSealer: Sealer;
  readonly queue: RefreshQueue;
}

/** What happened, for the person in front of the browser. `description`: the provider's own words, fit to be shown. */
export type Redemption =
  /** No `state` of ours: nothing is known of what it was meant for. */
  | { readonly kind: 'unknown_link' }
  | {
      readonly kind:
        | 'connected'
        | 'link_expired'
        | 'link_used'
        | 'another_issuer'
        | 'malformed'
        | 'no_refresh_token'
        | 'changed_meanwhile';
      readonly connection: ConnectionName;
    }
  | {
      readonly kind: 'denied' | 'refused' | 'no_answer';
      readonly connection: ConnectionName;
      readonly code: string;
      readonly description?: string;
    };

/** Throws `Unavailable` if a store is out of reach until shortly before `deadline`. */
export async function redeem(world: RedeemWorld, parameters: URLSearchParams, deadline: EpochMs): Promise<Redemption> {
  const { clock, chance, store, states, authorizationServer, telemetry } = world;
  const text = parameters.get('state') ?? '';
  const state = await states.open(text);
  if (state === undefined) return { kind: 'unknown_link' };
  const { connection, id } = state;
  const told = (redemption: Redemption, provider?: string): Redemption => {
    const { kind, ...facts } = redemption;
    const fields = { connection, provider, ...facts };
    if (kind === 'connected') telemetry.info('authorized', fields);
    else telemetry.warn('authorization_failed', { reason: kind, ...fields });
    return redemption;
  };
  if (state.expiresAt <= clock.now()) return told({ kind: 'link_expired', connection });
  const item = await store.read(connection);
  if (item === undefined || !isPending(item, state, id)) return told({ kind: 'link_used', connection });
  const { provider } = item.config;
  const { identity, rules } = world.providers.of(item.config);
  // No login can be finished without the preset that it was begun with.
  if (rules === undefined) return told({ kind: 'changed_meanwhile', connection }, provider);
  const response = authorizationServer.readResponse(item.config, parameters, text);
  if (response.kind !== 'code') return told(refusalOf(connection, response), provider);

  const grant = await gather(world, item, state, response.parameters);
  const { applied } = await store.apply(connection, redeemAuthorization(item, state, id, chance.id(), clock.now()));
  if (!applied) return told({ kind: 'link_used', connection }, provider);
  const requestedAt = clock.now();
  const exchange = await authorizationServer.redeem(item.config, grant);
  const code = new Secret(grant.parameters.reveal().get('code') ?? '');
  const outcome = outcomeOf(
    rules,
    exchange,
    { requestedAt, receivedAt: clock.now() },
    { credentials: grant.credentials, others: [code, grant.codeVerifier] },
  );
  if (outcome.kind === 'failure') return told(failureOf(connection, outcome), provider);
  const values = valuesIn(parameters, rules.callbackValues);
  const kept = await keep(world, item, { id, tokens: outcome.tokens, identity, values }, deadline);
  // Subscribers are told at once.
  if (kept.kind === 'connected') {
    await requestRefresh(world, connection);
    await forgotten(world, item);
  }
  return told(kept, provider);
}

function refusalOf(connection: ConnectionName, response: Exclude<AuthorizationResponse, { kind: 'code' }>): Redemption {
  if (response.kind === 'unacceptable') return { kind: response.reason, connection };
  const { error: code, description } = response;
  return {
    kind: code === 'access_denied' ? 'denied' : 'refused',
    connection,
    code,
    ...(description && { description }),
  };
}

function failureOf(
  connection: ConnectionName,
  { class: meaning, code, status, description }: Extract<Outcome, { kind: 'failure' }>,
): Redemption {
  const kind = meaning === 'in_doubt' || status === undefined ? 'no_answer' : 'refused';
  return { kind, connection, code, ...(description && { description }) };
}

/** What the code is sent with, and the key to keep the answer: no key, no call. */
async function gather(
  world: RedeemWorld,
  { connection, config }: Connection,
  { redirectUri, codeVerifier }: AuthorizationState,
  parameters: CodeGrant['parameters'],
): Promise<CodeGrant> {
  const { credentials, accessSealer } = world;
  await accessSealer.ready();
  const stored = config.credentials && (await credentials.read(connection, config.credentials.versionId));
  return { parameters, redirectUri, codeVerifier, credentials: stored ?? {} };
}

/** What the code of this login brought, and what the grant belongs to. */
interface Redeemed {
  readonly tokens: TokenSet;
  readonly id: string;
  readonly identity: Provider['identity'];
  readonly values: Grant['values'];
}

/** What the callback told beside the code. Anything but short plain text is no value of any provider's. */
function valuesIn(parameters: URLSearchParams, names: readonly string[]): Grant['values'] {
  const told = names.flatMap((name) => {
    const value = parameters.get(name) ?? '';
    return /^[\x21-\x7e]{1,256}$/.test(value) ? [[name, value] as const] : [];
  });
  return told.length === 0 ? undefined : Object.fromEntries(told);
}

/**
 * Stores the refresh token, then puts the grant in the place of the one there is. Retries until shortly before the
 * deadline: there is no second code.
 */
async function keep(
  world: RedeemWorld,
  before: Connection,
  redeemed: Redeemed,
  deadline: EpochMs,
): Promise<Redemption> {
  const { connection } = before;
  const { refreshToken } = redeemed.tokens;
  if (refreshToken === undefined) return { kind: 'no_refresh_token', connection };
  const grantId = world.chance.grantId();
  const place = firstPlace(grantId);
  await patiently(world, deadline, () =>
    world.refreshTokens.storeRefreshToken(connection, place.slot, place.versionId, refreshToken),
  );
  for (;;) {
    const committed = await patiently(world, deadline, () => commit(world, before, { ...redeemed, grantId, place }));
    if (committed === 'applied') return { kind: 'connected', connection };
    if (committed === 'another') return { kind: 'changed_meanwhile', connection };
    // A renewal of the old grant came between the look and the write; there are only so many of them.
    if (plus(world.clock.now(), limits.commitReserveMs) > deadline) throw new Unavailable('table');
  }
}

type New = Redeemed & { readonly grantId: GrantId; readonly place: PlaceInSecret };

async function commit(
  world: RedeemWorld,
  before: Connection,
  { id, grantId, place, tokens, identity, values }: New,
): Promise<'applied' | 'lost' | 'another'> {
  const { clock, store, accessSealer, providers } = world;
  const item = await store.read(before.connection);
  if (item?.grant.id === grantId) return 'applied';
  // Deleted, or put to use with another client: the grant is not one for it. Or another login, or an import, came
  // meanwhile, if not another connection under the name: it is the newer one, and where a provider knows only one grant
  // it has ended this one.
  if (item === undefined || item.deletion !== undefined || item.grant.id !== before.grant.id) return 'another';
  const provider = providers.of(item.config);
  if (provider.rules === undefined || provider.identity !== identity) return 'another';
  const binding = { connection: item.connection, versionId: versionIdOf(grantId, nextFence(item.fence)) };
  const sealedAccessToken = await accessSealer.seal(sealedTextOf(tokens), binding);
  const write = authorized(
    { item, profile: provider.rules.profile(item) },
    { id, grantId, place, tokens, sealedAccessToken, ...(values && { values }) },
    clock.now(),
  );
  return (await store.apply(item.connection, write)).applied ? 'applied' : 'lost';
}

async function patiently<T>({ clock, chance }: RedeemWorld, deadline: EpochMs, act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const pauseMs = limits.commitRetryMs * (1 + chance.next());
      if (!(error instanceof Unavailable) || plus(clock.now(), pauseMs + limits.commitReserveMs) > deadline)
        throw error;
      await clock.sleep(pauseMs);
    }
  }
}
