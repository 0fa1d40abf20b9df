/** What a token endpoint means by what it refuses. */
import type { Expected, FieldCase, ServerReply } from '../case.ts';

const dead = (rule?: string): Expected => ({
  status: { state: 'reauthorization_required', last_failure: rule === undefined ? {} : { rule } },
  calls: 1,
  served: null,
});
const misconfigured = (rule?: string, failure: object = {}): Expected => ({
  status: { state: 'misconfigured', last_failure: { ...failure, ...(rule !== undefined && { rule }) } },
  calls: 1,
  served: null,
});
/** Tried again soon, and told. */
const later: Expected = { status: { state: 'active' }, calls: [3, 150], last: { access_token: 'at-9' } };

const refused = (body: object | string, status = 400, headers: Record<string, string> = {}): ServerReply => ({
  status,
  body,
  headers,
});
const back = { body: { access_token: 'at-9', expires_in: 3_600, refresh_token: 'rt-0' } };

/** Refused twice, then answered. */
const passing = (source: string, what: string, reply: ServerReply, more: Partial<FieldCase> = {}): FieldCase => ({
  source,
  what,
  answers: [reply, reply, back],
  expected: later,
  ...more,
});
const final = (
  source: string,
  what: string,
  reply: ServerReply,
  expected: Expected = dead(),
  more: Partial<FieldCase> = {},
): FieldCase => ({ source, what, answers: [reply], expected, ...more });

const salesforce = { provider: 'salesforce', settings: { domain: 'acme.my' } };
const grant = (error_description: string) => refused({ error: 'invalid_grant', error_description });

/** The words beside a code say what it means. */
export const words: readonly FieldCase[] = [
  passing(
    'segmentio/action-destinations#2300',
    'Salesforce is at it already',
    grant('token request is already being processed'),
    salesforce,
  ),
  passing('restforce#412', 'Salesforce throttles logins', grant('login rate exceeded'), salesforce),
  passing(
    'forcedotcom/sfdx-core#1342',
    'Salesforce calls a refresh token an authorization code, in an incident',
    grant('expired authorization code'),
    salesforce,
  ),
  passing('of this kind', 'any other server is at it already', grant('This token is currently being processed.')),
  passing('of this kind', 'a death that says: try again later', grant('Could not refresh. Please try again later.')),
  passing('of this kind', 'a concurrent request', grant('Concurrent refresh request in progress')),
  passing('of this kind', 'a temporary failure', grant('temporary failure of the token store')),
  passing(
    'of this kind',
    'too many requests without a 429',
    refused({ error: 'invalid_client', error_description: 'Too many requests, slow down' }, 401),
  ),
  final(
    'of this kind',
    'a death that says how to go on is one',
    grant('Your session has expired. Please log in and try again.'),
  ),
  final('Salesforce help', 'Salesforce: expired', grant('expired access/refresh token'), dead(), salesforce),
  final(
    'athenaFlex#107',
    'Salesforce lets no one in from here',
    grant('ip restricted'),
    misconfigured('address_not_allowed', { fix: expect_allowlist() }),
    salesforce,
  ),
  final(
    'of this kind',
    'another server lets no one in from here',
    refused({ error: 'access_denied', error_description: 'IP address 192.0.2.1 is not on the allowlist' }, 403),
    misconfigured('address_not_allowed', { fix: expect_allowlist() }),
  ),
  final(
    'authlib#112',
    'invalid_request that names the refresh token',
    refused({ error: 'invalid_request', error_description: 'Invalid refresh_token' }),
  ),
  ...[
    'The refresh token is invalid.',
    'Refresh token has expired',
    'refresh_token is unknown',
    'The refresh token was revoked by the user',
    'No such refresh token',
    'Refresh token not found',
    'Unrecognized refresh_token',
    'refresh token has already been used',
    'the provided refresh token is no longer valid',
    'Could not find refresh token: it was deleted or has expired',
  ].map((text) => final('of this kind', text, refused({ error: 'invalid_request', error_description: text }))),
  final(
    'developer.atlassian.com community',
    'unauthorized_client that names the refresh token',
    refused({ error: 'unauthorized_client', error_description: 'refresh_token is invalid' }, 403),
  ),
  final(
    'dev.twitch.tv',
    'a status text for a code, and words',
    refused({ error: 'Bad Request', status: 400, message: 'Invalid refresh token' }),
  ),
  final(
    'FlowFuse#8547',
    'invalid_client that says: log in again',
    refused({ error: 'invalid_client', error_description: 'Session ended: the user must log in again' }, 401),
  ),
  ...['Please re-authenticate', 'User needs to reauthorize the app', 'You must sign in again to continue'].map((text) =>
    final('of this kind', text, refused({ error: 'invalid_client', error_description: text }, 401)),
  ),
  final(
    'RFC 6749 §5.2',
    'a request without its refresh token is no dead grant',
    refused({ error: 'invalid_request', error_description: 'Missing required parameter: refresh_token' }),
    misconfigured('invalid_request'),
  ),
  final(
    'the OAuth server of the PHP League',
    'a client that is not known is no dead grant',
    refused({ error: 'invalid_client', error_description: 'Client authentication failed' }, 401),
    misconfigured('invalid_client'),
  ),
  final(
    'RFC 6749 §5.2',
    'a scope that is not valid is no dead grant',
    refused({
      error: 'invalid_scope',
      error_description: 'The requested scope is invalid, unknown, or exceeds the scope granted',
    }),
    misconfigured('invalid_request'),
  ),
  passing(
    'keycloak/keycloak#8966',
    'an assertion from the future',
    refused({ error: 'invalid_client', error_description: 'JWT was issued in the future' }),
  ),
  passing(
    'panva/openid-client#302',
    'an assertion that is not valid yet',
    refused({ error: 'invalid_client', error_description: 'Token not yet valid (nbf)' }, 401),
  ),
  passing(
    'bluesky-social/atproto#4474',
    'a clock that is behind',
    refused(
      { error: 'invalid_client', error_description: '"iat" claim timestamp check failed (it should be in the past)' },
      401,
    ),
  ),
];

