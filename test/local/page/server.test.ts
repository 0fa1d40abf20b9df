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

/** The cookie that the address of the page brings. */
async function cookie(): Promise<string> {
  const reply = await fetch(page.url, { redirect: 'manual' });
  expect([reply.status, reply.headers.get('location')]).toEqual([303, '/']);
  return reply.headers.get('set-cookie')?.split(';')[0] ?? '';
}

const post = async (headers: Readonly<Record<string, string>>, body = '{"connection":"books"}'): Promise<Response> =>
  fetch(`${origin()}/actions/link`, { method: 'POST', body, headers: { cookie: await cookie(), ...headers } });

test('the address lets a browser in, by a cookie that no script and no other site can use', async () => {
  const reply = await fetch(page.url, { redirect: 'manual' });
  expect(reply.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
  const html = await fetch(origin(), { headers: { cookie: await cookie() } });
  expect(html.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
  expect(await html.text()).toContain('<title>Token broker</title>');
});

test.each(['/', '/state', '/page.js', '/?key=wrong'])('%s is for browsers with the key', async (path) => {
  expect((await fetch(origin() + path, { redirect: 'manual' })).status).toBe(403);
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
  const headers = { cookie: await cookie(), origin: origin() };
  expect((await fetch(`${origin()}/actions/constructor`, { method: 'POST', body: '{}', headers })).status).toBe(404);
});

test('is embedded by no page of another port of this machine, to which the cookie goes too', async () => {
  const reply = await fetch(`${origin()}/state`, { headers: { cookie: await cookie() } });
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
