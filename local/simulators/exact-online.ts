/**
 * Exact Online as its clients describe it: what a token endpoint and one API endpoint answer. Nothing here was tried
 * against the live service; what is said of each fact is in the preset (`shared/providers/presets/exact-online.ts`).
 * What could not be settled is a switch, marked "unsettled".
 */
import { randomBytes } from 'node:crypto';
import { AuthorizationCodes, type Person } from './authorization-codes.ts';
import { type Grant, Grants, type TokenSet } from './grants.ts';
import { CallLimit, ErrorLimit } from './rate-limits.ts';
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

export const exactOnlineFacts = {
  lifetimeSeconds: 600,
  /** Since the previous token was issued. */
  minTokenAgeSeconds: 570,
  /** Which of two faults is told: unsettled. */
  checkedFirst: 'refresh_token' as 'refresh_token' | 'age',
  /** Unsettled. It would be in the error's body, and would replace the old one. */
  tooEarlyCarriesRefreshToken: false,
  /** By app; new ones have single use. */
  refreshTokens: 'single_use' as 'single_use' | 'reusable',
  /** Not known of Exact; RFC 9700 §4.14.2 recommends it, and other providers do it. */
  reuseRevokes: false,
  /** 400 until some years ago. */
  reuseStatus: 401 as 401 | 400,
  refreshTokenIdleDays: 30,
  secondAuthorization: 'replaces' as 'replaces' | 'adds',
  /** Unsettled. */
  accessTokenAfterRenewal: 'lives' as 'lives' | 'dies',
  expiresIn: 'text' as 'text' | 'number',
  /**
   * Per API key, user and endpoint: one company. More errors block the key, for an hour at first. That the count runs
   * over the last hour is unsettled.
   */
  errorsAnHour: 10,
  /** Unsettled: what a blocked key gets, on every endpoint. */
  blockedStatus: 429,
  callsAMinute: 60,
  callsADay: 5_000,
  /** Announced as 200 in 2021, not in the final list: unsettled. */
  tokenCallsADay: Number.POSITIVE_INFINITY,
  codeSeconds: 180,
  /** How long the token endpoint takes. */
  answerMs: 0,
};
export type ExactOnlineFacts = Readonly<typeof exactOnlineFacts>;

interface ExactOnlineOptions extends SimulatorOptions {
  readonly facts?: Partial<ExactOnlineFacts>;
}

export interface ExactOnline extends Omit<Simulator, 'next'> {
  readonly tokenEndpoint: string;
  readonly authorizationEndpoint: string;
  /** `GET` it with an access token. */
  readonly apiEndpoint: string;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  /** As if a person had logged in so long ago; returns the tokens that this brought. */
  authorize(options?: { readonly user?: string; readonly secondsAgo?: number }): {
    readonly accessToken: string;
    readonly refreshToken: string;
  };
  /** Who opens the login page from now on, and what they answer. At first, the owner allows it. */
  person(person: Person): void;
  /** Every grant there was, newest first. */
  grants(): readonly Readonly<Grant>[];
  /** As if the user, or the provider, had ended one grant or all. */
  revoke(id?: string): void;
  /** From now on only the new one is good. */
  rotateClientSecret(): string;
  /** Whether a renewal with this refresh token could still succeed, now or later. */
  accepts(refreshToken: string): boolean;
  /** For how many of its milliseconds the API key was blocked between two of its instants. */
  blockedMs(from: number, to: number): number;
  /** How the coming calls to the token endpoint, or to the API, go wrong. */
  next(...mishaps: readonly Mishap[]): void;
  nextAtApi(...mishaps: readonly Mishap[]): void;
}

const tokenPath = '/api/oauth2/token';
const authorizationPath = '/api/oauth2/auth';
const apiPath = '/api/v1/current/Me';
const hourMs = 3_600_000;
const tooEarly = 'Rate limit exceeded: access_token not expired';
/** https://github.com/exactonline/exactonline-api-dotnet-client/issues/152 */
const fault: Reply = {
  status: 500,
  body: {
    fault: {
      faultstring: 'Failed to execute the ExtractVariables: ExtractAccessToken',
      detail: { errorcode: 'steps.extractvariables.ExecutionFailed' },
    },
  },
};

