/**
 * IXON Cloud APIv2 as its OpenAPI, its pages and its clients describe it: access tokens for a user, the token of a
 * service account, and one call of the API. Nothing here was tried against the live service; what is said of each fact
 * is in the presets (`shared/providers/presets/ixon-user.ts`). What could not be settled is a switch, marked
 * "unsettled".
 */
import { randomId, Tokens, User } from './ixon-accounts.ts';
import { authorizationIn, faultOfBearer, invalidValue, loginIn, refusal, success } from './ixon-replies.ts';
import { CallLimit } from './rate-limits.ts';
import {
  type Call,
  type Mishap,
  type Reply,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from './simulator.ts';

const ixonFacts = {
  /** Of every user's token, whatever was asked for. 0: what was asked for. */
  lifetimeSeconds: 0,
  /** A role of the user enforces two factors. */
  secondFactor: false,
  /** RFC 6238 §5.2 wants a one-time password to work once. Unsettled. */
  oneTimePasswords: 'single_use' as 'single_use' | 'reusable',
  /** In a row. Unsettled, and so is what a locked account is told. */
  wrongLoginsBorne: 10,
  lockedMessage: invalidValue,
  /** The OpenAPI declares "4XX" alone: unsettled. */
  credentialsStatus: 401,
  secondFactorStatus: 403,
  contentStatus: 400,
  /** Replies have only the public id unless more is asked for: unsettled. */
  sparse: true,
  /** Per source address; 50 and 80 elsewhere: unsettled. */
  callsASecond: 30,
  burstSeconds: 5,
  blockSeconds: 600,
  /** Whether a 429 has `Retry-After`: unsettled. */
  retryAfter: false,
  /** 100,000 in an older version of the page: unsettled. */
  companyCallsADay: Number.POSITIVE_INFINITY,
  /** How long a new access token takes. */
  answerMs: 0,
};
export type IxonFacts = Readonly<typeof ixonFacts>;

interface IxonOptions extends SimulatorOptions {
  readonly facts?: Partial<IxonFacts>;
}

export interface Ixon extends Omit<Simulator, 'next'> {
  /** With the fields that are asked for. */
  readonly tokenEndpoint: string;
  /** `GET` it with an access token and the three headers. */
  readonly apiEndpoint: string;
  readonly companyId: string;
  readonly user: {
    readonly applicationId: string;
    readonly email: string;
    readonly password: string;
    readonly otpSeed: string;
  };
  readonly serviceAccount: { readonly applicationId: string; readonly token: string };
  /** From now on only this one is good. */
  changePassword(password: string): void;
  /** As after too many wrong logins. */
  lock(): void;
  unlock(): void;
  /** As if the user had ended all sessions in the portal. */
  endTokens(): void;
  /** As if an administrator had made another token for the service account: the old one is dead. */
  replaceServiceToken(): string;
  /** How the coming calls for an access token, or to the API, go wrong. */
  next(...mishaps: readonly Mishap[]): void;
  nextAtApi(...mishaps: readonly Mishap[]): void;
}

const tokenPath = '/api/access-tokens';
const ownTokenPath = `${tokenPath}/me`;
const apiPath = '/api/agents';
const tokenFields = 'publicId,secretId,expiresOn';
const dayMs = 86_400_000;
const leastLifetimeSeconds = 60;
const mostLifetimeSeconds = 5_184_000;

/** Starts the simulator, with one company, one user and one service account. */
export async function startIxon(options: IxonOptions): Promise<Ixon> {
  const { clock } = options;
  const facts: IxonFacts = { ...ixonFacts, ...options.facts };
  const [applicationId, serviceApplicationId] = [randomId(12), randomId(12)];
  const companyId = '1111-2222-3333-4444-5555';
  const [user, tokens] = [new User(facts), new Tokens()];
  let serviceToken = tokens.issue(serviceApplicationId, Number.POSITIVE_INFINITY).secretId;
  const bursts = new CallLimit(facts.callsASecond * facts.burstSeconds, facts.burstSeconds * 1_000);
  const daily = new CallLimit(facts.companyCallsADay, dayMs);
  let blockedUntil = 0;

  function handle(call: Call): Reply {
    // Every caller is this machine: one source address.
    if (call.at >= blockedUntil && bursts.count('', call.at).left < 0)
      blockedUntil = call.at + facts.blockSeconds * 1_000;
    if (call.at < blockedUntil) return tooMany(blockedUntil);
    const refused =
      faultOfHeader(call, 'Api-Version', ['2']) ??
      faultOfHeader(call, 'Api-Application', [applicationId, serviceApplicationId]);
    if (refused !== undefined) return refused;
    switch (`${call.method} ${call.path}`) {
      case `POST ${tokenPath}`:
        return mint(call);
      case `GET ${ownTokenPath}`:
        return withToken(call, ({ publicId }) => success('AccessToken', { publicId }));
      case `DELETE ${ownTokenPath}`:
        return withToken(call, ({ secretId }) => {
          tokens.end(secretId);
          return success('AccessToken', {});
        });
      case `GET ${apiPath}`:
        return faultOfHeader(call, 'Api-Company', [companyId]) ?? withToken(call, () => agents(call));
      default:
        return { status: 404 };
    }
  }

  function mint(call: Call): Reply {
    const authorization = authorizationIn(call.headers.authorization);
    if (typeof authorization === 'string') return contentError(authorization, 'Authorization');
    const login = authorization.type.toLowerCase() === 'basic' ? loginIn(authorization.credentials) : invalidValue;
    if (typeof login === 'string') return contentError(login, 'Authorization');
    const { expiresIn } = jsonIn(call.body);
    if (typeof expiresIn !== 'number' || !(expiresIn >= leastLifetimeSeconds && expiresIn <= mostLifetimeSeconds)) {
      return contentError(expiresIn === undefined ? 'Required property' : invalidValue, 'expiresIn');
    }
    switch (user.signIn(login, clock.tell(call.at))) {
      case 'wrong':
        return refusal(facts.credentialsStatus, invalidValue, 'Authorization');
      case 'locked':
        return refusal(
          facts.credentialsStatus,
          facts.lockedMessage,
          facts.lockedMessage === invalidValue ? 'Authorization' : undefined,
        );
      case 'second_factor_missing':
        return refusal(facts.secondFactorStatus, '2FA is required');
      case 'good':
        return issue(call, expiresIn);
    }
  }

  function issue({ at, headers, query }: Call, expiresIn: number): Reply {
    const seconds = facts.lifetimeSeconds || expiresIn;
    const token = tokens.issue(String(headers['api-application']), at + seconds * 1_000);
    const all = {
      ...token,
      expiresOn: new Date(clock.tell(token.expiresAt)).toISOString(),
      user: { email: user.email },
    };
    const fields =
      query.get('fields')?.split(',') ?? (facts.sparse ? ['publicId'] : ['publicId', 'secretId', 'expiresOn', 'user']);
    return success(
      'AccessToken',
      Object.fromEntries(Object.entries(all).filter(([name]) => fields.includes(name))),
      201,
    );
  }

  function withToken(
    call: Call,
    answer: (token: { readonly publicId: string; readonly secretId: string }) => Reply,
  ): Reply {
    const authorization = authorizationIn(call.headers.authorization);
    if (typeof authorization === 'string') return contentError(authorization, 'Authorization');
    const { type, credentials } = authorization;
    const fault = type.toLowerCase() === 'bearer' ? faultOfBearer(credentials) : invalidValue;
    if (fault !== undefined) return contentError(fault, 'Authorization');
    const token = tokens.find(credentials, String(call.headers['api-application']), call.at);
    if (token === undefined) return refusal(facts.credentialsStatus, invalidValue, 'Authorization');
    return answer({ publicId: token.publicId, secretId: credentials });
  }

  function agents({ at }: Call): Reply {
    const { left, resetAt } = daily.count(companyId, at);
    return left < 0 ? tooMany(resetAt) : success('Agent', [{ publicId: 'agent0000001' }]);
  }

  function tooMany(until: number): Reply {
    const seconds = Math.ceil((clock.tell(until) - clock.tell(clock.now())) / 1_000);
    return { status: 429, ...(facts.retryAfter && { headers: { 'Retry-After': String(seconds) } }) };
  }

  function faultOfHeader({ headers }: Call, name: string, known: readonly string[]): Reply | undefined {
    const value = headers[name.toLowerCase()];
    if (value === undefined) return contentError('Required header', name);
    return known.includes(String(value)) ? undefined : contentError(invalidValue, name);
  }

  const contentError = (message: string, propertyName: string): Reply =>
    refusal(facts.contentStatus, message, propertyName);

  const simulator = await startSimulator({ ...options, lateMsAt: { [tokenPath]: facts.answerMs } }, handle);
  return {
    url: simulator.url,
    ledger: simulator.ledger,
    tokenEndpoint: `${simulator.url}${tokenPath}?fields=${tokenFields}`,
    apiEndpoint: simulator.url + apiPath,
    companyId,
    get user() {
      const { email, password, otpSeed } = user;
      return { applicationId, email, password, otpSeed };
    },
    get serviceAccount() {
      return { applicationId: serviceApplicationId, token: serviceToken };
    },
    changePassword(password) {
      user.password = password;
    },
    lock: () => user.lock(),
    unlock: () => user.unlock(),
    endTokens() {
      tokens.endThoseOfUsers();
    },
    replaceServiceToken() {
      tokens.end(serviceToken);
      serviceToken = tokens.issue(serviceApplicationId, Number.POSITIVE_INFINITY).secretId;
      return serviceToken;
    },
    next: (...queued) => simulator.next(tokenPath, ...queued),
    nextAtApi: (...queued) => simulator.next(apiPath, ...queued),
    close: simulator.close,
  };
}

/** The members of a body, or none if it is no object. */
function jsonIn(body: string): { readonly expiresIn?: unknown } {
  try {
    const members: unknown = JSON.parse(body);
    return typeof members === 'object' && members !== null ? members : {};
  } catch {
    return {};
  }
}
