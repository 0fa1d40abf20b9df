/**
 * A broker in memory, for the tests of programs that use the client: the same replies as the real one's, in a state
 * that the test chooses.
 */

/**
 * What the broker answers for a connection:
 * - `serving`: a token, renewed when it is time, when it is reported, or by `renew`;
 * - `renewing`: a renewal is under way that does not end: the token as long as it lives, then 503;
 * - `reauthorization_required`, `misconfigured`: 409, whatever of the token is left;
 * - `unavailable`: 503 with `Retry-After`;
 * - `throttled`: API Gateway's bare 429; `overloaded`: its bare 503;
 * - `forbidden`: its bare 403, as for a caller without the permission;
 * - `down`: no connection can be made; `silent`: no reply ever comes.
 */
export type TestState =
  | 'serving'
  | 'renewing'
  | 'reauthorization_required'
  | 'misconfigured'
  | 'unavailable'
  | 'throttled'
  | 'overloaded'
  | 'forbidden'
  | 'down'
  | 'silent';

export interface TestConnection {
  /** @default serving */
  readonly state?: TestState;
  /**
   * The life of each token, in seconds.
   * @default 600
   */
  readonly lifeSeconds?: number;
  /**
   * How long before its end a token is renewed, in seconds.
   * @default 30
   */
  readonly marginSeconds?: number;
  /** Headers for the API besides `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly endpoint?: string;
  readonly values?: Readonly<Record<string, string>>;
}

export interface TestRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** The JSON that was sent, if it was. */
  readonly body: unknown;
}

export interface TestBroker {
  /** For `tokenBroker({ url, fetch })`. */
  readonly url: string;
  /** Answers requests to `url`, and passes those to other hosts to `api`. */
  readonly fetch: typeof fetch;
  /** All requests to the broker, oldest first. */
  readonly requests: readonly TestRequest[];
  /** Puts a connection, or changes what it is like from the next request on. */
  put(connection: string, settings?: TestConnection): void;
  /** Deletes it: the answer is 404. */
  delete(connection: string): void;
  /** Renews its token at once, and returns the new generation. Throws if there is no such connection. */
  renew(connection: string): number;
  /** Its access token of now, by which an API that is made up for a test knows a good one. */
  accessToken(connection: string): string;
}

export interface TestBrokerOptions {
  /** By their names. @default `demo`, which is serving */
  readonly connections?: Readonly<Record<string, TestConnection>>;
  /** Answers requests to other hosts than the broker's. @default 200 with `{}` */
  readonly api?: typeof fetch;
  /** Milliseconds since 1970. @default the machine's clock, or a test's in its place */
  readonly now?: () => number;
}

interface Kept {
  readonly name: string;
  readonly now: () => number;
  settings: TestConnection;
  generation: number;
  endsAt: number;
}

const url = 'https://token-broker.test';

/** Titles and whether it helps to ask again, as the broker writes them. */
const problems = {
  invalid_request: [400, 'The request is not valid', false],
  connection_not_found: [404, 'There is no connection of this name', false],
  reauthorization_required: [409, 'Somebody has to authorize this connection again', false],
  misconfigured: [409, 'The provider does not accept this connection’s settings', false],
  temporarily_unavailable: [503, 'No valid token can be served at this moment', true],
} as const;

const causes = { reauthorization_required: 'invalid_grant', misconfigured: 'invalid_client' } as const;
const retryAfterSeconds = 5;

const bare = (status: number, message: string): Response => Response.json({ message }, { status });

function problem(code: keyof typeof problems, detail: string, more: object = {}): Response {
  const [status, title, retryable] = problems[code];
  const type = `urn:token-broker:problem:${code}`;
  return Response.json(
    {
      type,
      title,
      status,
      detail,
      code,
      ...(code in causes && { cause: causes[code as keyof typeof causes] }),
      retryable,
      ...(retryable && { retry_after: retryAfterSeconds }),
      ...more,
      downstream_errors: code in causes ? [{ status: 400, error: causes[code as keyof typeof causes] }] : [],
    },
    {
      status,
      headers: {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        ...(retryable && { 'retry-after': String(retryAfterSeconds) }),
      },
    },
  );
}

const unavailable = ({ name }: Kept): Response =>
  problem(
    'temporarily_unavailable',
    `Connection "${name}" has no token to give at this moment; a renewal is being tried. Ask again after Retry-After.`,
  );

const invalid = (path: string, message: string): Response =>
  problem('invalid_request', 'The request is not valid.', { faults: [{ path, message }] });

const lifeMs = ({ settings }: Kept): number => (settings.lifeSeconds ?? 600) * 1_000;
const marginMs = ({ settings }: Kept): number => (settings.marginSeconds ?? 30) * 1_000;
const tokenOf = ({ name, generation }: Kept): string => `test-token-${name}-${generation}`;

