/**
 * Sage Intacct's REST API as its documentation and its clients describe it: token endpoint, login, revocation, and one
 * resource. Nothing here was tried against the live service; what is said of each fact is in the presets
 * (`shared/providers/presets/sage-intacct-rest.ts`). What could not be settled is a switch, marked "unsettled".
 */
import { randomBytes } from 'node:crypto';
import { AuthorizationCodes, type Person } from './authorization-codes.ts';
import { type Grant, Grants, type TokenSet } from './grants.ts';
import {
  bearerOf,
  type Call,
  clientOf,
  type Mishap,
  type Reply,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from './simulator.ts';

const sageIntacctFacts = {
  /** 12 h in fixtures, 1 h by another account: unsettled. */
  lifetimeSeconds: 43_200,
  /** Without it, only the token itself tells. */
  expiresIn: 'number' as 'number' | 'absent',
  /** Whether the one before dies is not documented: unsettled. */
  refreshTokens: 'single_use' as 'single_use' | 'reusable',
  /** Whether every renewal brings one: "may". Without one, the old one stays. Unsettled. */
  renewalBringsRefreshToken: true,
  /** Unsettled; RFC 9700 §4.14.2 recommends it. */
  reuseRevokes: false,
  /** 90 days, or six months: unsettled. */
  refreshTokenIdleDays: 90,
  secondAuthorization: 'replaces' as 'replaces' | 'adds',
  /** Unsettled. */
  accessTokenAfterRenewal: 'lives' as 'lives' | 'dies',
  /** A dead refresh token has been seen as each of the first two; the third is what the API says of a token. */
  deadGrantToldAs: 'invalid_grant' as 'invalid_grant' | 'invalid_client' | 'REST-2102',
  /** Wrong credentials, and a client that the company has not authorized. */
  wrongClientToldAs: 'REST-1216' as 'REST-1216' | 'invalid_client',
  /** Around Sage's own errors; all three have been seen at the API. */
  envelope: 'ia::result' as 'ia::result' | 'ia::error' | 'error',
  /** Of the token endpoint's refusals: both have been seen. */
  refusalStatus: 400 as 400 | 401,
  /** GW-0040 and a 401, or REST-1206 and a 400: both have been seen of an access token that is no good. */
  badTokenToldAs: 'GW-0040' as 'GW-0040' | 'REST-1206',
  /** Not found. */
  codeSeconds: 300,
  /** How long the token endpoint takes. */
  answerMs: 0,
};
export type SageIntacctFacts = Readonly<typeof sageIntacctFacts>;

interface SageIntacctOptions extends SimulatorOptions {
  readonly facts?: Partial<SageIntacctFacts>;
}

export interface SageIntacct extends Omit<Simulator, 'next'> {
  readonly tokenEndpoint: string;
  readonly authorizationEndpoint: string;
  /** Ends all of the token's user. */
  readonly revocationEndpoint: string;
  /** `GET` it with an access token. */
  readonly apiEndpoint: string;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  /** The Web Services user, for client credentials. */
  readonly username: string;
  /** As if a person had logged in now. */
  authorize(user?: string): TokenSet;
  /** Who opens the login page from now on, and what they answer. At first, the owner allows it. */
  person(person: Person): void;
  /**
   * As if an administrator had unchecked the client, or checked it again, under Company > Security > Authorized client
   * applications.
   */
  allowClient(allowed: boolean): void;
  /** Every grant there was, newest first. */
  grants(): readonly Readonly<Grant>[];
  /** As if the user, or the provider, had ended one grant or all. */
  revoke(id?: string): void;
  /** From now on only the new one is good. */
  rotateClientSecret(): string;
  /** Whether a renewal with this refresh token could still succeed, now or later. */
  accepts(refreshToken: string): boolean;
  /** How the coming calls to the token endpoint, or to the API, go wrong. */
  next(...mishaps: readonly Mishap[]): void;
  nextAtApi(...mishaps: readonly Mishap[]): void;
}

const oauthPath = '/ia/api/v1/oauth2';
const tokenPath = `${oauthPath}/token`;
const authorizationPath = `${oauthPath}/authorize`;
/** Recalled; the metadata does not name it. */
const revocationPath = `${oauthPath}/revoke`;
const apiPath = '/ia/api/v1/objects/accounts-payable/vendor';
const dayMs = 86_400_000;
const webServicesUser = 'ws-broker@northwind';

/** Mishaps that have been reported, or are documented. */
export const mishaps = {
  /** Two at a time per tenant; the third waits, and is then refused. */
  throttled: (retryAfter: string, header = 'X-IA-Minute-Rate-Limit-Retry-After') => ({
    answer: throttledReply({ [header]: retryAfter }),
  }),
  throttledWithoutHeader: { answer: throttledReply({}) },
  /** Sender, client or tenant is inactive. */
  inactive: { answer: sageError(400, 'GW-0011', 'Invalid Request', 'ia::result') },
  down: { answer: { status: 503 } },
  /** Dealt with, and then lost between Sage and its gateway. */
  gatewayTimeOut: {
    answer: {
      status: 504,
      body: '<html><body>Gateway Time-out</body></html>',
      headers: { 'content-type': 'text/html' },
    },
    handled: true,
  },
  replyLost: { cutOff: true },
} as const satisfies Record<string, Mishap | ((...given: never[]) => Mishap)>;

/** Starts the simulator, with one client and one company. */
export async function startSageIntacct(options: SageIntacctOptions): Promise<SageIntacct> {
  const { clock } = options;
  const facts: SageIntacctFacts = { ...sageIntacctFacts, ...options.facts };
  const { refreshTokens, reuseRevokes, accessTokenAfterRenewal, secondAuthorization } = facts;
  const client = { clientId: 'f6b1c3e2d4a5.app.sage.com', clientSecret: randomBytes(20).toString('hex') };
  const grants = new Grants({
    lifetimeMs: facts.lifetimeSeconds * 1_000,
    refreshTokens: facts.renewalBringsRefreshToken ? refreshTokens : 'reusable',
    reuseRevokes,
    refreshTokenIdleMs: facts.refreshTokenIdleDays * dayMs,
    accessTokenAfterRenewal,
    secondAuthorization,
  });
  const codes = new AuthorizationCodes({ clientId: client.clientId, codeSeconds: facts.codeSeconds });
  let clientAllowed = true;

  function handle(call: Call): Reply {
    if (call.path === authorizationPath) return codes.open(call);
    if (call.path === tokenPath) return token(call);
    if (call.path === revocationPath) return revoke(call);
    return api(call);
  }

  const wrapped = (status: number, errorId: string, message: string): Reply =>
    sageError(status, errorId, message, facts.envelope);
  const refused = (told: string, message: string): Reply =>
    told.startsWith('invalid_')
      ? { status: facts.refusalStatus, body: { error: told } }
      : wrapped(facts.refusalStatus, told, message);
  const deadGrant = (): Reply => refused(facts.deadGrantToldAs, 'The token is invalid');

  function wrongClient(call: Call): Reply | undefined {
    const { id, secret } = clientOf(call);
    if (id === client.clientId && secret === client.clientSecret && clientAllowed) return undefined;
    return refused(
      facts.wrongClientToldAs,
      'The client credentials are invalid, or the company has not authorized this client',
    );
  }

  function token(call: Call): Reply {
    if (call.method !== 'POST') return { status: 405 };
    const wrong = wrongClient(call);
    if (wrong !== undefined) return wrong;
    switch (call.form.get('grant_type')) {
      case 'refresh_token':
        return renewal(call);
      case 'authorization_code':
        return fromCode(call);
      case 'client_credentials':
        return forUser(call);
      default:
        return { status: 400, body: { error: 'unsupported_grant_type' } };
    }
  }

  function renewal(call: Call): Reply {
    const sent = call.form.get('refresh_token') ?? '';
    const grant = grants.find(sent);
    if (grant === undefined || grant.state !== 'alive' || call.at >= grants.lapsesAt(grant)) return deadGrant();
    if (grants.isDead(grant, sent)) {
      grants.reused(grant);
      return deadGrant();
    }
    return issued(grants.renew(grant, call.at), facts.renewalBringsRefreshToken);
  }

  function fromCode(call: Call): Reply {
    const redeemed = codes.redeem(call);
    if (redeemed === undefined) return { status: facts.refusalStatus, body: { error: 'invalid_grant' } };
    return issued(grants.authorize(redeemed.user, call.at), redeemed.scope.includes('offline_access'));
  }

  function forUser(call: Call): Reply {
    const [username] = (call.form.get('username') ?? '').split('|');
    if (username !== webServicesUser) return refused('REST-1216', 'The user is not bound to this client');
    return issued(grants.authorize(`${username} by client credentials`, call.at), false);
  }

  function issued({ accessToken, refreshToken }: TokenSet, withRefreshToken: boolean): Reply {
    const lifetime =
      facts.expiresIn === 'number' ? { expires_in: Math.floor(facts.lifetimeSeconds / clock.speed) } : {};
    return {
      status: 200,
      body: {
        token_type: 'Bearer',
        access_token: accessToken,
        ...lifetime,
        ...(withRefreshToken && { refresh_token: refreshToken }),
      },
    };
  }

  function revoke(call: Call): Reply {
    const wrong = wrongClient(call);
    if (wrong !== undefined) return wrong;
    const sent = call.form.get('token') ?? '';
    const user = grants.find(sent)?.user ?? grants.holderOf(sent, call.at)?.user;
    if (user !== undefined) grants.revokeAll(user, call.at);
    return { status: 200, body: {} };
  }

  function api(call: Call): Reply {
    if (call.path !== apiPath) return wrapped(404, 'GW-0034', 'Invalid path');
    const accessToken = bearerOf(call);
    if (accessToken === undefined) return wrapped(401, 'GW-0031', 'Invalid Bearer token');
    if (grants.holderOf(accessToken, call.at)?.good !== true) {
      return facts.badTokenToldAs === 'GW-0040'
        ? wrapped(401, 'GW-0040', 'Expired token')
        : wrapped(400, 'REST-1206', 'The token is not valid');
    }
    const entity = call.headers['x-ia-api-param-entity'];
    const vendor = {
      key: '1',
      id: 'V-100',
      href: '/objects/accounts-payable/vendor/1',
      ...(entity !== undefined && { entity }),
    };
    return { status: 200, body: { 'ia::result': [vendor], 'ia::meta': { totalCount: 1, start: 1, pageSize: 100 } } };
  }

  const simulator = await startSimulator({ ...options, lateMsAt: { [tokenPath]: facts.answerMs } }, handle);
  const at = (path: string): string => simulator.url + path;
  return {
    url: simulator.url,
    ledger: simulator.ledger,
    tokenEndpoint: at(tokenPath),
    authorizationEndpoint: at(authorizationPath),
    revocationEndpoint: at(revocationPath),
    apiEndpoint: at(apiPath),
    client,
    username: webServicesUser,
    authorize: (user = 'owner') => grants.authorize(user, clock.now()),
    person: (person) => {
      codes.person = person;
    },
    allowClient: (allowed) => {
      clientAllowed = allowed;
    },
    grants: () => grants.all(),
    revoke: (id) => grants.revoke(id, clock.now()),
    rotateClientSecret() {
      client.clientSecret = randomBytes(20).toString('hex');
      return client.clientSecret;
    },
    accepts: (refreshToken) => grants.accepts(refreshToken, clock.now()),
    next: (...queued) => simulator.next(tokenPath, ...queued),
    nextAtApi: (...queued) => simulator.next(apiPath, ...queued),
    close: simulator.close,
  };
}

/** One of Sage's own errors, in one of its envelopes. */
function sageError(status: number, errorId: string, message: string, envelope: SageIntacctFacts['envelope']): Reply {
  const described = { code: 'operationFailed', message, errorId, additionalInfo: {}, supportId: 'Kxi78' };
  const body =
    envelope === 'ia::result'
      ? { 'ia::result': { 'ia::error': described } }
      : envelope === 'ia::error'
        ? { 'ia::error': described }
        : undefined;
  return {
    status,
    error: errorId,
    body: JSON.stringify(body ?? { error: described }),
    headers: { 'content-type': 'application/json' },
  };
}

function throttledReply(headers: Readonly<Record<string, string>>): Reply {
  const reply = sageError(429, 'GW-0010', 'Too many concurrent requests', 'ia::result');
  return { ...reply, headers: { ...reply.headers, ...headers } };
}
