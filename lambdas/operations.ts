/** What each route takes and answers, in words and schemas: with `routes.ts`, all that `openapi.json` is made of. */
import type { bodyEntries, clientEntries } from '../shared/providers/parse-request.ts';
import type { rejectionBody } from './parse.ts';
import type { authorizationEntries } from './parse-authorization.ts';
import type { ProblemCode } from './problems.ts';
import type { ReplyName } from './replies.ts';
import type { FunctionName, RouteKey } from './routes.ts';

type QueryParameter = 'min_ttl' | 'wait' | 'limit' | 'after' | 'state' | 'provider' | 'link';

/** The bodies of requests. */
type BodyName = 'PutConnection' | 'Rejection' | 'Authorization';

export interface Operation {
  /** A name for generated clients. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly query?: readonly QueryParameter[];
  readonly body?: { readonly name: BodyName; readonly required: boolean };
  /** What it answers when it works, by status: the name of its schema, nothing, or a page. */
  readonly replies: Readonly<Record<number, { readonly what: string; readonly body?: ReplyName }>> | 'page';
  /** How it refuses, beside what every route may answer. */
  readonly problems?: readonly ProblemCode[];
}

const token = { 200: { what: 'An access token with at least min_ttl seconds to live.', body: 'Token' } } as const;
const served = ['connection_not_found', 'reauthorization_required', 'misconfigured'] as const;

export const operations: Readonly<Record<RouteKey<FunctionName>, Operation>> = {
  'GET /token': {
    id: 'getDefaultToken',
    summary: 'The access token of the connection named default',
    query: ['min_ttl', 'wait'],
    replies: token,
    problems: served,
  },
  'GET /token/{connection}': {
    id: 'getToken',
    summary: 'The access token of a connection',
    description:
      'Keep the reply until refresh_after, ask one question at a time, and put headers on each request to the ' +
      "provider's API.",
    query: ['min_ttl', 'wait'],
    replies: token,
    problems: served,
  },
  'POST /token/{connection}/rejections': {
    id: 'rejectToken',
    summary: 'Report that the provider refused a token',
    description:
      'A newer token is returned at once; the same generation is renewed once, however many clients report it.',
    query: ['wait'],
    body: { name: 'Rejection', required: true },
    replies: { 200: { what: 'A newer access token.', body: 'Token' } },
    problems: served,
  },
  'GET /connections': {
    id: 'listConnections',
    summary: 'The connections by name, with their status, without secrets',
    description:
      'With state or provider a page is chosen from a hundred connections: it may be short, or empty, while there is ' +
      'a next. Ask until there is none.',
    query: ['limit', 'after', 'state', 'provider'],
    replies: { 200: { what: 'A page of connections, by name.', body: 'Connections' } },
  },
  'GET /connections/{connection}': {
    id: 'getConnection',
    summary: 'A connection and its status, without secrets',
    replies: { 200: { what: 'The connection.', body: 'Connection' } },
    problems: ['connection_not_found'],
  },
  'PUT /connections/{connection}': {
    id: 'putConnection',
    summary: 'Create a connection, or replace its settings',
    body: { name: 'PutConnection', required: true },
    replies: {
      200: { what: 'Its settings are replaced.', body: 'Connection' },
      201: { what: 'It is created.', body: 'Connection' },
    },
    problems: ['conflict', 'grant_conflict'],
  },
  'DELETE /connections/{connection}': {
    id: 'deleteConnection',
    summary: 'Serve no more, revoke the grant at the provider where it can be, then forget',
    replies: {
      200: { what: 'It is served no more, and the grant stays as it is at the provider.', body: 'Deletion' },
      204: { what: 'It is served no more.' },
    },
    problems: ['connection_not_found'],
  },
  'PUT /connections/{connection}/pause': {
    id: 'pauseConnection',
    summary: 'Stop the renewals of a connection, for the time being',
    description: 'Its token is served until it expires. A renewal that is under way ends.',
    replies: { 200: { what: 'It is paused.', body: 'Connection' } },
    problems: ['connection_not_found', 'conflict'],
  },
  'DELETE /connections/{connection}/pause': {
    id: 'resumeConnection',
    summary: 'Have the renewals of a connection go on',
    replies: { 200: { what: 'It is not paused.', body: 'Connection' } },
    problems: ['connection_not_found', 'conflict'],
  },
  'POST /connections/{connection}/authorizations': {
    id: 'createAuthorization',
    summary: 'Make a link to log in with, to connect or reconnect',
    description: 'A newer link ends the one before.',
    body: { name: 'Authorization', required: false },
    replies: { 201: { what: 'A link that is good for one login.', body: 'Link' } },
    problems: ['connection_not_found', 'conflict', 'grant_conflict', 'misconfigured'],
  },
  'DELETE /connections/{connection}/authorizations': {
    id: 'endAuthorization',
    summary: 'End the link that there is',
    replies: { 204: { what: 'No link is good.' } },
    problems: ['connection_not_found'],
  },
  'GET /connect/{connection}': {
    id: 'openLink',
    summary: 'The page that a link opens, for a person and a browser',
    description: 'It changes nothing.',
    query: ['link'],
    replies: 'page',
  },
  'GET /oauth/callback': {
    id: 'finishSharedLogin',
    summary: 'Where providers send browsers back to, for connections with the shared redirect URI',
    replies: 'page',
  },
  'GET /oauth/callback/{connection}': {
    id: 'finishLogin',
    summary: 'Where the provider sends the browser back to',
    replies: 'page',
  },
};

