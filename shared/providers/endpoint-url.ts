/**
 * Which URLs a request with secrets in it may go to. Addresses behind names are checked where the connection is made.
 */

import ipaddr from 'ipaddr.js';
import { limits } from '../domain/limits.ts';

export interface EndpointPolicy {
  /** Plain http to loopback addresses is fine: only in the local broker. */
  readonly allowLoopback: boolean;
}

/**
 * Returns what is wrong with an endpoint, as the end of a sentence that begins with its name, or undefined if it may be
 * used.
 */
export function faultOfEndpoint(text: string, { allowLoopback }: EndpointPolicy): string | undefined {
  const url = text.length <= limits.endpointCharacters ? URL.parse(text) : null;
  if (url === null) return `must be an absolute URL of at most ${limits.endpointCharacters} characters`;
  const loopback = isLoopback(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback && allowLoopback))
    return 'must begin with https://';
  if (!asWritten.test(text)) return 'must have printable ASCII only, no spaces or backslashes, and a host after ://';
  if (url.username !== '' || url.password !== '') return 'must not contain credentials: give them in "client"';
  if (/[{}]/.test(text)) return 'must not contain braces: fill in what they stand for';
  if (url.hash !== '' || text.includes('#')) return 'must not have a fragment (RFC 6749 §3.2)';
  if (loopback ? !allowLoopback : isReservedAddress(url.hostname))
    return 'must not name a private, loopback, link-local or otherwise reserved address';
  return undefined;
}

/**
 * Its characters (RFC 3986 §2), and a host where it belongs. The parser takes more, and leaves out, turns or encodes
 * that: the request would go elsewhere than to what is stored and shown.
 */
const asWritten = /^[a-z]+:\/\/(?!\/)[!-[\]-~]+$/i;

/** The URL parser has brought every way of writing an address into one form. */
function isLoopback(hostname: string): boolean {
  const name = bare(hostname);
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return ipaddr.isValid(name) && ipaddr.process(name).range() === 'loopback';
}

/** Whether a host is an address that is not for the public, in whatever clothes; false of a name. */
export function isReservedAddress(hostname: string): boolean {
  const name = bare(hostname);
  if (!ipaddr.isValid(name)) return false;
  const address = ipaddr.parse(name);
  // Of IPv6 only 2000::/3 is in use (RFC 4291 §2.4); what else there is may be an IPv4 address in other clothes.
  return address.range() !== 'unicast' || (address instanceof ipaddr.IPv6 && !address.match(globalUnicast, 3));
}

const globalUnicast = ipaddr.IPv6.parse('2000::');

/** Without the brackets of an IPv6 address and the final dot of a complete name. */
const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
