/** The table of cases (`cases.json`, which says what its members mean), and the network that plays one of them. */
import { readFileSync } from 'node:fs';
import type { VirtualClock } from './virtual.ts';

interface TokenReply {
  readonly generation: number;
  readonly expires_in: number;
  readonly margin?: number;
  readonly endpoint?: string;
  readonly values?: Readonly<Record<string, string>>;
}

interface ProblemReply {
  readonly status: number;
  readonly code: string;
  readonly retryable: boolean;
  readonly retry_after?: number;
}

interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

type Reply =
  | { readonly token: TokenReply }
  | { readonly problem: ProblemReply }
  | { readonly bare: HttpReply }
  | { readonly api: HttpReply }
  | { readonly text: { readonly status: number; readonly content_type: string; readonly body: string } }
  | { readonly no_reply: 'refused' | 'silent' };

interface Exchange {
  readonly to: 'broker' | 'api';
  readonly request: {
    readonly method: string;
    readonly path?: string;
    readonly url?: string;
    readonly body?: unknown;
    readonly authorization?: string;
  };
  readonly reply: Reply;
  readonly at?: number;
  readonly after?: number;
  readonly background?: true;
}

export interface Step {
  readonly at: number;
  readonly call: 'token' | 'reject' | 'fetch';
  readonly connection: string;
  readonly callers?: number;
  readonly min_ttl?: number;
  readonly time_out?: number;
  readonly generation?: number;
  readonly status?: number;
  readonly method?: string;
  readonly url?: string;
  readonly body?: string;
  readonly body_stream?: string;
  readonly exchanges: readonly Exchange[];
  readonly returns?: Readonly<Record<string, unknown>>;
  readonly fails?: { readonly says?: readonly string[]; readonly [member: string]: unknown };
  readonly ends_at?: number;
}

export interface Case {
  readonly name: string;
  readonly chance?: number;
  readonly clock_ahead?: number;
  readonly jwt?: string;
  readonly steps: readonly Step[];
}

export const { constants, cases } = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8')) as {
  readonly constants: Readonly<Record<string, number | readonly number[]>>;
  readonly cases: readonly Case[];
};

export const brokerUrl = 'https://broker.example/base';

const json = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });

/** What the broker's reply says, at this moment of its clock. */
function responseOf(reply: Exclude<Reply, { no_reply: unknown }>, timeOfDay: number): Response {
  if ('token' in reply) {
    const { generation, expires_in, margin = 30, ...more } = reply.token;
    const text = `token-${generation}`;
    const iso = (seconds: number): string => new Date(timeOfDay + seconds * 1_000).toISOString();
    return json(200, {
      connection: 'demo',
      access_token: text,
      token_type: 'Bearer',
      expires_in,
      expires_at: iso(expires_in),
      refresh_after: iso(expires_in - margin),
      generation,
      headers: { Authorization: `Bearer ${text}` },
      ...more,
    });
  }
  if ('problem' in reply) {
    const { status, retry_after: retryAfter } = reply.problem;
    return json(
      status,
      {
        type: `urn:token-broker:problem:${reply.problem.code}`,
        title: 'A title',
        detail: 'A detail.',
        ...reply.problem,
      },
      {
        'content-type': 'application/problem+json',
        ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      },
    );
  }
  if ('text' in reply) {
    const { status, content_type: type, body } = reply.text;
    return new Response(body, { status, headers: { 'content-type': type } });
  }
  const { status, headers } = 'bare' in reply ? reply.bare : reply.api;
  return json(status, { message: 'bare' in reply ? 'As API Gateway says it' : 'As the API says it' }, headers);
}

const textOf = async (body: unknown): Promise<unknown> => {
  if (body === undefined || body === null) return undefined;
  return typeof body === 'string' ? body : await new Response(body as ReadableStream).text();
};

/** A network on which exactly these exchanges happen, in order. Everything else is a fault. */
export class Network {
  readonly faults: string[] = [];
  #expected: Exchange[] = [];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  expect(exchanges: readonly Exchange[]): void {
    this.#expected = [...exchanges];
  }

  /** The exchanges that did not happen. */
  get missing(): readonly Exchange[] {
    return this.#expected;
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const url = String(input);
    const toBroker = url.startsWith(brokerUrl);
    const body = await textOf(init?.body);
    const request = {
      method: init?.method ?? 'GET',
      ...(toBroker ? { path: url.slice(brokerUrl.length) } : { url }),
      ...(!toBroker && { authorization: new Headers(init?.headers).get('authorization') }),
      ...(body !== undefined && { body: toBroker ? JSON.parse(String(body)) : body }),
    };
    const exchange = this.#expected.shift();
    const { at } = exchange ?? {};
    const met = exchange && JSON.stringify(sorted(request)) === JSON.stringify(sorted(exchange.request));
    const punctual = at === undefined || Math.abs(at - this.#clock.seconds) < 0.01;
    if (!met || !punctual) {
      const expected = exchange && JSON.stringify({ at, ...exchange.request });
      this.faults.push(`at ${this.#clock.seconds} s: ${JSON.stringify(request)} instead of ${expected}`);
      throw new TypeError('fetch failed');
    }
    return this.#answer(exchange, init?.signal ?? undefined);
  };

  #answer({ reply, after = 0 }: Exchange, signal: AbortSignal | undefined): Promise<Response> {
    const startedAt = this.#clock.timeOfDay;
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      if ('no_reply' in reply) {
        if (reply.no_reply === 'refused') reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }));
        return;
      }
      this.#clock.timer(after * 1_000, () => resolve(responseOf(reply, startedAt)));
    });
  }
}

const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
