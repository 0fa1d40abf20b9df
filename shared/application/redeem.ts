/**
 * `GET /oauth/callback/{connection}`: redeems the code that a login brought. Whatever can fail without the provider is
 * done before the code is sent; a code is sent once, ever; and the grant that there is gives way only to one that is
 * stored.
 */
import { linkStateOf, redeemAuthorization, settleAuthorization } from '../domain/authorization-writes.ts';
import { inOrderOfUse, otherSecretAfterCall } from '../domain/client-secrets.ts';
import type {
  AuthorizationOutcome,
  ClientSecretInUse,
  Connection,
  PendingAuthorization,
} from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import type { OwnFailureCode } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { Outcome } from '../domain/outcome.ts';
import { redact } from '../domain/redact.ts';
import { Secret } from '../domain/secret.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import { between } from '../domain/timing.ts';
import { toldIn } from '../domain/told-values.ts';
import type { AuthorizationResponse } from '../ports/authorization-server.ts';
import type { CredentialStore, Credentials } from '../ports/credentials.ts';
import { Misdirected, reasonOf, Unavailable } from '../ports/errors.ts';
import type { LoginState } from '../ports/login-sealer.ts';
import type { ProviderRules } from '../ports/providers.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { AuthorizeWorld } from './authorize.ts';
import { callbackUriOf } from './callback-uri.ts';
import { type KeepWorld, keepGrant } from './keep-grant.ts';
import { formerForgotten } from './memories.ts';
import { type About, aboutOf } from './open-link.ts';
import { outcomeOf } from './outcome-of.ts';
import { requestRefresh } from './request-refresh.ts';
import { withRetries } from './retry-writes.ts';
import { sideBySide } from './side-by-side.ts';

export interface RedeemWorld extends AuthorizeWorld, KeepWorld {
  readonly credentials: Pick<CredentialStore, 'read'>;
  readonly queue: RefreshQueue;
}

/** What a browser came back with, and where. */
interface Callback {
  readonly parameters: URLSearchParams;
  /** The connection in the path; undefined at the path that connections share. */
  readonly at: ConnectionName | undefined;
  /** What the page before the login set as a cookie in this browser, if it has it. */
  readonly browser: string | undefined;
  /** Where browsers reach this API. */
  readonly apiUrl: string;
}

/** What happened, for the person in front of the browser. `description`: the provider's own words, fit to be shown. */
export type Redemption =
  /** No `state` of ours: nothing is known of what it was meant for. */
  | { readonly kind: 'unknown_link' }
  /** The provider refuses, and sends no `state` of ours along: `code` is what it says. */
  | { readonly kind: 'refused_without_state'; readonly code: string }
  /** The state was made for another browser, or for another connection than the one whose redirect URI this is. */
  | { readonly kind: 'another_browser' | 'another_connection' }
  | { readonly kind: 'connected'; readonly about: About }
  /**
   * Only the refresh token of the reply was of use: a first renewal has to prove it, and none has. `code`: what was
   * wrong with the reply, where this callback has seen it.
   */
  | { readonly kind: 'connected_unproven'; readonly about: About; readonly code?: string }
  | {
      readonly kind:
        | 'link_expired'
        | 'link_used'
        | 'link_over'
        | 'another_issuer'
        | 'malformed'
        | 'no_refresh_token'
        | 'changed_meanwhile';
      readonly about: About;
    }
  /** The account is in another region of the provider's: `setting` has to be put as `value`. */
  | { readonly kind: 'another_region'; readonly about: About; readonly setting: string; readonly value: string }
  | {
      readonly kind: 'denied' | 'refused' | 'no_answer';
      readonly about: About;
      readonly code: string;
      readonly description?: string;
    };

/** Throws `Unavailable` if a store is out of reach until shortly before `deadline`. */
export async function redeem(world: RedeemWorld, callback: Callback, deadline: EpochMs): Promise<Redemption> {
  const { logins, store, telemetry } = world;
  const state = await logins.openState(callback.parameters.get('state') ?? '');
  // A stranger's request reads nothing.
  if (state === undefined) return withoutState(world, callback);
  const { connection } = state;
  const item = state.browser === callback.browser ? await store.read(connection) : undefined;
  const redemption =
    state.browser !== callback.browser
      ? ({ kind: 'another_browser' } as const)
      : item === undefined
        ? ({ kind: 'unknown_link' } as const)
        : await follow(world, { ...callback, state, item, deadline });
  const { about: _, kind, ...facts } = { about: undefined, ...redemption };
  const link = item?.authorization;
  const askedBy = link?.id === state.id ? link.askedBy : undefined;
  const fields = { connection, provider: item?.config.provider, askedBy, generationBefore: item?.generation, ...facts };
  if (kind === 'connected' || kind === 'connected_unproven') telemetry.info('authorized', fields);
  else telemetry.warn('authorization_failed', { reason: kind, ...fields });
  return redemption;
}

