import type { Texts } from './texts.ts';

const unchanged = 'Nothing was changed.';
const kept = 'The access that was there before, if any, is kept.';
const anotherLink = 'Ask the person who gave you the link for a new one, and open that.';

export const en: Texts = {
  messages: {
    connect: {
      title: 'Connect {provider}',
      what: `You are asked to let the token broker use an account at {provider}. From then on it renews this access by
        itself.`,
      next: `If you know what this is for, go on, log in at {site} with the account that is meant, and allow access. If
        you do not, close this page: nothing has been changed.`,
    },
    connected: {
      title: 'Connected',
      what: 'The connection {connection} to {provider} is authorized. It is renewed by itself from now on.',
      next: 'You can close this page.',
    },
    connected_unproven: {
      title: 'Connected, but not proven yet',
      what: `{provider} allowed access for the connection {connection}, but sent no access token that can be used. The
        broker asks for another one; until that comes, the connection has none to give.`,
      next: 'Reload this page in a minute. If it still says this, tell the person who gave you the link.',
    },
    already_connected: {
      title: 'Connected already',
      what: 'This link was used, and the connection {connection} to {provider} was authorized by it.',
      next: 'You can close this page. To connect again, ask the person who gave you the link for a new one.',
    },
    denied: {
      title: 'Not connected: access was denied',
      what: `The connection {connection} was not authorized, since access was denied at {provider}. ${unchanged}`,
      next: 'If that was a mistake, open the same link again while it is good, and allow access.',
    },
    unknown_link: {
      title: 'This link does not work',
      what: `It is incomplete, was altered, is not from here, or its connection is gone. ${unchanged}`,
      next: anotherLink,
    },
    link_expired: {
      title: 'This link has expired',
      what: `The connection {connection} cannot be authorized by it any more. ${unchanged}`,
      next: anotherLink,
    },
    link_used: {
      title: 'This link was used already',
      what: 'A login came by it that brought no access, or has not ended yet. A link is good for one login.',
      next: `If you have just logged in, wait a moment and reload this page. If not: ${anotherLink}`,
    },
    link_over: {
      title: 'This link was replaced or withdrawn',
      what: `A link is good until a newer one is made, it is withdrawn, or the connection {connection} is changed.
        ${unchanged}`,
      next: anotherLink,
    },
    not_possible: {
      title: 'This connection cannot be authorized by a login',
      what: `The settings of the connection {connection} do not lead to a login. ${unchanged}`,
      next: 'Tell the person who gave you the link: the connection has to be put again.',
    },
    another_browser: {
      title: 'This login did not begin in this browser',
      what: `It has to end in the browser in which the page with the link was opened, with cookies allowed. What the
        provider sent was not used. ${unchanged}`,
      next: `Open the link that you were given in this browser, and go on from there. If you were sent straight to the
        login of the provider, somebody may be after your account: tell the person who runs this broker.`,
    },
    another_connection: {
      title: 'This answer is for another connection',
      what: `A login came back to the address of another connection than the one it began for. What the provider sent
        was not used. ${unchanged}`,
      next: `Tell the person who gave you the link: another redirect URI may be registered at the provider than this
        connection’s, or the login was tampered with.`,
    },
    another_issuer: {
      title: 'The answer came from somewhere else',
      what: `Another server answered than the one that was asked for the connection {connection}, or it did not say
        which one it is. What it sent was not used. ${unchanged}`,
      next: `Tell the person who gave you the link: the settings of this connection may name the wrong issuer, or the
        login was tampered with.`,
    },
    another_region: {
      title: 'The account is in another region',
      what: `{provider} keeps this account elsewhere than where the connection {connection} looks for it. ${unchanged}`,
      next: `Tell the person who gave you the link to put the connection with "{setting}": "{value}", and to give you a
        new link.`,
    },
    malformed: {
      title: 'The provider’s answer makes no sense',
      what: `The connection {connection} was not authorized. ${unchanged}`,
      next: 'Open the link again. If that does not help, tell the person who gave it to you.',
    },
    refused: {
      title: 'The provider refused',
      what: `The connection {connection} was not authorized: {provider} answered {code}. ${kept}`,
      next: '{advice}',
    },
    refused_without_state: {
      title: 'The provider refused',
      what: `It answered {code}, and did not say which login that is about. ${unchanged}`,
      next: '{advice}',
    },
    no_answer: {
      title: 'The provider did not answer',
      what: `The connection {connection} was not authorized ({code}). ${kept}`,
      next: `Wait a moment. ${anotherLink}`,
    },
    no_refresh_token: {
      title: 'The provider gave no refresh token',
      what: `Without one the connection {connection} could not be renewed, so it was not changed. Often a scope is
        missing, such as offline_access.`,
      next: `Tell the person who gave you the link: the settings of this connection have to ask for a scope with offline
        access.`,
    },
    changed_meanwhile: {
      title: 'The connection was changed meanwhile',
      what: `The connection {connection} was deleted, or given another grant or client, while you logged in.
        ${unchanged}`,
      next: anotherLink,
    },
    unavailable: {
      title: 'Not connected: try again in a moment',
      what: `The broker cannot reach its own stores at this moment. ${kept}`,
      next: `Reload this page in a moment. If it then says that the link was used: ${anotherLink}`,
    },
    failed: {
      title: 'Not connected: the broker failed',
      what: `The login could not be taken down. ${kept}`,
      next: anotherLink,
    },
  },
  advice: {
    scope: 'Tell the person who gave you the link: the settings ask for a scope that this application may not have.',
    application: `Tell the person who gave you the link: the application is not registered at the provider as it has to
      be for this login.`,
    redirect_uri: `Tell the person who gave you the link: the redirect URI of this connection has to be registered at
      the provider, to the letter.`,
    later: 'Wait a few minutes, then open the same link again.',
    other: 'Tell the person who gave you the link what it says here, and ask for a new one.',
  },
  facts: {
    provider: 'Provider',
    connection: 'Connection',
    account: 'Account',
    askedBy: 'Asked for by',
    goodUntil: 'Good until',
  },
  go: 'Continue to {site}',
};
