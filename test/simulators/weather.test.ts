/** How a provider in each weather meets a token request, and when it is over. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startWeather, weathered } from '../../local/simulators/weather.ts';

let now = 0;
let handled = 0;
const weather = startWeather(() => now);
const server = createServer(
  weathered(weather, (_, response) => {
    handled += 1;
    response.writeHead(200).end('a token');
  }),
);
let url = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
});
afterAll(() => void server.close());
beforeEach(() => {
  now += 60_000;
  handled = 0;
});

const call = (method = 'POST'): Promise<number | string> =>
  fetch(url, { method }).then(
    ({ status }) => status,
    () => 'no reply',
  );

test('all is well', async () => {
  expect([await call(), handled]).toEqual([200, 1]);
});

test('down, for as long as it was told', async () => {
  weather.set('down', 60_000);
  now += 59_999;
  expect([await call(), handled]).toEqual([503, 0]);
  now += 1;
  expect([await call(), handled]).toEqual([200, 1]);
});

test('losing replies of calls that it has dealt with', async () => {
  weather.set('losing', 60_000);
  expect([await call(), handled]).toEqual(['no reply', 1]);
});

test('pages are shown in any weather', async () => {
  weather.set('down', 60_000);
  expect(await call('GET')).toBe(200);
});
