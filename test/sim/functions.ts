/**
 * What the functions beside the token function and the planner are given: the ports of logins, of PUT and DELETE, and
 * of forgetting.
 */
import type { DeleteWorld, FinishDeletionWorld } from '../../shared/application/delete-connection.ts';
import type { ConnectionsWorld } from '../../shared/application/put-connection.ts';
import type { RedeemWorld } from '../../shared/application/redeem.ts';
import { clientSecretNames } from '../../shared/domain/client-secrets.ts';
import type { Exchange } from '../../shared/domain/exchange.ts';
import { limits } from '../../shared/domain/limits.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import type { BareRefreshToken } from '../../shared/domain/token-set.ts';
import type { AuthorizationServer, CodeGrant } from '../../shared/ports/authorization-server.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { CredentialStore, Credentials } from '../../shared/ports/credentials.ts';
import type { LoginLink, LoginSealer, LoginState } from '../../shared/ports/login-sealer.ts';
import type { Providers } from '../../shared/ports/providers.ts';
import type { RefreshQueue } from '../../shared/ports/queue.ts';
import type { ImportedRefreshTokens } from '../../shared/ports/refresh-tokens.ts';
import type { Opener, Sealer } from '../../shared/ports/sealer.ts';
import type { Telemetry } from '../../shared/ports/telemetry.ts';
import { undiscovered } from '../memory/undiscovered.ts';
import type { Redemption, AuthorizationServer as SimulatedServer } from './authorization-server.ts';
import type { Environment } from './environment.ts';
import type { Rotation } from './faults.ts';
import type { Way } from './provider.ts';
import type { Stores } from './stores.ts';

/** The world as far as these functions reach into it. */
type World = Stores & {
  readonly provider: SimulatedServer;
  readonly options: { readonly rotation?: Rotation };
  otherWay(what: 'code' | 'revocation'): Way;
};

/** What every function has beside its stores. */
export interface Given {
  readonly queue: RefreshQueue;
  readonly telemetry: Telemetry;
  readonly providers: Providers;
}

/** Sealing is not what is simulated; the binding is. */
export const plainSealer: Sealer & Opener = {
  ready: async () => {},
  warm: async () => {},
  seal: async (plaintext, { connection, versionId }) => JSON.stringify([connection, versionId, plaintext.reveal()]),
  open: async (sealed, { connection, versionId }) => {
    const [sealedConnection, sealedVersion, plaintext] = JSON.parse(sealed) as [string, string, string];
    if (sealedConnection !== connection || sealedVersion !== versionId) throw new Error('sealed for something else');
    return new Secret(plaintext);
  },
};

/** Keys are read before anything is begun, and may be out of reach then. */
const sealerOf = (environment: Environment): Sealer & Opener => ({
  ...plainSealer,
  ready: () => environment.io('keys.ready', 'keys', () => {}),
});

/** A refresh token that came without a token set. */
export const bare = (refreshToken: string, now: EpochMs): BareRefreshToken => ({
  refreshToken: new Secret(refreshToken),
  requestedAt: now,
  receivedAt: now,
  expiresAt: now,
});

/** As clocks count: the instant of a login becomes part of an attribute's path. */
const wholeMilliseconds = (environment: Environment): Clock => ({
  now: () => Math.floor(environment.now()) as EpochMs,
  sleep: (ms, signal) => environment.sleep(ms, signal),
});

/** Two client secrets where one replaces the other in this run, else none. */
export function credentialsOf({ options: { rotation } }: World, environment: Environment): CredentialStore {
  const [first, second] = rotation?.secrets ?? [];
  const read = async () =>
    first === undefined || second === undefined
      ? undefined
      : environment.io('secrets.credentials', 'secrets', () => ({
          [clientSecretNames.first]: new Secret<string>(first),
          [clientSecretNames.second]: new Secret<string>(second),
        }));
  return { read, store: async () => {} };
}

/** What a request authenticates with, as the provider sees it. */
export const sentSecretOf = (credentials: Credentials): { secret?: string } => {
  const secret = credentials[clientSecretNames.first]?.reveal();
  return secret === undefined ? {} : { secret };
};

const importsOf = (world: World, environment: Environment): ImportedRefreshTokens => ({
  storeRefreshToken: (_, slot, versionId, refreshToken) =>
    environment.io('secrets.store_refresh_token', 'secrets', () =>
      world.storeSecret(slot, versionId, bare(refreshToken.reveal(), world.time.now())),
    ),
});

export function redeemWorldOf(
  world: World,
  environment: Environment,
  { queue, telemetry, providers }: Given,
): RedeemWorld {
  return {
    clock: wholeMilliseconds(environment),
    chance: world.chance(),
    store: world.tableOf(environment),
    claims: world.claimsOf(environment),
    logins: loginsOf(environment),
    authorizationServer: authorizationServerOf(world, environment),
    refreshTokens: importsOf(world, environment),
    credentials: credentialsOf(world, environment),
    accessSealer: sealerOf(environment),
    queue,
    providers,
    telemetry,
  };
}

