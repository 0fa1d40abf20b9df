/** No route ignores what it does not know: a parameter that is left unread is a misunderstanding. */
import { expect, test } from 'vitest';
import { type Route, routes } from '../../lambdas/routes.ts';
import { handlerWorld } from './world.ts';

const world = await handlerWorld();

const signed = (routes as readonly Route[]).filter((route) => route.public === undefined);
const takesBody = (route: Route) => ['PUT', 'POST'].includes(route.method);

test.each(signed.map((route): [string, Route] => [`${route.method} ${route.path}`, route]))(
  '%s names every parameter that it does not know, and all that is wrong beside, at once',
  async (_, route) => {
    const before = await world.stored();
    const request = `${route.method} ${route.path.replace('{connection}', 'Not-A-Name')}?surplus=1&more=2&a%20b=3`;
    const { status, body } = await world.call(request, takesBody(route) ? { surplus: true } : '{"surplus":true}');
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    const paths = (body.faults as { path: string }[]).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['surplus', 'more', 'query']));
    expect(paths.includes('connection')).toBe(route.path.includes('{connection}'));
    expect(paths).toContain(takesBody(route) ? 'surplus' : 'body');
    expect(await world.stored()).toEqual(before);
  },
);

test('a report of a refused token takes no min_ttl, which it has no use for', async () => {
  const { status, body } = await world.call('POST /token/nb/rejections?min_ttl=60', { generation: 1 });
  expect({ status, faults: body.faults }).toMatchObject({ status: 400, faults: [{ path: 'min_ttl' }] });
});
