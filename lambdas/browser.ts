/** What a request tells of the browser that sent it, and of the address that it went to. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { limits } from '../shared/domain/limits.ts';
import { loopbackAllowed, optional } from '../shared/environment.ts';

/**
 * Where browsers reach this API: at the address of the deployment's own, if it has one, since the request does not tell
 * the path of that. Otherwise where the caller reached it: API Gateway serves only its own host names, so the caller
 * has not made it up. The local broker has no TLS.
 */
export function apiUrlOf({ requestContext: { domainName } }: APIGatewayProxyEventV2): string {
  const local = loopbackAllowed() && domainName.startsWith('127.0.0.1:');
  return optional('API_URL') ?? `${local ? 'http' : 'https'}://${domainName}`;
}

/**
 * The cookie that ties a login to its browser. Only this very host can set one whose name begins so (RFC 6265bis
 * §4.1.3.2). Over plain http, on the local broker, some browsers take no such cookie, nor any with `Secure`: there it
 * has neither.
 */
const cookieName = (apiUrl: string): string => (apiUrl.startsWith('https:') ? '__Host-connect' : 'connect');

/** Longer than any link is good: a second link, in another tab, uses the same cookie. */
const cookieSeconds = (limits.authorizationMs.most + 2 * limits.loginMs) / 1_000;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The value of the cookie; undefined if this browser has none that could be ours. */
export function browserOf(event: APIGatewayProxyEventV2): string | undefined {
  const start = `${cookieName(apiUrlOf(event))}=`;
  return event.cookies
    ?.filter((cookie) => cookie.startsWith(start))
    .map((cookie) => cookie.slice(start.length))
    .find((value) => uuid.test(value));
}

/**
 * `SameSite=Lax`: it comes along when the provider sends the browser back, and with no request that another site's page
 * makes.
 */
export function cookieFor(event: APIGatewayProxyEventV2, browser: string): string {
  const apiUrl = apiUrlOf(event);
  const secure = apiUrl.startsWith('https:') ? '; Secure' : '';
  return `${cookieName(apiUrl)}=${browser}; Path=/; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax${secure}`;
}

/** Whether the browser fetches a page that the person may never see: `Sec-Purpose` (Fetch), and what came before it. */
export const isPrefetch = ({ headers }: APIGatewayProxyEventV2): boolean =>
  ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) =>
    /prefetch|prerender|preview/i.test(headers[name] ?? ''),
  );
