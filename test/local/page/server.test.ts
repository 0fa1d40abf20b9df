/** Who is let in to the page, and what it answers. */
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { servePage } from '../../../local/page/server.ts';

let page: Awaited<ReturnType<typeof servePage>>;
const asked: unknown[] = [];
beforeAll(async () => {
  page = await servePage({
    state: async () => ({ connections: [] }),
    actions: {
      link: async (given) => {
        asked.push(given);
        return { connect_url: 'https://broker.example/connect/books' };
      },
    },
  });
});
afterAll(() => page.close());

const origin = (): string => new URL(page.url).origin;

const authorization = (): string => `Bearer ${new URLSearchParams(new URL(page.url).hash.slice(1)).get('key')}`;

const post = (headers: Readonly<Record<string, string>>, body = '{"connection":"books"}'): Promise<Response> =>
  fetch(`${origin()}/actions/link`, { method: 'POST', body, headers: { authorization: authorization(), ...headers } });

test('the address has a key that goes to no server, and no cookie that would go to every port', async () => {
  expect(page.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#key=[\w-]{32}$/);
  const html = await fetch(page.url);
  expect(html.headers.get('set-cookie')).toBeNull();
  expect(html.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
  expect(await html.text()).toContain('<title>Token broker</title>');
  const state = await fetch(`${origin()}/state`, { headers: { authorization: authorization() } });
  expect(await state.json()).toEqual({ connections: [] });
});

test.each(['', 'Bearer ', 'Bearer null', `Bearer ${'x'.repeat(32)}`])('tells and does nothing by %j', async (wrong) => {
  expect((await fetch(`${origin()}/state`, { headers: { authorization: wrong } })).status).toBe(403);
  expect((await post({ origin: origin(), authorization: wrong })).status).toBe(403);
  expect(asked).toEqual([]);
});

test('answers to no other name, whatever its address', async () => {
  const { port } = new URL(page.url);
  const status = await new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/state', headers: { host: `localhost:${port}` } }, (reply) => {
      reply.resume();
      resolve(reply.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe(421);
});

test('does what its own buttons ask', async () => {
  const reply = await post({ origin: origin() });
  expect([reply.status, await reply.json()]).toEqual([200, { connect_url: 'https://broker.example/connect/books' }]);
  expect(asked).toEqual([{ connection: 'books' }]);
});

test('has no action that it only inherits', async () => {
  const headers = { authorization: authorization(), origin: origin() };
  expect((await fetch(`${origin()}/actions/constructor`, { method: 'POST', body: '{}', headers })).status).toBe(404);
});

test('is embedded by no page of another port of this machine', async () => {
  const reply = await fetch(`${origin()}/state`, { headers: { authorization: authorization() } });
  expect(reply.headers.get('cross-origin-resource-policy')).toBe('same-origin');
});

test.each(['http://evil.example', 'null', 'http://127.0.0.1'])('does nothing for a page of %s', async (foreign) => {
  const before = asked.length;
  expect((await post({ origin: foreign })).status).toBe(403);
  expect(asked).toHaveLength(before);
});

test.each(['no JSON', '[', 'null', `{"connection":"${'x'.repeat(5_000)}"}`])(
  'refuses a body of %.20s',
  async (body) => {
    expect((await post({ origin: origin() }, body)).status).toBe(502);
  },
);