function expect_allowlist(): unknown {
  return { asymmetricMatch: (value: unknown) => /allowlist/i.test(String(value)), toString: () => 'allowlist' };
}

/** Refusals by other names, in other places, with other statuses. */
export const names: readonly FieldCase[] = [
  final('home-assistant/core#141223', 'GitHub, with 200', refused({ error: 'bad_refresh_token' }, 200)),
  final('slackapi/node-slack-sdk#2038', 'Slack, with 200', refused({ ok: false, error: 'invalid_refresh_token' }, 200)),
  final('of this kind', 'Slack: token_expired', refused({ ok: false, error: 'token_expired' }, 200)),
  final('of this kind', 'Slack: token_revoked', refused({ ok: false, error: 'token_revoked' }, 200)),
  final('of this kind', 'Slack: account_inactive', refused({ ok: false, error: 'account_inactive' }, 200)),
  final(
    'of this kind',
    'Slack: bad_client_secret',
    refused({ ok: false, error: 'bad_client_secret' }, 200),
    misconfigured('invalid_client'),
  ),
  passing('of this kind', 'Slack: ratelimited', refused({ ok: false, error: 'ratelimited' }, 200)),
  final(
    'decocms/studio#3774',
    'in a list',
    refused({ errors: [{ errorType: 'invalid_grant', message: 'Refresh token invalid: abc' }], success: false }),
  ),
  final('of this kind', 'as the type of an error', refused({ error: { type: 'invalid_grant', message: 'no' } })),
  final('of this kind', 'as the code of an error', refused({ error: { code: 'INVALID_GRANT' } })),
  final('of this kind', 'as the status of an error', refused({ error: { code: 400, status: 'INVALID_GRANT' } })),
  final('of this kind', 'in upper case', refused({ error: 'INVALID_GRANT' })),
  final('of this kind', 'with blanks around', refused({ error: ' invalid_grant\n' })),
  final('of this kind', 'in words', refused({ error: 'Invalid Grant' })),
  final('of this kind', 'in camel case', refused({ errorCode: 'InvalidGrant' })),
  final('of this kind', 'as error_code', refused({ error_code: 'invalid_grant' })),
  final('of this kind', 'as errorCode', refused({ errorCode: 'invalid_grant', errorSummary: 'gone' })),
  final('of this kind', 'as code', refused({ code: 'invalid_grant', message: 'gone' })),
  final('of this kind', 'with 401', refused({ error: 'invalid_grant' }, 401)),
  final('of this kind', 'with 403', refused({ error: 'invalid_grant' }, 403)),
  final('of this kind', 'with 200', refused({ error: 'invalid_grant' }, 200)),
  final(
    'of this kind',
    'in a form',
    refused('error=invalid_grant&error_description=gone', 400, { 'content-type': 'application/x-www-form-urlencoded' }),
  ),
  final('of this kind', 'as XML-like text', refused('invalid_grant', 400, { 'content-type': 'text/plain' })),
  final(
    'docs.apigee.com',
    'Apigee, a fault',
    refused(
      { fault: { faultstring: 'Invalid Refresh Token', detail: { errorcode: 'oauth.v2.InvalidRefreshToken' } } },
      401,
    ),
  ),
  final(
    'docs.apigee.com',
    'Apigee, old',
    refused({ ErrorCode: 'invalid_request', Error: 'Invalid Refresh Token' }, 401),
  ),
  final(
    'docs.cloudfoundry.org',
    'UAA',
    refused(
      { error: 'invalid_token', error_description: 'The token expired, was revoked, or the token ID is incorrect: 1' },
      401,
    ),
  ),
  final(
    'developers.strava.com',
    'Strava: a field that is not valid',
    refused({
      message: 'Bad Request',
      errors: [{ resource: 'RefreshToken', field: 'refresh_token', code: 'invalid' }],
    }),
  ),
  final(
    'developers.weixin.qq.com',
    'WeChat, with 200',
    refused({ errcode: 40_030, errmsg: 'invalid refresh_token' }, 200),
  ),
  final(
    'vscode-azure-account#673',
    'Entra: interaction_required',
    refused({
      error: 'interaction_required',
      error_description: 'AADSTS50158: External security challenge not satisfied.',
    }),
    dead(),
    { provider: 'business-central', settings: { tenant: 'contoso.onmicrosoft.com' } },
  ),
  final('of this kind', 'OpenID Connect: login_required', refused({ error: 'login_required' })),
  final('of this kind', 'OpenID Connect: consent_required', refused({ error: 'consent_required' })),
  final('of this kind', 'OpenID Connect: account_selection_required', refused({ error: 'account_selection_required' })),
  final(
    'of this kind',
    'Entra by a connection without a preset',
    refused({
      error: 'invalid_grant',
      error_description: 'AADSTS700082: The refresh token has expired due to inactivity.',
    }),
    { ...dead(), status: { state: 'reauthorization_required', cause: 'refresh_token_expired' } },
  ),
  final(
    'google-api-nodejs-client#1256',
    'Google: deleted_client',
    refused({ error: 'deleted_client', error_description: 'The OAuth client was deleted.' }, 401),
    misconfigured('client_gone'),
    { provider: 'google', settings: { scope: 'email' } },
  ),
  final(
    'of this kind',
    'Google: disabled_client',
    refused({ error: 'disabled_client' }, 401),
    misconfigured('client_gone'),
  ),
  final(
    'of this kind',
    'GitHub: incorrect_client_credentials',
    refused({ error: 'incorrect_client_credentials' }, 200),
    misconfigured('invalid_client'),
  ),
  final(
    'of this kind',
    'Salesforce: invalid_client_id',
    refused({ error: 'invalid_client_id' }),
    misconfigured('invalid_client'),
  ),
  final('of this kind', 'Salesforce: inactive_user', refused({ error: 'inactive_user' }), dead()),
  {
    source: 'of this kind',
    what: 'a refusal with 200 and a name that is not known costs no calls when nobody asks',
    answers: [refused({ error: 'purple_elephant' }, 200)],
    askUntilSeconds: 1,
    expected: { status: { state: 'active', last_failure: { class: 'transient' } }, calls: [1, 12] },
  },
  {
    source: 'of this kind',
    what: 'a name that is not known, again and again, is asked for ever more seldom while clients ask',
    answers: [refused({ error: 'purple_elephant' })],
    expected: {
      status: { state: 'active', last_failure: { class: 'transient', rule: 'refused' } },
      calls: [12, 20],
      served: null,
    },
  },
  {
    source: 'of this kind',
    what: 'a name that is not known, for two hours: noticed within as long again',
    answers: ({ atSeconds }) => (atSeconds < 7_200 ? refused({ error: 'purple_elephant' }) : back),
    hours: 4.5,
    expected: { status: { state: 'active' }, calls: [10, 20], last: { access_token: 'at-9' } },
  },
  {
    source: 'of this kind',
    what: 'names that are not known, another each time, are asked for as often as an outage',
    answers: ({ nth }) => refused({ error: `purple_elephant_${'ab'.charAt(nth % 2)}` }),
    expected: { status: { state: 'active' }, calls: [80, 100], served: null },
  },
  {
    source: 'design, L1',
    what: 'a server that is down all day is asked every quarter of an hour',
    answers: [refused('', 503)],
    expected: { status: { state: 'active', last_failure: { class: 'in_doubt' } }, calls: [80, 100], served: null },
  },
];