/** Mishaps that have been reported of the token endpoint. */
export const mishaps = {
  faultBeforeRotating: { answer: fault },
  faultAfterRotating: { answer: fault, handled: true },
  slowAfterRotating: { lateMs: 35_000 },
  slowFaultAfterRotating: { answer: fault, handled: true, lateMs: 35_000 },
  firewall: {
    answer: {
      status: 403,
      headers: { 'content-type': 'text/html' },
      body: '<html><head><title>Request Rejected</title></head><body>Request Rejected</body></html>',
    },
  },
  replyLost: { cutOff: true },
} as const satisfies Record<string, Mishap>;

/** Starts the simulator, with one client. */
export async function startExactOnline(options: ExactOnlineOptions): Promise<ExactOnline> {
  const { clock } = options;
  const facts: ExactOnlineFacts = { ...exactOnlineFacts, ...options.facts };
  const { refreshTokens, reuseRevokes, accessTokenAfterRenewal, secondAuthorization } = facts;
  const client = {
    clientId: 'b3f6a7d2-0c55-4f1e-9a43-6f2d1e8c7b90',
    clientSecret: randomBytes(12).toString('base64url'),
  };
  const [lifetimeMs, refreshTokenIdleMs] = [facts.lifetimeSeconds * 1_000, facts.refreshTokenIdleDays * 24 * hourMs];
  const grants = new Grants({
    lifetimeMs,
    refreshTokens,
    reuseRevokes,
    refreshTokenIdleMs,
    accessTokenAfterRenewal,
    secondAuthorization,
  });
  const codes = new AuthorizationCodes({ clientId: client.clientId, codeSeconds: facts.codeSeconds });
  const errors = new ErrorLimit({ most: facts.errorsAnHour, windowMs: hourMs, blockMs: hourMs });
  const [minutely, daily] = [new CallLimit(facts.callsAMinute, 60_000), new CallLimit(facts.callsADay, 24 * hourMs)];
  const tokenCalls = new CallLimit(facts.tokenCallsADay, 24 * hourMs);

  function handle(call: Call): Reply {
    if (call.path === authorizationPath) return codes.open(call);
    const atToken = call.path === tokenPath;
    const id = atToken ? clientOf(call).id : client.clientId;
    if (errors.blocked(id, call.at)) return { status: facts.blockedStatus };
    const grant = grants.find(call.form.get('refresh_token') ?? '');
    const holder = grants.holderOf(bearerOf(call), call.at);
    const reply = atToken ? token(call, grant) : api(call, holder?.good ? holder.user : undefined);
    const user = atToken ? grant?.user : holder?.user;
    if ([400, 401, 403, 404].includes(reply.status)) errors.count(id, `${user ?? ''} ${call.path}`, call.at);
    return reply;
  }

  function token(call: Call, grant: Grant | undefined): Reply {
    const { id, secret } = clientOf(call);
    if (call.method !== 'POST') return { status: 405 };
    if (id !== client.clientId) return plainText(`Client with identifier '${id}' not found.`);
    if (secret !== client.clientSecret) return oauthError(400, 'invalid_client');
    if (call.form.get('grant_type') === 'authorization_code') return fromCode(call);
    if (call.form.get('grant_type') !== 'refresh_token') return oauthError(400, 'unsupported_grant_type');
    const { left, resetAt } = tokenCalls.count(grant?.user ?? '', call.at);
    if (left < 0) return tooMany('day', facts.tokenCallsADay, resetAt);
    if (grant === undefined || grant.state !== 'alive') {
      return oauthError(400, 'invalid_grant', 'Token is not allowed, because of invalid or empty chainId');
    }
    const lapsesAt = grants.lapsesAt(grant);
    if (call.at >= lapsesAt)
      return oauthError(
        400,
        'invalid_request',
        `The refresh token expired at ${dateOf(lapsesAt)} and it is now ${dateOf(call.at)}.`,
      );
    const early = call.at < grant.issuedAt + facts.minTokenAgeSeconds * 1_000;
    if (early && facts.checkedFirst === 'age') return refusedAsTooEarly(grant);
    if (grants.isDead(grant, call.form.get('refresh_token') ?? '')) {
      grants.reused(grant);
      return oauthError(facts.reuseStatus, 'unauthorized_client', 'Old refresh token used.');
    }
    if (early) return refusedAsTooEarly(grant);
    return issued(grants.renew(grant, call.at));
  }

  function fromCode(call: Call): Reply {
    const redeemed = codes.redeem(call);
    // Not JSON, as clients found out (picqer/exact-php-client #96).
    return redeemed === undefined ? plainText('Bad Request') : issued(grants.authorize(redeemed.user, call.at));
  }

  function issued({ accessToken, refreshToken }: TokenSet): Reply {
    const seconds = Math.floor(facts.lifetimeSeconds / clock.speed);
    const expiresIn = facts.expiresIn === 'text' ? String(seconds) : seconds;
    return {
      status: 200,
      body: { access_token: accessToken, token_type: 'bearer', expires_in: expiresIn, refresh_token: refreshToken },
    };
  }

  function refusedAsTooEarly(grant: Grant): Reply {
    const carried = facts.tooEarlyCarriesRefreshToken ? { refresh_token: grants.rotate(grant) } : {};
    const body = { error: 'access_denied', error_description: tooEarly, ...carried };
    return { status: 400, headers: { Reason: `TooEarlyToRefreshTokens: ${tooEarly}` }, body };
  }

  function api(call: Call, user: string | undefined): Reply {
    if (call.path !== apiPath) return { status: 404 };
    // What the body is was not found; clients look at the status only.
    if (user === undefined) return { status: 401 };
    const [minute, day] = [minutely.count(user, call.at), daily.count(user, call.at)];
    if (minute.left < 0) return tooMany('minute', facts.callsAMinute, minute.resetAt);
    if (day.left < 0) return tooMany('day', facts.callsADay, day.resetAt);
    const headers = {
      ...limitHeaders('minute', facts.callsAMinute, minute),
      ...limitHeaders('day', facts.callsADay, day),
    };
    return { status: 200, headers, body: { d: { results: [{ CurrentDivision: 100_001 }] } } };
  }

  /** Only the headers of the limit that was reached; a reset in epoch milliseconds, and no Retry-After. */
  const tooMany = (per: 'minute' | 'day', most: number, resetAt: number): Reply => ({
    status: 429,
    headers: limitHeaders(per, most, { left: 0, resetAt }),
  });

  function limitHeaders(
    per: 'minute' | 'day',
    most: number,
    { left, resetAt }: { left: number; resetAt: number },
  ): Record<string, string> {
    const name = per === 'minute' ? 'X-RateLimit-Minutely' : 'X-RateLimit';
    return {
      [`${name}-Limit`]: String(most),
      [`${name}-Remaining`]: String(left),
      [`${name}-Reset`]: String(Math.round(clock.tell(resetAt))),
    };
  }

  const simulator = await startSimulator({ ...options, lateMsAt: { [tokenPath]: facts.answerMs } }, handle);
  return {
    url: simulator.url,
    ledger: simulator.ledger,
    tokenEndpoint: simulator.url + tokenPath,
    authorizationEndpoint: simulator.url + authorizationPath,
    apiEndpoint: simulator.url + apiPath,
    client,
    authorize: ({ user = 'owner', secondsAgo = 0 } = {}) => grants.authorize(user, clock.now() - secondsAgo * 1_000),
    person: (person) => {
      codes.person = person;
    },
    grants: () => grants.all(),
    revoke: (id) => grants.revoke(id, clock.now()),
    rotateClientSecret() {
      client.clientSecret = randomBytes(20).toString('hex');
      return client.clientSecret;
    },
    accepts: (refreshToken) => grants.accepts(refreshToken, clock.now()),
    blockedMs: (from, to) => errors.blockedMs(client.clientId, from, to),
    next: (...queued) => simulator.next(tokenPath, ...queued),
    nextAtApi: (...queued) => simulator.next(apiPath, ...queued),
    close: simulator.close,
  };
}

const oauthError = (status: number, error: string, description?: string): Reply => ({
  status,
  body: { error, ...(description !== undefined && { error_description: description }) },
});

/** Of what type Exact says it is was not found. */
const plainText = (body: string): Reply => ({ status: 400, headers: { 'content-type': 'text/plain' }, body });

/** `10/11/2022 9:18:20 PM`. */
const dateOf = (instant: number): string =>
  new Date(instant).toLocaleString('en-US', { timeZone: 'UTC' }).replace(',', '').replaceAll('\u202f', ' ');
