/**
 * The handlers as Lambda runs them, on the loopback endpoints: their environment, their clock, and all that they leave
 * behind.
 */
import { randomBytes } from 'node:crypto';
import type {
  APIGatewayProxyEventV2,
  Context,
  APIGatewayProxyStructuredResultV2 as Reply,
  SQSBatchResponse,
  SQSRecord,
} from 'aws-lambda';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { faultsOfRequest, undocumentedIn } from './documented.ts';
import { type Provider, startProvider } from './provider.ts';
import { type Routed, routed } from './request.ts';
import { type Stores, startStores } from './stores.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Page {
  readonly status: number;
  readonly html: string;
  readonly title: string;
  /** Where it leads, if anywhere. */
  readonly href: string;
}

/** The cookies of a browser, by name. */
export type Browser = Map<string, string>;

interface Visit {
  /** By default the one that the world has. */
  readonly browser?: Browser;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where the API is. */
export const origin = 'https://test.execute-api.us-east-1.amazonaws.com';

const handlers = {
  token: () => import('../../lambdas/token.ts'),
  connections: () => import('../../lambdas/connections.ts'),
  authorizations: () => import('../../lambdas/authorizations.ts'),
} as const;

type Line = Readonly<Record<string, unknown>>;

/** No server listens on port 1. */
export const nobody = 'http://127.0.0.1:1';

class World {
  readonly stores: Stores;
  readonly provider: Provider;
  readonly browser: Browser = new Map();
  readonly #secrets: Set<string>;
  readonly #output: string[];
  /** All answers but those that hand out a token. */
  readonly #answers: string[] = [];
  #aheadMs = 0;
  #standsAt: number | undefined;

  constructor(stores: Stores, provider: Provider, secrets: Set<string>, output: string[]) {
    this.stores = stores;
    this.provider = provider;
    this.#secrets = secrets;
    this.#output = output;
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => this.#standsAt ?? now() + this.#aheadMs);
  }

  /** A value that belongs into Secrets Manager and nowhere else. */
  secret(kind: string): string {
    const value = `${kind}-${randomBytes(16).toString('base64url')}`;
    this.#secrets.add(value);
    return value;
  }

  /** Lets time pass, by the clock that the handlers read. */
  later(seconds: number): void {
    this.#aheadMs += seconds * 1_000;
  }

  /** Does something, in which nothing may wait, while the clock stands still. */
  async atOnce<T>(doing: () => Promise<T>): Promise<T> {
    this.#standsAt = Date.now();
    try {
      return await doing();
    } finally {
      this.#standsAt = undefined;
    }
  }

  /** Calls the API: `PUT /connections/exact-nl`, signed unless API Gateway says otherwise. */
  call(request: string, body?: unknown, authorizer?: object | null): Promise<Answer> {
    const { name, event } = routed(request, body, authorizer);
    return this.invoke(name, event);
  }

  /** Calls a function. */
  async invoke(name: Routed['function'], event: APIGatewayProxyEventV2): Promise<Answer> {
    const { handler } = await handlers[name]();
    const reply = await handler(event);
    const answer = checked(event, reply);
    if (!('access_token' in answer.body)) this.#answers.push(reply.body ?? '');
    return answer;
  }

  /** Makes a link to log in with. */
  async link(name: string, body?: unknown): Promise<string> {
    const { status, body: answer } = await this.call(`POST /connections/${name}/authorizations`, body);
    expect(status).toBe(201);
    return String(answer.connect_url);
  }

  /** Opens a link, and returns where its page leads: to the provider's login. */
  async begin(link: string, browser = this.browser): Promise<URL> {
    const page = await this.visit(link, { browser });
    expect(page).toMatchObject({ status: 200, href: expect.any(String) });
    return new URL(page.href);
  }

  /** Has a browser come back from a login to the redirect URI of a connection. */
  open(name: string, query: string | URLSearchParams, more: Visit = {}): Promise<Page> {
    return this.visit(`${origin}/oauth/callback/${name}?${query}`, more);
  }

  /** Opens a page in a browser. */
  async visit(url: string, { browser = this.browser, headers: sent = {} }: Visit = {}): Promise<Page> {
    const { event } = routed(`GET ${url.replace(origin, '')}`);
    const cookies = [...browser].map(([name, value]) => `${name}=${value}`);
    const { handler } = await handlers.authorizations();
    const request = { ...event, headers: sent, ...(cookies.length > 0 && { cookies }) };
    const reply = await handler(request);
    expect(
      undocumentedIn(event.routeKey, reply),
      `${event.routeKey}: is lambdas/replies.ts or npm run openapi missing?`,
    ).toEqual([]);
    const { statusCode: status = 0, body: html = '', cookies: set = [] } = reply;
    this.#answers.push(html);
    for (const cookie of set) {
      const [, name = '', value = ''] =
        /^(__Host-connect)=([0-9a-f-]{36}); Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/.exec(cookie) ?? [];
      expect(name).toBe('__Host-connect');
      browser.set(name, value);
    }
    lookAtPage(reply);
    const href = (/<a [^>]*href="([^"]*)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&');
    return { status, html, title: /<h1>(.*)<\/h1>/.exec(html)?.[1] ?? '', href };
  }

  /** Takes note of a secret that was made elsewhere. */
  known(secret: string): string {
    this.#secrets.add(secret);
    return secret;
  }

  /** Hands messages of these bodies to the refresh function. */
  async deliver(...bodies: string[]): Promise<SQSBatchResponse> {
    const { handler } = await import('../../lambdas/refresh.ts');
    const context = { getRemainingTimeInMillis: () => 80_000 } as Context;
    return handler({ Records: bodies.map((body, i) => recordOf(`message-${i}`, body)) }, context);
  }

