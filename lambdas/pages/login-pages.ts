/** What a person is told before and after a login: what happened, and what to do next. */
import type { About, LinkPage } from '../../shared/application/open-link.ts';
import type { Redemption } from '../../shared/application/redeem.ts';
import { Unavailable } from '../../shared/ports/errors.ts';
import type { Language } from './language.ts';
import type { Page } from './page.ts';
import type { Advice, Message } from './texts/texts.ts';
import { said, texts } from './texts.ts';

const statuses: Readonly<Record<Message, number>> = {
  connect: 200,
  connected: 200,
  connected_unproven: 200,
  already_connected: 410,
  denied: 403,
  unknown_link: 400,
  link_expired: 410,
  link_used: 410,
  link_over: 410,
  not_possible: 409,
  another_browser: 403,
  another_connection: 403,
  another_issuer: 400,
  another_region: 409,
  malformed: 400,
  refused: 502,
  refused_without_state: 502,
  no_answer: 502,
  no_refresh_token: 502,
  changed_meanwhile: 409,
  unavailable: 503,
  failed: 500,
};

/** Of what is no bad news. */
const tones: Readonly<Partial<Record<Message, Page['tone']>>> = {
  connected: 'good',
  connected_unproven: 'plain',
  already_connected: 'good',
};

/** Every status that a page can have. */
export const pageStatuses: readonly number[] = [...new Set(Object.values(statuses))];

/** RFC 6749 §4.1.2.1, and what providers say beside it. */
const adviceOn: Readonly<Record<string, Advice>> = {
  invalid_scope: 'scope',
  unauthorized_client: 'application',
  invalid_client: 'application',
  unsupported_response_type: 'application',
  invalid_request: 'application',
  redirect_uri_mismatch: 'redirect_uri',
  invalid_redirect_uri: 'redirect_uri',
  server_error: 'later',
  temporarily_unavailable: 'later',
};

function messagePage(language: Language, message: Message, values: Readonly<Record<string, string | undefined>>): Page {
  const { title, what, next } = texts[language].messages[message];
  return {
    language,
    status: statuses[message],
    tone: tones[message] ?? 'bad',
    title: said(title, values),
    what: said(what, values),
    next: said(next, values),
  };
}

const valuesOf = ({ connection, title }: About) => ({ connection, provider: title });

function factsOf(language: Language, { title, connection, account }: About): [string, string][] {
  const { facts } = texts[language];
  return [
    [facts.provider, title],
    [facts.connection, connection],
    ...(account === undefined ? [] : [[facts.account, account] satisfies [string, string]]),
  ];
}

/** The page that a link opens. */
export function linkPage(language: Language, opened: LinkPage): Page {
  if (opened.kind === 'unknown_link') return messagePage(language, opened.kind, {});
  const { about } = opened;
  if (opened.kind !== 'good') return messagePage(language, opened.kind, valuesOf(about));
  const { authorizeUrl, expiresAt, askedBy } = opened;
  const { facts, go } = texts[language];
  const site = authorizeUrl.host;
  const until = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  return {
    ...messagePage(language, 'connect', { ...valuesOf(about), site }),
    tone: 'plain',
    facts: [
      ...factsOf(language, about),
      ...(askedBy === undefined ? [] : [[facts.askedBy, personOf(askedBy)] as const]),
      [facts.goodUntil, `${until.format(expiresAt)} UTC`],
    ],
    go: { href: authorizeUrl.href, text: said(go, { site }) },
  };
}

/** Of an ARN what comes after the account: `assumed-role/administrator/ann`. */
const personOf = (principal: string): string => principal.split(':').slice(5).join(':') || principal;

/** The page that a login ends on. */
export function redemptionPage(language: Language, redemption: Redemption): Page {
  const code = 'code' in redemption ? redemption.code : undefined;
  const values = {
    ...('about' in redemption && valuesOf(redemption.about)),
    ...('setting' in redemption && { setting: redemption.setting, value: redemption.value }),
    code,
    advice: texts[language].advice[adviceOn[code ?? ''] ?? 'other'],
  };
  return {
    ...messagePage(language, redemption.kind, values),
    ...((redemption.kind === 'connected' || redemption.kind === 'connected_unproven') && {
      facts: factsOf(language, redemption.about),
    }),
    provider: 'description' in redemption ? redemption.description : undefined,
  };
}

/** What failed here, and not at the provider. */
export const pageForError = (language: Language, error: unknown): Page =>
  messagePage(language, error instanceof Unavailable ? 'unavailable' : 'failed', {});