/** RFC 6749 §4.1.2.1: codes are words. What else a URL may have brought here is no code. */
const errorCode = /^[a-z][a-z_]{0,63}$/;

/**
 * Some providers leave `state` out when they refuse a request. Their words go to the log: a stranger may have written
 * them.
 */
function withoutState({ telemetry }: RedeemWorld, { parameters, at }: Callback): Redemption {
  const error = parameters.get('error');
  const code = error !== null && errorCode.test(error) ? error : 'unknown_error';
  const redemption: Redemption = error === null ? { kind: 'unknown_link' } : { kind: 'refused_without_state', code };
  const description = redact(parameters.get('error_description') ?? '', []).slice(0, limits.descriptionLength);
  telemetry.warn('authorization_failed', {
    reason: redemption.kind,
    connection: at,
    ...(error !== null && { code, description }),
  });
  return redemption;
}

interface Followed extends Callback {
  readonly state: LoginState & { readonly codeVerifier: Secret };
  readonly item: Connection;
  readonly deadline: EpochMs;
}

/** In the browser that the link was opened in. */
async function follow(world: RedeemWorld, followed: Followed): Promise<Redemption> {
  const { clock, authorizationServer } = world;
  const { item, state, at, parameters } = followed;
  // A code that came to another redirect URI is not for this connection (mix-up, RFC 9700 §4.4).
  if (at !== (item.config.callback === 'shared' ? undefined : item.connection)) return { kind: 'another_connection' };
  const { rules, title } = world.providers.of(item.config);
  const about = aboutOf(item, title);
  const link = linkStateOf(item, state.id, plus(clock.now(), -limits.loginMs));
  switch (link.kind) {
    case 'over':
      return { kind: 'link_over', about };
    case 'expired':
      return { kind: 'link_expired', about };
    case 'used':
      return again(world, followed, about);
    case 'good': {
      // No login can be finished without the preset that it was begun with.
      if (rules === undefined) return { kind: 'changed_meanwhile', about };
      const response = authorizationServer.readResponse(item.config, parameters, parameters.get('state') ?? '');
      if (response.kind !== 'code') return refusalOf(about, response);
      return redeemCode(world, followed, { rules, about, parameters: response.parameters, ...link });
    }
  }
}

/** A callback that comes again is told what came of the first, as soon as that is known. */
async function again(
  { clock, chance, store }: RedeemWorld,
  { state, item }: { readonly state: LoginState; readonly item: Connection | undefined },
  about: About,
): Promise<Redemption> {
  const until = plus(clock.now(), limits.callbackWaitMs);
  for (let seen = item; ; seen = await store.read(state.connection)) {
    const link = seen && linkStateOf(seen, state.id, clock.now());
    if (link?.kind !== 'used') return { kind: 'link_over', about };
    if (link.outcome?.kind === 'connected') await formerForgotten({ clock });
    if (link.outcome?.kind === 'connected' && seen?.tokens === undefined) return { kind: 'connected_unproven', about };
    if (link.outcome !== undefined) return redemptionOf(link.outcome, about);
    const pauseMs = between(limits.callbackPollMs, chance.next());
    if (plus(clock.now(), pauseMs) > until) return { kind: 'link_used', about };
    await clock.sleep(pauseMs);
  }
}

function redemptionOf({ kind, code = kind, description }: AuthorizationOutcome, about: About): Redemption {
  if (kind !== 'refused' && kind !== 'no_answer') return { kind, about };
  return { kind, about, code, ...(description !== undefined && { description }) };
}

function refusalOf(about: About, response: Exclude<AuthorizationResponse, { kind: 'code' }>): Redemption {
  switch (response.kind) {
    case 'unacceptable':
      return { kind: response.reason, about };
    case 'another_region':
      return { ...response, about };
    case 'error': {
      const { error: code, description } = response;
      const kind = code === 'access_denied' ? 'denied' : 'refused';
      return { kind, about, code, ...(description && { description }) };
    }
  }
}

