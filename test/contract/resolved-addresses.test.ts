import type { LookupFunction } from 'node:net';
import { expect, test, vi } from 'vitest';
import { httpExchange } from '../../shared/adapters/oauth/http-exchange.ts';

/** A resolver that knows these addresses for every name. */
const resolver =
  (addresses: readonly string[]): LookupFunction =>
  (_name, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

const exchangeWith = (addresses: readonly string[], allowLoopback = false) =>
  httpExchange({ allowLoopback }, resolver(addresses))(
    { url: new URL('https://provider.example/token'), headers: {}, body: '' },
    1_000,
  );

// A public address is resolved beside the other one, so that no connection is tried.
test.each([
  ['loopback', '127.0.0.1'],
  ['loopback of IPv6', '::1'],
  ['IPv4 in IPv6', '::ffff:127.0.0.1'],
  ['IPv4 in IPv6, as it was once written', '::7f00:1'],
  ['NAT64', '64:ff9b::a9fe:a9fe'],
  ['NAT64 of a network', '64:ff9b:1::a9fe:a9fe'],
  ['6to4', '2002:7f00:1::1'],
  ['Teredo', '2001:0:7f00:1::1'],
  ['link-local', 'fe80::1'],
  ['unique local', 'fd00:ec2::254'],
  ['no range in use', '4000::1'],
  ['credentials of a container', '169.254.170.2'],
  ['metadata', '169.254.169.254'],
  ['a private network', '10.0.0.1'],
  ['shared address space', '100.100.100.200'],
  ['this host', '0.0.0.0'],
])('a name that resolves to %s among public addresses is not connected to', async (_, address) => {
  const warned = vi.spyOn(console, 'warn').mockReturnValue();
  for (const addresses of [
    ['93.184.216.34', address],
    ['2606:2800:220:1::1', address],
  ])
    expect(await exchangeWith(addresses)).toEqual({ kind: 'not_sent', code: 'address_not_allowed' });
  // Each of these would be a stack trace in the log, for each call that is made.
  expect(warned).not.toHaveBeenCalled();
});

test('the local broker may connect to loopback, and to nothing else that is reserved', async () => {
  expect(await exchangeWith(['4000::1', '127.0.0.1'], true)).toMatchObject({ code: 'address_not_allowed' });
  expect(await exchangeWith(['10.0.0.1', '127.0.0.1'], true)).toMatchObject({ code: 'address_not_allowed' });
});
