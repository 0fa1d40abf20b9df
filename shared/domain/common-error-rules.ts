/**
 * What errors mean where a provider's own rules say nothing: the codes of RFC 6749 and OpenID Connect, those that large
 * providers use in their place, and the words beside them. In order: an outage, what passes by itself, a dead grant,
 * the client, the request, the rest.
 */
import type { ErrorRule } from './conditions.ts';

const rfc6749 = 'RFC 6749 §5.2';

const refreshToken = 'refresh[ _-]?token';
/** What is said of a refresh token that will never be good again. */
const gone =
  "invalid|illegal|expired?|revoked|unknown(?! (?:error|exception|failure))|unrecogni[sz]ed|incorrect|malformed|inactive|stale|wrong|evicted|black-?listed|no longer|does not exist|(?:not|n't) (?:be )?(?:found|valid|recogni[sz]ed|active|known|exist)|already (?:been )?(?:used|redeemed|consumed|rotated)|(?:been|was) (?:used|consumed|deleted|removed|disabled|cancell?ed|superseded|rotated|replaced)|re-?used";
const bad =
  'invalid(?!_(?:request|client|scope|grant))|illegal|expired|revoked|unknown(?! (?:error|exception|failure))|unrecogni[sz]ed|incorrect|malformed|inactive|stale|wrong|bad|no such';
/** It could not be looked at: the token's fault, or the server's where the words tell of an accident. */
const unable =
  "(?:not|cannot|n't|unable to|failed to) (?:find|found|recogni[sz]e|valid|decrypt|decode|parse|verify|load|retrieve|read|fetch|get)";
/** Both orders, on one line; the distance is bounded, so that the expression takes time in proportion to the text. */
const badRefreshToken = `${refreshToken}\\b.{0,80}?\\b(?:${gone})|\\b(?:${bad})(?![a-z]).{0,40}?${refreshToken}`;
const goneRefreshToken = `${badRefreshToken}|\\b(?:${unable})(?![a-z]).{0,40}?${refreshToken}|\\bno (?:matching |valid )?${refreshToken}s? (?:was |were )?(?:found|exists?)`;
/** Of a refresh token, and not of a code: no code is sent with one. */
const usedBefore =
  '(?:already|previously|once) (?:been )?(?:used|exchanged|redeemed|consumed)|(?:token|refresh) (?:re-?use|replay)' +
  `|re-?use (?:was )?detected|old ${refreshToken} used`;
/** A request that lacks the refresh token, or a scope or grant type of that name, is no dead grant. */
const lacking =
  `${refreshToken} (?:parameter )?(?:is |was )?(?:required|missing|empty)` +
  `|missing (?!or invalid).{0,40}?${refreshToken}`;
const absentRefreshToken =
  'missing (?!or invalid)|required parameter|parameter.{0,20}required' +
  `|${lacking}|not (?:provided|supplied` +
  '|present|specified|included)|in (?:the )?(?:request|body)|grant[ _-]?type|\\bscopes?\\b';
/**
 * A token that is called by no other name is the one that was sent. What stands before it would make it another one;
 * what stands after it, no token at all.
 */
const noOtherToken =
  '(?<!\\b(?:access|id|csrf|xsrf|api|jwt|request|assertion|client|bearer|actor|subject|security|page|sync|device)[ _-]?)';
const plainToken = `${noOtherToken}\\btoken\\b(?![ _-]?(?:request|endpoint|type|format|auth|exchange|url|uri|param|hint|scope|limit|store|server|service))`;
const goneToken =
  `${plainToken}.{0,30}?\\b(?:${gone})` +
  `|\\b(?:${bad})(?: (?:or|and) \\w{1,20})?(?: (?:oauth|provided|this|the|your)){0,2} ${plainToken}`;
/** The token that was not made: what is wrong is not the one that was sent. */
const making =
  '(?:issu|generat|creat|mint|sign)(?:e|ed|ing|ion|ance)?\\b.{0,20}\\btoken|token (?:issu|generat|creat)' +
  '|unknown error';