export function connectionsWorldOf(
  world: World,
  environment: Environment,
  { queue, telemetry, providers }: Given,
): ConnectionsWorld & DeleteWorld {
  return {
    clock: wholeMilliseconds(environment),
    chance: world.chance(),
    store: world.tableOf(environment),
    claims: world.claimsOf(environment),
    refreshTokens: importsOf(world, environment),
    credentials: credentialsOf(world, environment),
    ...undiscovered,
    providers,
    queue,
    telemetry,
  };
}

export function finishDeletionWorldOf(
  world: World,
  environment: Environment,
  { telemetry, providers }: Given,
): FinishDeletionWorld {
  return {
    clock: environment,
    chance: world.chance(),
    store: world.tableOf(environment),
    refreshTokens: world.refreshTokensOf(environment),
    credentials: credentialsOf(world, environment),
    refreshSealer: sealerOf(environment),
    claims: world.claimsOf(environment),
    providers,
    announcer: world.announcerOf(environment),
    revocation: {
      revoke: (_, refreshToken, credentials) =>
        revoke(world, environment, refreshToken.reveal(), sentSecretOf(credentials)),
    },
    // Secrets go after seven days: no secret is gone while a run lasts, and a function that reads or writes one
    // meanwhile keeps it.
    secretRemoval: { remove: (_, __, mayStill) => environment.io('secrets.remove', 'secrets', mayStill) },
    telemetry,
  };
}

const loginsOf = (environment: Environment): LoginSealer => {
  const written = (name: string, value: unknown) => environment.io(name, 'keys', () => JSON.stringify(value));
  const read = <T>(name: string, text: string) => environment.io(name, 'keys', () => JSON.parse(text) as T);
  // One for each link, as it is what tells logins apart.
  const verifierOf = ({ id }: LoginLink) => new Secret(id);
  return {
    sealLink: (link) => written('keys.seal_link', link),
    openLink: (text) => read<LoginLink>('keys.open_link', text),
    sealState: async (state) => ({ text: await written('keys.seal_state', state), codeVerifier: verifierOf(state) }),
    openState: async (text) => {
      const state = await read<LoginState>('keys.open_state', text);
      return { ...state, codeVerifier: verifierOf(state) };
    },
  };
};

const authorizationServerOf = (world: World, environment: Environment): AuthorizationServer => ({
  obstacleTo: () => undefined,
  authorizeUrl: async (_, { state }) => {
    const url = new URL('https://provider.example/authorize');
    url.searchParams.set('state', state);
    return url;
  },
  readResponse: (_, parameters) => ({ kind: 'code', parameters: new Secret(parameters) }),
  redeem: (_, grant) => redeem(world, environment, grant),
});

async function redeem(world: World, environment: Environment, grant: CodeGrant): Promise<Exchange> {
  const code = grant.parameters.reveal().get('code') ?? '';
  const redemption: Redemption = {
    code,
    link: grant.codeVerifier.reveal(),
    environment: environment.id,
    ...sentSecretOf(grant.credentials),
    sentAt: world.time.now(),
  };
  environment.onKill(() => {
    redemption.endedAt ??= world.time.now();
  });
  const answer = await environment.outside('provider.redeem', () => {
    redemption.sentAt = world.time.now();
    world.provider.redemptions.push(redemption);
    world.note('code sent', `${environment.id} ${code}`);
    world.watcher.onRedeem?.(redemption);
    return answered(environment, world.provider.redeem(redemption, world.otherWay('code')));
  });
  redemption.endedAt ??= world.time.now();
  world.note(
    'code answered',
    `${environment.id} ${redemption.issued ?? '-'} ${answer.kind === 'reply' ? answer.status : answer.code}`,
  );
  return answer;
}

async function revoke(
  world: World,
  environment: Environment,
  refreshToken: string,
  { secret }: { readonly secret?: string },
): Promise<Exchange> {
  if (!world.provider.customs.revocable) return { kind: 'not_written', code: 'no_revocation_endpoint' };
  const answer = await environment.outside('provider.revoke', () => {
    world.note('revocation sent', `${environment.id} ${refreshToken}${secret === undefined ? '' : ` ${secret}`}`);
    return answered(environment, world.provider.revoke(refreshToken, secret, world.otherWay('revocation')));
  });
  world.note('revocation answered', `${environment.id} ${answer.kind === 'reply' ? answer.status : answer.code}`);
  return answer;
}

/** As long as a caller waits for any endpoint of a provider. */
async function answered(environment: Environment, reply: Promise<Exchange>): Promise<Exchange> {
  const over = new AbortController();
  const timedOut = environment
    .sleep(limits.callTimeoutMs, over.signal)
    .then((): Exchange => ({ kind: 'lost', code: 'time_out' }));
  const answer = await Promise.race([reply, timedOut]);
  over.abort('over');
  return answer;
}
