/**
 * The page, served on the loopback interface. It speaks for the person at the terminal, so it answers only a browser
 * that was given its key: to its own host, from its own origin.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { listen } from '../platform/loopback.ts';

/** What the person at the page is told: its message says what is wrong, and holds no secret. */
export class PageFailure extends Error {
  override readonly name = 'PageFailure';
}

/** What the page shows and does; each call answers JSON. */
export interface PageSource {
  /** `query`: which connections the page wants. */
  state(query: URLSearchParams): Promise<unknown>;
  /** By the last segment of its path: what a button asks for. */
  readonly actions: Readonly<Record<string, (given: Readonly<Record<string, unknown>>) => Promise<unknown>>>;
}

interface Page {
  /** Opens the page, which has the key from the part of the address that a browser sends to no server. */
  readonly url: string;
  close(): Promise<void>;
}

const assets: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/elements.js': ['elements.js', 'text/javascript; charset=utf-8'],
  '/drawings.js': ['drawings.js', 'text/javascript; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
};

/** Nothing from elsewhere, no script in the text, no frame around it (OWASP, Content Security Policy). */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
const mostBytes = 4_096;

export async function servePage(source: PageSource, port = 0): Promise<Page> {
  const key = randomBytes(24).toString('base64url');
  let origin = '';
  const server = createServer((request, response) => {
    answer(request, response, { source, key, origin }).catch((error) => {
      const known = error instanceof PageFailure;
      json(response, known ? 502 : 500, { message: known ? error.message : 'The page failed.' });
    });
  });
  const endpoint = await listen(server, port);
  origin = endpoint.url;
  return { url: `${origin}/#key=${key}`, close: endpoint.close };
}

interface Serving {
  readonly source: PageSource;
  readonly key: string;
  readonly origin: string;
}

async function answer(request: IncomingMessage, response: ServerResponse, { source, key, origin }: Serving) {
  const { host } = new URL(origin);
  const url = new URL(request.url ?? '/', origin);
  // A name that was made to lead here (DNS rebinding) is not this host.
  if (request.headers.host !== host) return json(response, 421, { message: `This is ${host}.` });
  const asset = assets[url.pathname];
  if (request.method === 'GET' && asset !== undefined) {
    const [file, type] = asset;
    response.writeHead(200, { ...headers, 'content-type': type });
    response.end(readFileSync(join(import.meta.dirname, 'assets', file)));
    return;
  }
  // No cookie: a browser sends those of 127.0.0.1 to every port, where another user of the machine may listen.
  if (!same(request.headers.authorization ?? '', `Bearer ${key}`))
    return json(response, 403, { message: 'Open the address that npm start or token-broker open has written.' });
  if (request.method === 'GET' && url.pathname === '/state')
    return json(response, 200, await source.state(url.searchParams));
  const [, name = ''] = /^\/actions\/([a-z-]+)$/.exec(url.pathname) ?? [];
  const action = Object.hasOwn(source.actions, name) ? source.actions[name] : undefined;
  if (request.method !== 'POST' || action === undefined)
    return json(response, 404, { message: 'There is no such page.' });
  // A form of another site cannot send JSON without asking first, and its origin is another.
  if (request.headers.origin !== origin) return json(response, 403, { message: 'The request is not of this page.' });
  json(response, 200, (await action(await bodyOf(request))) ?? {});
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function same(given: string, key: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(key)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > mostBytes) throw new PageFailure('The request is too long.');
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Said below.
  }
  throw new PageFailure('The request is no JSON object.');
}