const again = '(?:(?:log|sign)(?:ging|ing)?[ -]?(?:in|on)|authori[sz]e|authenticate|connect|consent) again';
const noMore = 'revoked|withdrawn|de-?authori[sz]ed|deleted|disabled|deactivated|inactive';
const logInAgain = `${again}|re-?log[ -]?in|re-?auth(?:enticat|ori[sz])|re-?connect|re-?consent|(?:must|needs? to|has to|have to|please) (?:log|sign)[ -]?(?:in|on)|(?:log|sign)[ -]?in (?:is )?required|(?:authori[sz]ation|access|consent|grant|permissions?) (?:was |were |has been |have been |has |is )?(?:revoked|withdrawn|expired)|revoked by (?:the |a )?(?:user|owner|resource owner|administrator)|(?:user|resource owner)(?: account)? (?:(?:has|been|was|is) ){0,3}(?:${noMore})|(?:app|application|integration) (?:was |has been )?(?:uninstalled|disconnected)|session (?:(?:has|been|was|is) ){0,3}(?:expired|invalidated|revoked|terminated)|changed (?:the|their|his|her) password|(?:user|owner) (?:has|did) ?(?:not|n't) (?:authori[sz]ed?|approved?|consent(?:ed)?)`;
/** A person, but one who looks after the client. */
const ofTheClient = 'console|portal|dashboard';
/** An accident of the server's, after which nothing that it says of a token can be known. */
const accident =
  'temporar(?:y|ily)|at (?:this|the) (?:time|moment)|too many|(?:rate|requests?|logins?' +
  '|quota|limit)s? (?:limit )?exceeded|rate.?limit|throttl|slow down|overload|(?:currently|service' +
  '|server) (?:is )?unavailable|(?<!(?:session|inactivity|idle|login)(?: has| is)? )time[d-]? ?out' +
  '|upstream (?:connect|request|serv|error|host|time)|deadlock|connect(?:ion)? (?:error|reset|refused|failed)|(?:internal' +
  '|unexpected) (?:server )?error|(?:server|system) (?:is )?busy|maintenance';
/** Something that passes. A session that has timed out does not. */
const passing =
  '(?:being|already) processed|in progress|under ?way|in[ -]flight|duplicate request|concurrent' +
  '|try(?:ing)? (?:it |this )?again|\\bretry|(?:please|must|needs? to|have to) wait\\b' +
  '|\\bwait (?:for )?\\d|\\block(?:ed)? by' +
  `|${accident}`;

/** No token endpoint is here: it has moved, or its address is wrong. */
export const movedStatuses: readonly number[] = [301, 302, 303, 307, 308, 404, 405, 410];