  /**
   * Has a connection looked at, and renewed if that is due. Whatever the provider says to it is no failure of the
   * message.
   */
  async refresh(connection: string): Promise<void> {
    expect(await this.deliver(JSON.stringify({ connection }))).toEqual({ batchItemFailures: [] });
  }

  async plan(): Promise<void> {
    const { handler } = await import('../../lambdas/plan.ts');
    await handler();
  }

  /** Acts in execution environments of their own, in which these variables are different. */
  async with(variables: Readonly<Record<string, string>>, act: () => Promise<void>): Promise<void> {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    vi.resetModules();
    try {
      await act();
    } finally {
      vi.unstubAllEnvs();
      vi.resetModules();
    }
  }

  /** All that a request could have changed. */
  async stored(): Promise<unknown> {
    return { items: await this.stores.items(), vault: this.stores.vault(), messages: this.stores.messages() };
  }

  /** The log lines of an event. */
  logged(event: string): readonly Line[] {
    return this.lines().filter(({ message }) => message === event);
  }

  /** The values of a metric, as the log tells them to CloudWatch. */
  counted(metric: string): readonly unknown[] {
    return this.lines().flatMap((line) => ('_aws' in line && metric in line ? [line[metric]] : []));
  }

  /** Every line of the functions, in order. */
  lines(): Line[] {
    const lines = this.#output.flatMap((text) => text.split('\n'));
    return lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  }

  /** Where each secret of this world can be read; none should be anywhere. */
  async leaks(): Promise<{ readonly secret: string; readonly place: string }[]> {
    const places = {
      output: this.#output.join(''),
      answers: this.#answers.join(''),
      table: JSON.stringify(await this.stores.items()),
      sent: JSON.stringify([...this.stores.messages(), ...this.stores.events()]),
    };
    const found = (text: string) => [...this.#secrets].filter((secret) => text.includes(secret));
    // The hunt would find them: they are where they belong, and there is something to search everywhere else.
    expect(found(JSON.stringify(this.stores.vault())).length).toBeGreaterThan(2);
    for (const text of Object.values(places)) expect(text.length).toBeGreaterThan(2);
    return Object.entries(places).flatMap(([place, text]) => found(text).map((secret) => ({ secret, place })));
  }

  async close(): Promise<void> {
    vi.restoreAllMocks();
    await this.provider.close();
    await this.stores.close();
  }
}

/** What an answer of the API says. What must be true of all of them is looked at here. */
function checked(event: APIGatewayProxyEventV2, reply: Reply): Answer {
  const { statusCode: status = 0, headers = {}, body: text = '' } = reply;
  const ok = status < 300;
  expect(
    undocumentedIn(event.routeKey, reply),
    `${event.routeKey}: is lambdas/replies.ts or npm run openapi missing?`,
  ).toEqual([]);
  if (ok)
    expect(faultsOfRequest(event), `${event.routeKey}: is lambdas/replies.ts or npm run openapi missing?`).toEqual([]);
  expect(headers).toMatchObject({ 'cache-control': 'no-store' });
  if (status !== 204)
    expect(headers).toMatchObject({ 'content-type': ok ? 'application/json' : 'application/problem+json' });
  const body: Answer['body'] = status === 204 ? {} : JSON.parse(text);
  if (!ok) {
    const { code, retry_after: seconds } = body;
    expect(body).toMatchObject({
      type: `urn:token-broker:problem:${code}`,
      status,
      title: expect.any(String),
      retryable: status >= 500 || code === 'conflict',
    });
    expect(headers['retry-after']).toBe(seconds === undefined ? undefined : String(seconds));
  }
  return { status, headers, body };
}

/** What must be true of every page. */
function lookAtPage({ headers = {}, body: html = '' }: Reply): void {
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'no-referrer',
  });
  expect(headers['content-security-policy']).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
  );
  expect(html).not.toMatch(/<script|<link|<img|<form|url\(| on\w+=/i);
}

/** Starts everything that the handlers reach, and sets their environment. Register `close` with `afterAll`. */
export async function openWorld(): Promise<World> {
  const secrets = new Set<string>();
  const secret = (value: string): void => void secrets.add(value);
  const stores = await startStores(secret);
  Object.assign(process.env, stores.environment);
  // Handlers that another test file has loaded into this process belong to its stores.
  vi.resetModules();
  return new World(stores, await startProvider(secret), secrets, captured());
}

/**
 * The world of a test file, open until its last test. What the provider answers instead of tokens is forgotten after
 * each test.
 */
export async function handlerWorld(): Promise<World> {
  const world = await openWorld();
  afterEach(() => {
    world.provider.instead = undefined;
  });
  afterAll(() => world.close());
  return world;
}

/** The last test of a file: it sees all that the tests before it left. */
export function hunt(world: () => World): void {
  test('no secret that was used here was printed, answered, stored in clear or sent', async () => {
    expect(await world().leaks()).toEqual([]);
  });
}

/** Collects what is printed, by whatever way. */
function captured(): string[] {
  const output: string[] = [];
  const write = (chunk: string | Uint8Array): boolean => output.push(String(chunk)) > 0;
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...said) => void output.push(`${said.join(' ')}\n`));
  }
  return output;
}

const recordOf = (messageId: string, body: string): SQSRecord => ({
  messageId,
  body,
  receiptHandle: '',
  attributes: { ApproximateReceiveCount: '1', SentTimestamp: '0', SenderId: '', ApproximateFirstReceiveTimestamp: '0' },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: '',
  awsRegion: 'us-east-1',
});