interface Accepted {
  readonly rules: ProviderRules;
  readonly about: About;
  readonly parameters: Secret<URLSearchParams>;
  readonly authorization: PendingAuthorization;
}

async function redeemCode(
  world: RedeemWorld,
  { state, item, apiUrl, deadline }: Followed,
  { rules, about, parameters, authorization }: Accepted,
): Promise<Redemption> {
  const { clock, chance, store, authorizationServer, accessSealer } = world;
  const { connection, config } = item;
  // No key to keep the answer, no call.
  const [credentials] = await sideBySide(credentialsOf(world, item), accessSealer.ready());
  if (credentials instanceof Misdirected)
    return { kind: 'refused', about, code: 'secret_for_another_endpoint' satisfies OwnFailureCode };
  const redeemer = chance.id();
  const redeeming = redeemAuthorization(item, authorization, redeemer, clock.now());
  const { applied, item: found } = await withRetries(world, () => store.apply(connection, redeeming));
  if (!applied) return again(world, { state, item: found }, about);
  const { codeVerifier } = state;
  const requestedAt = clock.now();
  const exchange = await authorizationServer.redeem(config, {
    parameters,
    redirectUri: callbackUriOf(item, apiUrl),
    codeVerifier,
    credentials,
  });
  const code = new Secret(parameters.reveal().get('code') ?? '');
  const times = { requestedAt, receivedAt: clock.now() };
  const outcome = outcomeOf(rules, exchange, times, { credentials, others: [code, codeVerifier] });
  const tokens = outcome.kind === 'success' ? outcome.tokens : undefined;
  // There is no second code: a refresh token is kept, whatever else the reply has beside it.
  const { refreshToken } = tokens ?? (outcome.kind === 'failure' ? outcome : {});
  if (outcome.kind === 'failure' && refreshToken === undefined) {
    const clientSecret = otherSecretAfterCall(item, outcome, times.receivedAt);
    return settled(world, item, redeemer, loginOutcomeOf(outcome), about, clientSecret);
  }
  const { identity } = world.providers.of(config);
  const come = { ...tokens?.values, ...toldIn(rules.callbackValues, ({ name }) => parameters.reveal().get(name)) };
  const values = Object.keys(come).length === 0 ? undefined : come;
  const redeemed = { tokens, refreshToken, identity, values, authorization: { ...authorization, redeemer } };
  const kept = await keepGrant(world, item, redeemed, deadline);
  if (kept !== 'connected') return settled(world, item, redeemer, { kind: kept }, about);
  // Subscribers are told at once.
  await requestRefresh(world, connection);
  // What the login has replaced may be newer than what was seen when the browser came back.
  await formerForgotten(world);
  return outcome.kind === 'success'
    ? { kind: 'connected', about }
    : { kind: 'connected_unproven', about, code: outcome.code };
}

/** What the client authenticates with, or that it is not for where the settings would send it. */
async function credentialsOf(
  { credentials, providers }: RedeemWorld,
  item: Connection,
): Promise<Credentials | Misdirected> {
  const { connection, config } = item;
  if (config.credentials === undefined) return {};
  const { destinations } = providers.of(config);
  try {
    return inOrderOfUse(item, (await credentials.read(connection, config.credentials.versionId, destinations)) ?? {});
  } catch (error) {
    if (error instanceof Misdirected) return error;
    throw error;
  }
}

function loginOutcomeOf({
  class: meaning,
  code,
  status,
  description,
}: Extract<Outcome, { kind: 'failure' }>): AuthorizationOutcome {
  const kind = meaning === 'in_doubt' || status === undefined ? 'no_answer' : 'refused';
  return { kind, code, ...(description && { description }) };
}

/**
 * Notes what came of the code. The person is told in any case: a store that fails here fails a second callback only.
 */
async function settled(
  { store, telemetry }: RedeemWorld,
  { connection }: Connection,
  redeemer: string,
  outcome: AuthorizationOutcome,
  about: About,
  clientSecret?: ClientSecretInUse,
): Promise<Redemption> {
  try {
    await store.apply(connection, settleAuthorization(redeemer, outcome, clientSecret));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    telemetry.warn('outcome_not_noted', { connection, reason: reasonOf(error) });
  }
  return redemptionOf(outcome, about);
}
