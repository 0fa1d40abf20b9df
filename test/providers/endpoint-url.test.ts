/** Addresses that a request with secrets in it may not go to, in whatever clothes. */
import { describe, expect, test } from 'vitest';
import { httpExchange } from '../../shared/adapters/oauth/http-exchange.ts';
import { faultOfEndpoint } from '../../shared/providers/endpoint-url.ts';

const disguised = [
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[::a00:1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::1]',
  '[100::1]',
  '[400::1]',
  '[4000::1]',
  '[8000::1]',
  '[fe80::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[ff02::1]',
  '[2001:db8::1]',
  '[2002:7f00:1::]',
];

describe.each(disguised)('%s', (host) => {
  test('is no endpoint', () => {
    expect(faultOfEndpoint(`https://${host}/token`, { allowLoopback: false })).toMatch(/reserved address/);
  });

  test('is not connected to, also where loopback is allowed', async () => {
    const request = { url: new URL(`http://${host}:1/token`), headers: {}, body: '' };
    const exchange = httpExchange({ allowLoopback: true });
    expect(await exchange(request, 2_000)).toEqual({ kind: 'not_sent', code: 'address_not_allowed' });
  });
});

test.each(['[2a00:1450:400e:80c::200e]', '[2606:4700::1111]', '[3fff:1000::1]'])('%s is one', (host) => {
  expect(faultOfEndpoint(`https://${host}/token`, { allowLoopback: false })).toBeUndefined();
});