/** Words never override an outage. */
export const outages: readonly FieldCase[] = [
  passing('design, S5', 'invalid_grant with 500', refused({ error: 'invalid_grant' }, 500)),
  passing('design, S5', 'login_required with 503', refused({ error: 'login_required' }, 503)),
  passing('design, S5', 'invalid_client with 429', refused({ error: 'invalid_client' }, 429)),
  passing('design, S5', 'a page with 503', refused('<h1>invalid_grant</h1>', 503, { 'content-type': 'text/html' })),
  passing('design, S5', 'a page with 403', refused('<h1>Blocked</h1>', 403, { 'content-type': 'text/html' })),
  passing('of this kind', 'a server error with 400', refused({ error: 'server_error' })),
  passing('of this kind', 'Google: internal_failure with 400', refused({ error: 'internal_failure' })),
];

const moved = (status: number, location: string | undefined, expected: Expected): FieldCase => ({
  source: location === undefined ? 'of this kind' : 'freelawproject/courtlistener#7927',
  what: `${status}${location === undefined ? '' : ` to ${location}`}`,
  answers: [{ status, ...(location !== undefined && { headers: { location } }), body: '' }],
  expected,
});
const moves = (location?: string): Expected => ({
  status: {
    state: 'misconfigured',
    cause: 'invalid_request',
    last_failure: {
      rule: 'moved_endpoint',
      ...(location !== undefined && { error_description: `redirects to ${location}` }),
    },
  },
  calls: [3, 8],
  served: null,
});

