/** What a person is told after a login: what happened, and what to do next. */
import type { Redemption } from '../shared/application/redeem.ts';
import { Unavailable } from '../shared/ports/errors.ts';
import type { Page } from './page.ts';

const unchanged = 'Nothing was changed.';
const anotherLink = 'Ask whoever gave you the link for a new one, and open that.';

type Words = Omit<Page, 'tone' | 'provider'>;

function wordsFor(redemption: Redemption): Words {
  switch (redemption.kind) {
    case 'connected':
      return {
        status: 200,
        title: 'Connected',
        what: `The connection ${redemption.connection} is authorized. It is renewed by itself from now on.`,
        next: 'You can close this page.',
      };
    case 'denied':
      return {
        status: 403,
        title: 'Not connected: access was denied',
        what: `The connection ${redemption.connection} was not authorized, since access was denied at the provider. ${unchanged}`,
        next: 'If that was a mistake, open the same link again while it is valid, and allow access.',
      };
    case 'unknown_link':
      return {
        status: 400,
        title: 'This link does not work',
        what: `It is incomplete, was altered, or is not from here. ${unchanged}`,
        next: anotherLink,
      };
    case 'link_expired':
      return {
        status: 410,
        title: 'This link has expired',
        what: `A link is valid for ten minutes. The connection ${redemption.connection} was not authorized by it. ${unchanged}`,
        next: anotherLink,
      };
    case 'link_used':
      return {
        status: 410,
        title: 'This link was used already, or replaced',
        what: `A link works once, and only until a newer one is made or the connection ${redemption.connection} is changed.`,
        next: `If you have just seen that it is connected, all is well, and you can close this page. If not: ${anotherLink}`,
      };
    case 'another_issuer':
      return {
        status: 400,
        title: 'The answer came from somewhere else',
        what: `Another authorization server answered than the one that was asked for the connection ${redemption.connection}. Its code was not used. ${unchanged}`,
        next: 'Tell whoever gave you the link: the settings of this connection may name the wrong issuer, or somebody tampered with the login.',
      };
    case 'malformed':
      return {
        status: 400,
        title: 'The provider’s answer makes no sense',
        what: `The connection ${redemption.connection} was not authorized. ${unchanged}`,
        next: `Open the link again, or ${anotherLink.toLowerCase()}`,
      };
    case 'refused':
      return {
        status: 502,
        title: 'The provider refused',
        what: `The connection ${redemption.connection} was not authorized: the provider answered ${redemption.code}. The grant that was there, if any, is kept.`,
        next: `Tell whoever gave you the link what it says here. ${anotherLink}`,
      };
    case 'no_answer':
      return {
        status: 502,
        title: 'The provider did not answer',
        what: `The connection ${redemption.connection} was not authorized (${redemption.code}). The grant that was there, if any, is kept.`,
        next: `Wait a moment. ${anotherLink}`,
      };
    case 'no_refresh_token':
      return {
        status: 502,
        title: 'The provider gave no refresh token',
        what: `Without one the connection ${redemption.connection} could not be renewed, so it was not changed. Often a scope is missing, such as offline_access.`,
        next: 'Tell whoever gave you the link: the settings of this connection have to ask for a scope with offline access.',
      };
    case 'changed_meanwhile':
      return {
        status: 409,
        title: 'The connection was changed meanwhile',
        what: `The connection ${redemption.connection} was deleted, or given another grant or client, while you logged in. ${unchanged}`,
        next: anotherLink,
      };
  }
}

export function pageFor(redemption: Redemption): Page {
  const provider = 'description' in redemption ? redemption.description : undefined;
  return { ...wordsFor(redemption), tone: redemption.kind === 'connected' ? 'good' : 'bad', provider };
}

/** What failed here, and not at the provider. */
export function pageForError(error: unknown): Page {
  const passing = error instanceof Unavailable;
  return {
    status: passing ? 503 : 500,
    tone: 'bad',
    title: passing ? 'Not connected: try again in a moment' : 'Not connected: the broker failed',
    what: 'The login could not be taken down. The grant that was there, if any, is kept.',
    next: passing ? `Reload this page. If it then says that the link was used: ${anotherLink}` : anotherLink,
  };
}
