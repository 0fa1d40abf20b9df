/** Addresses that a request with secrets in it may not go to, in whatever clothes. */
import type { LookupFunction } from 'node:net';
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
  '[2001:0:7f00:1::]',
  '[2001:2::1]',
  '[2001:10::1]',
  '[2001:20::1]',
  '[3fff::1]',
  '[5f00::1]',
  '[fd00:ec2::254]',
  '[::ffff:a9fe:a9fe]',
  '0xa9fea9fe',
  '0',
  '10.0.0.7.',
  '100.64.0.1',
  '169.254.170.2',
  '172.31.255.255',
  '192.0.0.170',
  '192.0.2.1',
  '192.88.99.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '%31%30.0.0.7',
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

test.each(['2130706433', '0x7f.1', '0177.0.0.1', '127.1', 'LOCALHOST.', 'a.localhost'])(
  '%s is this machine',
  (host) => {
    expect(faultOfEndpoint(`https://${host}/token`, { allowLoopback: false })).toMatch(/reserved address/);
  },
);

/** The parser would make an address of each of them that can be called. */
test.each([
  ' https://id.example.com/token',
  'https://id.example.com/token\n',
  'https://id.exam\tple.com/token',
  'https://id.example.com/\r\nX-Header: 1',
  'https://id.example.com/a b',
  'https:id.example.com/token',
  'https:/id.example.com/token',
  'https:///id.example.com/token',
  'https:\\\\id.example.com\\token',
  'https://id.example.com\\@evil.example/token',
  'https://id.ex\u0430mple.com/token',
  'https://id\u3002example.com/token',
  'https://id.exam\u00adple.com/token',
  'https://id.example.com/t\u00f6ken',
  'https://id.example.com/\u0000',
])('%j is not written as it would be called', (text) => {
  expect(URL.canParse(text)).toBe(true);
  expect(faultOfEndpoint(text, { allowLoopback: false })).toMatch(/printable ASCII/);
});

test.each([
  'https://xn--exmple-4nf.com/token',
  'HTTPS://ID.example.com:8443/t%C3%B6ken?tenant=a&x=[1]',
  'https://8.8.8.8',
])('%s is', (text) => {
  expect(faultOfEndpoint(text, { allowLoopback: false })).toBeUndefined();
});

/** What a name is looked up as, in every form in which that is told. */
test.each<[string, readonly string[]]>([
  ['one address that is not public', ['10.0.0.7']],
  ['one of several', ['93.184.215.14', '169.254.169.254']],
  ['an IPv4 address in the clothes of IPv6', ['::ffff:10.0.0.7']],
  ['the address of another translation', ['64:ff9b::a00:7']],
  ['loopback, where it is not allowed', ['127.0.0.1']],
  ['an address that is not specified', ['0.0.0.0']],
])('a name is not connected to that is looked up as %s', async (_, addresses) => {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const lookup: LookupFunction = (_name, options, done) =>
    options.all ? done(null, found) : done(null, found.at(-1)?.address ?? '', found.at(-1)?.family);
  const request = { url: new URL('https://id.example.com/token'), headers: {}, body: '' };
  const exchange = httpExchange({ allowLoopback: false }, lookup);
  expect(await exchange(request, 2_000)).toEqual({ kind: 'not_sent', code: 'address_not_allowed' });
});