/** The last one matches everything. */
export const commonErrorRules: readonly ErrorRule[] = [
  {
    name: 'too_many_requests',
    when: { status: [429] },
    class: 'transient',
    comment: 'Refused before it was looked at, whatever the body says.',
    source: 'RFC 6585 §4',
  },
  {
    name: 'outage',
    when: { status: ['5xx'] },
    class: 'in_doubt',
    comment:
      'May have rotated before it failed. An error code beside a 5xx is not believed: an outage must never read ' +
      'as a dead grant.',
    source: 'RFC 9110 §15.6',
  },
  {
    name: 'clocks_differ',
    when: {
      explicit: true,
      words:
        '(?:issued?|issued_at|iat|nbf|time|claim|token|jwt|assertion)\\b.{0,30}\\bfuture\\b|not (?:yet valid|valid (?:yet|before|until))|\\b(?:iat|nbf)\\b|clock (?:skew|drift)|used (?:before|too early)|AADSTS700024|valid time range',
    },
    class: 'transient',
    comment: 'An assertion of a clock that is ahead of theirs: the next one is good.',
    source: 'RFC 7523 §3; keycloak/keycloak#8966, panva/openid-client#302, bluesky-social/atproto#4474',
  },
  {
    name: 'assertion_not_active',
    when: { error: ['invalid_client', 'unauthorized_client'], words: 'token is not active' },
    class: 'transient',
    comment:
      'Of a refresh token Keycloak says it with invalid_grant; with these codes, of an assertion from a clock ' +
      'that is ahead.',
    source: 'keycloak/keycloak#8966',
  },
  {
    name: 'assertion_expired',
    when: {
      error: ['invalid_client', 'unauthorized_client'],
      words: '(?:assertion|jwt|\\bexp\\b).{0,40}\\bexpired|\\bexpired.{0,20}(?:assertion|jwt)',
      unless: 'certificate|secret|\\bkeys?\\b',
    },
    class: 'transient',
    comment: 'Minutes old at most when it was sent: their clock is ahead, or the request was long on its way.',
    source: 'RFC 7523 §3',
  },
  {
    name: 'address_not_allowed',
    when: {
      explicit: true,
      words:
        '\\bip\\b(?: address)? (?:out of )?range|\\bip\\b.{0,40}\\b(?:restrict|block|den(?:y|ied)|forbid|not (?:allow|permit|authori[sz]ed|whitelist|on the|in the))|(?:restrict|block|den|not allow).{0,30}\\bip\\b|(?:not|outside).{0,30}(?:allow|white)-?\\s?list',
    },
    class: 'misconfigured',
    cause: 'invalid_request',
    fix:
      "The provider accepts requests from some addresses only: put the broker's outgoing addresses on the " +
      'allowlist there, or lift the restriction for this application; then put the connection again.',
    comment: 'Neither the grant nor the client: the place that the request came from.',
    source: 'athenaFlex#107; help.salesforce.com, connected app policies',
  },
  {
    name: 'could_not_look',
    when: { explicit: true, words: accident, unless: `${logInAgain}|${badRefreshToken}` },
    class: 'transient',
    comment:
      'It could not find or verify the refresh token since something else of its own failed: a store that is out of ' +
      'reach says nothing of a grant.',
    source: 'ory/hydra#1928, #3604',
  },
  {
    name: 'try_later',
    when: {
      explicit: true,
      words: passing,
      unless: `${logInAgain}|${goneRefreshToken}`,
    },
    class: 'transient',
    comment: 'The words tell of something that passes, whatever code they are put to.',
    source: 'segmentio/action-destinations#2300, restforce#412',
  },
  {
    name: 'refresh_token_too_old',
    when: { words: 'AADSTS(?:700082|70043|700084)' },
    class: 'dead_grant',
    cause: 'refresh_token_expired',
    comment: 'Microsoft Entra: not used for too long, or at the end of what a policy allows.',
    source: 'learn.microsoft.com Q&A 1158831; reference-error-codes',
  },
  {
    name: 'entra_login',
    when: { words: 'AADSTS(?:50173|50076|50078|50079|50158|65001)\\b' },
    class: 'dead_grant',
    cause: 'invalid_grant',
    comment:
      'Microsoft Entra: revoked (a changed password), a second factor or a consent is wanted: a person has to log in.',
    source: 'learn.microsoft.com Q&A 1158831; reference-error-codes',
  },
  {
    name: 'entra_client',
    when: { words: 'AADSTS(?:7000215|7000222|700016|90002|700027)\\b' },
    class: 'misconfigured',
    cause: 'invalid_client',
    comment: 'Microsoft Entra: wrong or expired client secret, an unknown application, an unknown tenant.',
    source: 'recalled from learn.microsoft.com, reference-error-codes',
  },
  {
    name: 'entra_later',
    when: { words: 'AADSTS(?:90033|90006|90055|50196)\\b' },
    class: 'transient',
    retryAfterSeconds: 60,
    comment: 'Microsoft Entra: out of service for the moment, or the same request too often.',
    source: 'recalled from learn.microsoft.com, reference-error-codes',
  },
  {
    name: 'login_required',
    when: {
      error: [
        'login_required',
        'interaction_required',
        'consent_required',
        'account_selection_required',
        'reauthentication_required',
        'reauthorization_required',
        'reauth_required',
        'mfa_required',
        'password_expired',
      ],
    },
    class: 'dead_grant',
    cause: 'invalid_grant',
    comment: 'A person has to log in, whatever number stands beside it.',
    source: 'OpenID Connect Core 1.0 §3.1.2.6; vscode-azure-account#673',
  },
  {
    name: 'refresh_token_used',
    when: {
      status: ['4xx'],
      error: ['invalid_grant', 'refresh_token_already_used', 'refresh_token_reused'],
      words: usedBefore,
      unless: '\\bor\\b',
    },
    class: 'dead_grant',
    cause: 'refresh_token_reused',
    comment: 'Said in words to have been used: by another party, or by a request of ours whose reply was lost.',
    source: 'keycloak TokenManager; supabase/auth refresh_token_already_used; workos/workos-node#1202',
  },
  {
    name: 'refresh_token_in_words',
    when: { status: ['2xx', '3xx', '4xx'], words: goneRefreshToken, unless: absentRefreshToken },
    class: 'dead_grant',
    cause: 'invalid_grant',
    comment:
      'The words name the refresh token, whatever the code says: invalid_request, unauthorized_client, none at all.',
    source: 'authlib#112; docs.apigee.com; developer.atlassian.com; dev.twitch.tv',
  },
  {
    name: 'refresh_token_field',
    when: {
      status: ['4xx'],
      body: '"field"\\s*:\\s*"refresh_?token"\\s*,\\s*"code"\\s*:\\s*"(?:invalid|expired|revoked)"',
    },
    class: 'dead_grant',
    cause: 'invalid_grant',
    comment: 'The field is named, and what is wrong with it.',
    source: 'developers.strava.com',
  },
  {
    name: 'log_in_again',
    when: { status: ['2xx', '3xx', '4xx'], words: logInAgain, unless: ofTheClient },
    class: 'dead_grant',
    cause: 'invalid_grant',
    comment: 'The words send a person to log in again.',
    source: 'FlowFuse#8547',
  },
  {
    name: 'invalid_grant',
    when: {
      error: [
        'invalid_grant',
        'invalid_token',
        'invalid_refresh_token',
        'bad_refresh_token',
        'unknown_refresh_token',
        'expired_refresh_token',
        'revoked_refresh_token',
        'refresh_token_invalid',
        'refresh_token_expired',
        'refresh_token_revoked',
        'refresh_token_not_found',
        'refresh_token_reused',
        'refresh_token_expired_or_revoked',
        'token_expired',
        'token_revoked',
        'token_invalid',
        'token_inactive',
        'expired_token',
        'revoked_token',
        'inactive_token',
        'expired_access_token',
        'grant_expired',
        'grant_revoked',
        'consent_revoked',
        'authorization_revoked',
        'session_expired',
        'session_not_found',
        'invalid_session',
        'inactive_user',
        'user_inactive',
        'user_disabled',
        'user_not_found',
        'account_inactive',
        'account_disabled',
        'token_not_valid',
        'token_not_found',
        'token_reused',
        'token_already_used',
      ],
    },
    class: 'dead_grant',
    cause: 'invalid_grant',
    comment: 'Expired, revoked or used up; and what GitHub, Slack, Salesforce, UAA and others say in its place.',
    source: `${rfc6749}; home-assistant/core#141223, slackapi/node-slack-sdk#2038`,
  },
  {
    name: 'application_not_admitted',
    when: {
      error: [
        'invalid_app_access',
        'admin_policy_enforced',
        'org_internal',
        'oauth_app_blocked',
        'oauth_app_access_denied',
        'oauth_ec_app_access_denied',
      ],
    },
    class: 'misconfigured',
    cause: 'invalid_client',
    fix:
      'An administrator of the account at the provider has not admitted the application: have it allowed there, ' +
      'then put the connection again.',
    comment: 'Neither the grant nor the secret: a policy of the organization that the account belongs to.',
    source: 'help.salesforce.com, OAuth error codes; developers.google.com/identity/protocols/oauth2',
  },
  {
    name: 'client_gone',
    when: {
      error: [
        'deleted_client',
        'disabled_client',
        'client_deleted',
        'client_disabled',
        'client_inactive',
        'inactive_client',
        'application_disabled',
        'app_disabled',
        'application_not_found',
        'application_cannot_be_found',
        'app_not_found',
        'oauth_app_not_found',
        'oauth_ec_app_not_found',
      ],
    },
    class: 'misconfigured',
    cause: 'invalid_client',
    fix:
      'The application was deleted or disabled at the provider: enable it there, or make another and put its id ' +
      'and secret as client.',
    comment: 'Google, and others: not the secret is wrong, the client is not there any more.',
    source: 'google-api-nodejs-client#1256',
  },
  {
    name: 'invalid_client',
    when: {
      error: [
        'invalid_client',
        'unauthorized_client',
        'unknown_client',
        'invalid_client_id',
        'invalid_client_secret',
        'invalid_client_credentials',
        'invalid_client_assertion',
        'incorrect_client_credentials',
        'bad_client_id',
        'bad_client_secret',
        'client_secret_expired',
        'client_authentication_failed',
      ],
    },
    class: 'misconfigured',
    cause: 'invalid_client',
    comment: 'The client, not the grant: the refresh token is kept.',
    source: rfc6749,
  },
  {
    name: 'client_unauthorized',
    when: { status: [401], error: ['access_denied'], words: '^unauthorized$' },
    class: 'misconfigured',
    cause: 'invalid_client',
    comment: 'Auth0 says it of a wrong client secret; 401 is the status for clients that cannot authenticate.',
    source: `${rfc6749}; community.auth0.com`,
  },
  {
    name: 'client_in_words',
    when: {
      status: ['2xx', '3xx', '4xx'],
      words:
        '\\b(?:invalid|incorrect|unknown|wrong|bad|expired) (?:client(?:[ _-](?:id|secret|credentials?))?|api[ _-]?key)\\b(?! (?:request|certificate))|\\b(?:client[ _-]?(?:id|secret|credentials?|authentication)|api[ _-]?key)\\b.{0,20}\\b(?:invalid|incorrect|unknown|wrong|expired|failed|not (?:found|valid|recogni[sz]ed))|secret hash',
    },
    class: 'misconfigured',
    cause: 'invalid_client',
    comment: 'The words name the client, under a code that says less, or none.',
    source: 'docs.aws.amazon.com, Cognito InitiateAuth; firebase.google.com',
  },
  {
    name: 'invalid_parameter',
    when: {
      error: [
        'invalid_target',
        'invalid_resource',
        'redirect_uri_mismatch',
        'invalid_redirect_uri',
        'invalid_dpop_proof',
      ],
    },
    class: 'misconfigured',
    cause: 'invalid_request',
    comment: 'Something else than the grant is wrong with the request, whatever the words call invalid.',
    source: 'RFC 8707 §2, RFC 9449 §5',
  },
  {
    name: 'server_error',
    when: {
      error: [
        'server_error',
        'internal_error',
        'internal_failure',
        'internal_server_error',
        'fatal_error',
        'backend_error',
        'request_timeout',
      ],
    },
    class: 'in_doubt',
    comment: 'A 500 by another status.',
    source: 'RFC 6749 §4.1.2.1',
  },
  {
    name: 'temporarily_unavailable',
    when: {
      error: [
        'temporarily_unavailable',
        'service_unavailable',
        'rate_limit_exceeded',
        'rate_limited',
        'ratelimited',
        'too_many_requests',
        'slow_down',
        'resource_exhausted',
        'quota_exceeded',
      ],
    },
    class: 'transient',
    comment: 'Overloaded or in maintenance, and it took care to say so: not looked at.',
    source: 'RFC 6749 §4.1.2.1',
  },
  {
    name: 'token_in_words',
    when: { status: ['2xx', '3xx', '4xx'], words: goneToken, unless: `${absentRefreshToken}|assertion|${making}` },
    class: 'dead_grant',
    cause: 'invalid_grant',
    comment: 'A token that is called by no other name is the one that was sent: the refresh token.',
    source: 'tweepy/tweepy#2156, Zoom in NangoHQ/nango#243, jazzband/djangorestframework-simplejwt',
  },
  {
    name: 'invalid_grant_in_words',
    when: { status: ['2xx', '3xx', '4xx'], words: '\\binvalid_grant\\b' },
    class: 'dead_grant',
    cause: 'invalid_grant',
    comment: 'A server in between quotes the code of the one behind it.',
    source: 'raycast/extensions#10896 and others like it',
  },
  {
    name: 'invalid_request',
    when: {
      error: ['invalid_request', 'invalid_scope', 'unsupported_grant_type', 'invalid_grant_type'],
    },
    class: 'misconfigured',
    cause: 'invalid_request',
    comment: 'The next request would be the same, so it would fail the same; a person has to look.',
    source: rfc6749,
  },
  {
    name: 'refresh_token_absent',
    when: { status: ['4xx'], words: lacking },
    class: 'misconfigured',
    cause: 'invalid_request',
    comment: 'The refresh token was sent, but not where this server looks for it.',
    source: 'dev.twitch.tv; firebase.google.com',
  },
  {
    name: 'moved_endpoint',
    when: { status: movedStatuses },
    class: 'transient',
    misconfiguredAfter: 8,
    cause: 'invalid_request',
    fix: 'No token endpoint answers at this address: put its address as settings.token_endpoint.',
    comment:
      'Not followed: the refresh token would go where the answer says. A deployment of theirs may pass; a moved ' +
      'endpoint stays moved.',
    source: 'RFC 9700 §4.12; freelawproject/courtlistener#7927, forcedotcom/ForceCLI#645',
  },
  {
    name: 'refused',
    when: { status: ['2xx', '3xx', '4xx'], explicit: true },
    class: 'transient',
    lasting: true,
    comment: 'A refusal by a name that is not known. Not a doubt, whatever the status.',
    source: rfc6749,
  },
  {
    name: 'unusable_success',
    when: { status: ['2xx'] },
    class: 'in_doubt',
    comment: 'A success that cannot be used: the provider may have rotated.',
    source: 'RFC 6749 §5.1',
  },
  {
    name: 'not_understood',
    when: {},
    class: 'transient',
    comment: 'A refusal without an error code: a firewall, a proxy, a page for people.',
    source: 'RFC 6749 §5.2 requires an error code',
  },
];