function renewed(connection: Kept): Kept {
  connection.generation += 1;
  connection.endsAt = connection.now() + lifeMs(connection);
  return connection;
}

function tokenReply(connection: Kept): Response {
  const { name, settings, generation, endsAt, now } = connection;
  const accessToken = tokenOf(connection);
  const body = {
    connection: name,
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: Math.floor((endsAt - now()) / 1_000),
    expires_at: new Date(endsAt).toISOString(),
    refresh_after: new Date(endsAt - marginMs(connection)).toISOString(),
    generation,
    headers: { Authorization: `Bearer ${accessToken}`, ...settings.headers },
    endpoint: settings.endpoint,
    values: settings.values,
  };
  return Response.json(body, { headers: { 'cache-control': 'no-store' } });
}

/** A token with the life that is asked for, and of another generation than the one that was refused. */
function serve(connection: Kept, askedMs: number | undefined, refused: number | undefined): Response {
  const { generation, endsAt, now, settings } = connection;
  const life = lifeMs(connection);
  const wantedMs = askedMs ?? Math.min(10_000, life / 2);
  if (refused !== undefined && refused > generation)
    return invalid('generation', 'is newer than any token that was issued');
  if (wantedMs > life) return invalid('min_ttl', 'is more than the lifetime of a token');
  const leftMs = endsAt - now();
  if (settings.state === 'renewing')
    return refused === generation || leftMs < wantedMs ? unavailable(connection) : tokenReply(connection);
  const due = refused === generation || leftMs < Math.max(wantedMs, Math.min(marginMs(connection), life / 2));
  return tokenReply(due ? renewed(connection) : connection);
}

/** What API Gateway, or what lies before it, answers whatever the broker would have said. */
function inTheWay(state: TestState | undefined, { signal }: Request): Response | Promise<Response> | undefined {
  switch (state) {
    case 'down':
      throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
    case 'silent':
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    case 'throttled':
      return bare(429, 'Too Many Requests');
    case 'overloaded':
      return bare(503, 'Service Unavailable');
    case 'forbidden':
      return bare(403, 'Forbidden');
    default:
      return undefined;
  }
}

function answer(connection: Kept, query: URLSearchParams, body: { readonly generation?: number }): Response {
  const { name, settings } = connection;
  switch (settings.state) {
    case 'unavailable':
      return unavailable(connection);
    case 'reauthorization_required':
    case 'misconfigured':
      return problem(settings.state, `Connection "${name}" is ${settings.state} (${causes[settings.state]}).`);
    default: {
      const minTtl = query.get('min_ttl');
      return serve(connection, minTtl === null ? undefined : Number(minTtl) * 1_000, body.generation);
    }
  }
}

/** Returns a broker that no network leads to. */
export function testBroker(options: TestBrokerOptions = {}): TestBroker {
  const { connections = { demo: {} }, api, now = () => Date.now() } = options;
  const kept = new Map<string, Kept>();
  const requests: TestRequest[] = [];

  function known(name: string): Kept {
    const connection = kept.get(name);
    if (!connection) throw new Error(`the test broker has no connection "${name}": put it first`);
    return connection;
  }

  const send: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    if (!request.url.startsWith(`${url}/`)) return (await api?.(input, init)) ?? Response.json({});
    const { pathname, search, searchParams } = new URL(request.url);
    const text = await request.text();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    requests.push({ method: request.method, path: `${pathname}${search}`, body });
    const [route, name = 'default', rejections] = /^\/token(?:\/([^/]+)(\/rejections)?)?$/.exec(pathname) ?? [];
    if (route === undefined || request.method !== (rejections ? 'POST' : 'GET')) return bare(404, 'Not Found');
    if (!request.headers.has('authorization')) return bare(403, 'Forbidden');
    const connection = kept.get(name);
    const create = `There is no connection "${name}". Create it with PUT /connections/${name}.`;
    return (
      inTheWay(connection?.settings.state, request) ??
      (connection ? answer(connection, searchParams, body ?? {}) : problem('connection_not_found', create))
    );
  };

  const broker: TestBroker = {
    url,
    fetch: send,
    requests,
    put(name, settings = {}) {
      const before = kept.get(name);
      if (before) before.settings = settings;
      else kept.set(name, renewed({ name, now, settings, generation: 0, endsAt: 0 }));
    },
    delete: (name) => void kept.delete(name),
    renew: (name) => renewed(known(name)).generation,
    accessToken: (name) => tokenOf(known(name)),
  };
  for (const [name, settings] of Object.entries(connections)) broker.put(name, settings);
  return broker;
}
