/** The public routes: the page that a link opens, and the page that a login ends on. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { openLink } from '../shared/application/open-link.ts';
import { type RedeemWorld, redeem } from '../shared/application/redeem.ts';
import { parseConnectionName } from '../shared/domain/connection-name.ts';
import { limits } from '../shared/domain/limits.ts';
import { plus } from '../shared/domain/time.ts';
import { apiUrlOf, browserOf, cookieFor, isPrefetch } from './browser.ts';
import { languageFor } from './pages/language.ts';
import { linkPage, pageForError, redemptionPage } from './pages/login-pages.ts';
import { page } from './pages/page.ts';
import { type Handler, safely } from './safely.ts';

/** Returns the handlers of the pages. They answer with a page whatever happens. */
export function loginPages(compose: () => RedeemWorld): { readonly open: Handler; readonly callback: Handler } {
  /** Scanners open it, too: it changes nothing, and reads nothing without a link that was sealed here. */
  const open: Handler = async (event) => {
    const connection = connectionIn(event);
    const link = event.queryStringParameters?.link ?? '';
    const opened =
      connection === undefined
        ? ({ kind: 'unknown_link' } as const)
        : await openLink(compose(), { connection, link, browser: browserOf(event), apiUrl: apiUrlOf(event) });
    const cookies = opened.kind === 'good' ? [cookieFor(event, opened.browser)] : [];
    return page(linkPage(languageOf(event), opened), cookies);
  };

  /** It does nothing without a `state` that was sealed here, for this browser and this connection. */
  const callback: Handler = async (event) => {
    if (isPrefetch(event)) return notNow;
    const world = compose();
    const came = {
      parameters: new URLSearchParams(event.rawQueryString),
      at: connectionIn(event),
      browser: browserOf(event),
      apiUrl: apiUrlOf(event),
    };
    const redemption = await redeem(world, came, plus(world.clock.now(), limits.refreshTimeoutMs));
    return page(redemptionPage(languageOf(event), redemption));
  };

  const shown =
    (handle: Handler): Handler =>
    (event) =>
      safely(compose, handle, (error) => page(pageForError(languageOf(event), error)))(event);
  return { open: shown(open), callback: shown(callback) };
}

/** A browser that gets this for a prefetch asks again when the person goes there. */
const notNow: APIGatewayProxyStructuredResultV2 = { statusCode: 503, headers: { 'cache-control': 'no-store' } };

const connectionIn = ({ pathParameters }: APIGatewayProxyEventV2) =>
  parseConnectionName(pathParameters?.connection ?? '');

const languageOf = ({ headers }: APIGatewayProxyEventV2) => languageFor(headers['accept-language']);