/** A token endpoint that is somewhere else. */
export const places: readonly FieldCase[] = [
  moved(
    301,
    'https://new.example/oauth/v2/services/token?code=hun7er2',
    moves('https://new.example/oauth/v2/services/token'),
  ),
  moved(302, 'https://new.example/login', moves('https://new.example/login')),
  moved(307, '/oauth2/token', moves('/oauth2/token')),
  moved(308, 'https://new.example/token#x', moves('https://new.example/token')),
  moved(308, undefined, moves()),
  { ...moved(404, undefined, moves()), source: 'forcedotcom/ForceCLI#645' },
  moved(405, undefined, moves()),
  moved(410, undefined, moves()),
  {
    source: 'of this kind',
    what: '404 for a few minutes',
    answers: ({ atSeconds }) => (atSeconds < 180 ? { status: 404, body: 'not found' } : back),
    expected: { status: { state: 'active' }, last: { access_token: 'at-9' } },
  },
  {
    source: 'of this kind',
    what: 'an outage for hours, and one 404 in it',
    answers: ({ nth, atSeconds }) =>
      atSeconds > 7_200 ? back : nth === 12 ? { status: 404 } : { status: 503, body: { error: 'invalid_grant' } },
    expected: { status: { state: 'active' }, last: { access_token: 'at-9' } },
  },
];