/** What each member of a body is, in words. */
export const members: {
  readonly connection: Readonly<Record<keyof typeof bodyEntries, string>>;
  readonly client: Readonly<Record<keyof typeof clientEntries, string>>;
  readonly authorization: Readonly<Record<keyof typeof authorizationEntries, string>>;
  readonly rejection: Readonly<Record<keyof typeof rejectionBody.entries, string>>;
} = {
  connection: {
    provider: 'The preset.',
    settings: "The preset's own settings.",
    client: 'The application that is registered at the provider.',
    refresh_token: 'A grant to import, once: sent again it leaves the grant alone.',
    renewal: 'Whether the connection is renewed while no client asks.',
    margin_seconds: 'How long before expiry tokens are renewed, if not as the preset says.',
    account:
      'The account that logs in at the provider: a label, and where a provider knows one grant for each account, ' +
      'what tells grants apart.',
    callback: 'The redirect URI: one of its own, or the one that connections share.',
    verify: 'Answers once a first renewal has shown whether the grant is good, for which it waits ten seconds at most.',
    allow_grant_conflict: 'Accepts that this connection may end the grant of another one, or lose its own to it.',
  },
  client: {
    client_id: 'The client id of the application at the provider.',
    client_secret:
      'Its secret. Or two, while one replaces the other: the second is sent where the provider refuses the first. ' +
      'Left out, the stored one is kept.',
    client_secret_expires_at:
      'When the secret ends, as the provider shows it: a day (its beginning, UTC), an instant, or seconds since 1970 ' +
      'as RFC 7591 has them, where 0 is never. Of two secrets a list of two. It is shown and warned of, and decides ' +
      'nothing. It goes with its secret: with a new one it is put anew, and left out beside a stored one it stays.',
  },
  authorization: { expires_in: 'For how many seconds the link is good.' },
  rejection: {
    generation: 'The generation of the token that the provider refused.',
    status: 'The HTTP status of the refusal.',
    detail: 'What the provider said, for the log. What looks like a token is taken out.',
  },
};

/** What each parameter of a query is, in words. */
export const parameters: Readonly<Record<QueryParameter, string>> = {
  min_ttl:
    'How many seconds the token must live at least. By default 10, or what a short-lived token can have. More than ' +
    "the connection's margin has it renewed earlier, where the provider allows it.",
  wait: 'How many seconds to wait at most for a renewal.',
  limit: 'How many connections a page has at most.',
  after: 'The "next" of the page before.',
  state: 'Only connections in these states, joined by commas.',
  provider: 'Only connections of these presets, joined by commas.',
  link: 'The link, as it was made.',
};
