/**
 * Maesn as its documentation and its OpenAPI describe it: two keys, no token endpoint. It keeps the grant of the target
 * system itself; when that is dead, requests answer 401 and the end user has to authenticate there again. Nothing here
 * was tried against the live service. What could not be settled is a switch, marked "unsettled".
 */
import { randomBytes } from 'node:crypto';
import { CallLimit } from './rate-limits.ts';
import {
  type Call,
  type Mishap,
  type Reply,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from './simulator.ts';

const maesnFacts = {
  /** Some target systems end a grant that was not used for so many days. */
  idleDays: 30,
  /** Whether an end user who authenticates again gets another key: unsettled. */
  reauthentication: 'new_key' as 'new_key' | 'same_key',
  /** Of a wrong X-API-KEY, or none: the pages name both. Unsettled. */
  apiKeyStatus: 403 as 403 | 401,
  /** What the end user does on the target system's page. */
  consent: 'given' as 'given' | 'denied',
  /** By which the key comes to the callback: unsettled. */
  keyParameter: 'accountKey',
  /** Maesn has no limit of its own; this is a target system's, for each tenant. */
  callsAMinute: 60,
  /** Whether a 429 has `Retry-After`; clients are told to honor any. Unsettled. */
  retryAfter: false,
};
export type MaesnFacts = Readonly<typeof maesnFacts>;

interface MaesnOptions extends SimulatorOptions {
  readonly facts?: Partial<MaesnFacts>;
}

export interface Maesn extends Omit<Simulator, 'next'> {
  /** `GET` it with both keys. */
  readonly apiEndpoint: string;
  /** The tenant's. */
  readonly apiKey: string;
  /** As if an end user had just authenticated at the target system; returns the account key. */
  authenticate(endUser?: string): string;
  /** As if the end user had ended Maesn's access at the target system. */
  revoke(endUser?: string): void;
  /** How the coming calls to the API go wrong. */
  next(...mishaps: readonly Mishap[]): void;
}

const apiPath = '/user/user-info';
const targetSystems = ['EXACT_ONLINE', 'SAGE_INTACCT', 'XERO'];
const dayMs = 86_400_000;

interface Account {
  readonly endUser: string;
  state: 'alive' | 'revoked' | 'deleted';
  usedAt: number;
}

/** The envelope of every reply. No sample of an error was found: what is in `errors` is a guess. */
const refusal = (status: number, message: string, more: object = {}): Reply => ({
  status,
  error: message,
  body: { data: null, errors: [{ message }], rawData: null, ...more },
});

/** What the page on errors tells of. */
export const maesnErrors = {
  internal: { answer: refusal(500, 'Internal server error') },
  /** No outage: the target system refused what it was given. */
  downstream: {
    answer: refusal(500, 'Internal server error', {
      downstreamErrors: [{ status: 400, message: 'The referenced GL account is invalid.' }],
    }),
  },
  inactiveUser: { answer: refusal(403, 'Forbidden: inactive user') },
  notSupported: { answer: refusal(405, 'Method Not Allowed') },
  replyLost: { cutOff: true },
} as const satisfies Record<string, Mishap>;

/** Starts the simulator, with one tenant. */
export async function startMaesn(options: MaesnOptions): Promise<Maesn> {
  const { clock } = options;
  const facts: MaesnFacts = { ...maesnFacts, ...options.facts };
  const apiKey = random();
  const accounts = new Map<string, Account>();
  /** Logins that are under way. */
  const logins = new Map<string, { readonly endUser: string; readonly callback: URL; readonly cancelled: URL }>();
  const minutely = new CallLimit(facts.callsAMinute, 60_000);

  function handle(call: Call): Reply {
    const [, first = '', second = '', third = ''] = call.path.split('/');
    // The end user's browser comes without a key.
    if (call.method === 'GET' && first === 'auth' && second === 'callback') return callback(call, third);
    if (call.headers['x-api-key'] !== apiKey)
      return refusal(facts.apiKeyStatus, 'Check that you are sending a valid X-API-KEY');
    switch (`${call.method} /${first}/${second}`) {
      case 'POST /auth/accounts':
        return create(call, third);
      case 'DELETE /tenants/delete-end-user':
        return withAccount(call, (account) => {
          account.state = 'deleted';
          return good(null);
        });
      case `GET ${apiPath}`:
        return withAccount(call, (account) => userInfo(account, call.at));
      default:
        return call.method === 'GET' && first === 'auth' && third === ''
          ? link(call, second)
          : refusal(404, 'Not Found');
    }
  }

  /** Answers with the page to send the end user to, as a text. */
  function link({ query }: Call, system: string): Reply {
    if (!targetSystems.includes(system)) return refusal(405, 'Target system not found');
    const [callback, cancelled] = [urlIn(query, 'callbackUrl'), urlIn(query, 'cancelCallbackUrl')];
    if (callback === undefined) return invalid('callbackUrl');
    const login = random();
    logins.set(login, {
      endUser: endUserOf(system, query.get('companyId')),
      callback,
      cancelled: cancelled ?? callback,
    });
    return {
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: `${simulator.url}/auth/callback/${system}?state=${login}`,
    };
  }

  /** The target system sends the end user back here, and Maesn back to its tenant. */
  function callback({ query }: Call, system: string): Reply {
    const state = query.get('state') ?? '';
    const login = logins.get(state);
    if (login === undefined || !targetSystems.includes(system)) return refusal(400, 'Bad request');
    logins.delete(state);
    if (facts.consent === 'denied') return { status: 302, headers: { location: login.cancelled.href } };
    login.callback.searchParams.set(facts.keyParameter, authenticate(login.endUser));
    return { status: 302, headers: { location: login.callback.href } };
  }

  /** A target system with keys of its own needs no login. */
  function create({ body }: Call, system: string): Reply {
    if (!targetSystems.includes(system)) return refusal(405, 'Target system not found');
    const given = memberOf(body, 'apiKey');
    if (typeof given !== 'string' || given === '') return invalid('apiKey');
    return { ...good({ accountKey: authenticate(endUserOf(system, given)) }), status: 201 };
  }

  function withAccount({ headers, at }: Call, answer: (account: Account) => Reply): Reply {
    const account = accounts.get(String(headers['x-account-key']));
    const alive = account?.state === 'alive' && at < account.usedAt + facts.idleDays * dayMs;
    return account !== undefined && alive ? answer(account) : refusal(401, 'Unauthorized');
  }

  function userInfo(account: Account, at: number): Reply {
    const { left, resetAt } = minutely.count('', at);
    const seconds = Math.ceil((clock.tell(resetAt) - clock.tell(at)) / 1_000);
    if (left < 0)
      return {
        ...refusal(429, 'Too Many Requests'),
        ...(facts.retryAfter && { headers: { 'Retry-After': String(seconds) } }),
      };
    account.usedAt = at;
    return good({ id: account.endUser });
  }

  function authenticate(endUser: string): string {
    const known = [...accounts].find(([, account]) => account.endUser === endUser && account.state !== 'deleted')?.[0];
    const key = facts.reauthentication === 'same_key' ? (known ?? random()) : random();
    accounts.set(key, { endUser, state: 'alive', usedAt: clock.now() });
    return key;
  }

  const simulator = await startSimulator(options, handle);
  return {
    url: simulator.url,
    ledger: simulator.ledger,
    apiEndpoint: simulator.url + apiPath,
    apiKey,
    authenticate: (endUser = 'end user') => authenticate(endUser),
    revoke(endUser = 'end user') {
      for (const account of accounts.values())
        if (account.endUser === endUser && account.state === 'alive') account.state = 'revoked';
    },
    next: (...queued) => simulator.next(apiPath, ...queued),
    close: simulator.close,
  };
}

const random = (): string => randomBytes(24).toString('base64url');
const endUserOf = (system: string, id: string | null): string => `${system} ${id ?? ''}`;
const good = (data: unknown): Reply => ({ status: 200, body: { data, errors: [], rawData: null } });
const invalid = (field: string): Reply =>
  refusal(400, 'Bad request', { validationErrors: [{ field, message: 'is missing' }] });

const urlIn = (query: URLSearchParams, name: string): URL | undefined => URL.parse(query.get(name) ?? '') ?? undefined;

function memberOf(body: string, name: string): unknown {
  try {
    return (JSON.parse(body) as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}
