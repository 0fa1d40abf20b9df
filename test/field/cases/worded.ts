/**
 * Refusals as servers and providers word them, by where that was read: in their pages, their sources, or the reports of
 * those who got them.
 */
import type { FieldCase, ServerReply } from '../case.ts';

const back = { body: { access_token: 'at-9', expires_in: 3_600, refresh_token: 'rt-0' } };

/** What must come of a refusal. */
type Meaning = 'dead' | 'client' | 'request' | 'later';
type Row = readonly [Meaning, ServerReply['status'], ServerReply['body'], Partial<FieldCase>?];

const expected: Readonly<Record<Meaning, FieldCase['expected']>> = {
  dead: { status: { state: 'reauthorization_required' }, calls: 1, served: null },
  client: { status: { state: 'misconfigured', cause: 'invalid_client' }, calls: 1, served: null },
  request: { status: { state: 'misconfigured', cause: 'invalid_request' }, calls: 1, served: null },
  later: { status: { state: 'active' }, calls: [3, 20], last: { access_token: 'at-9' } },
};

const error = (code: string, error_description?: string) => ({ error: code, error_description });
const fitbit = (errorType: string, message: string) => ({ errors: [{ errorType, message }], success: false });
const salesforce = { provider: 'salesforce', settings: { domain: 'acme.my' } };
const hubspot = { provider: 'hubspot' };
const entra = { provider: 'business-central', settings: { tenant: 'contoso.onmicrosoft.com' } };
const google = { provider: 'google', settings: { scope: 'email' } };
const doorkeeper =
  'The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the ' +
  'authorization request, or was issued to another client.';

const rows: Readonly<Record<string, readonly Row[]>> = {
  'RFC 6749 §5.2, RFC 8707 §2, RFC 9449 §5: something else than the grant, called a token': [
    ['request', 400, error('invalid_target', 'Unable to issue token for unknown resource')],
    ['request', 400, error('invalid_dpop_proof', 'DPoP proof token is invalid')],
    ['later', 400, error('server_error', 'Failed to issue token: invalid signing key')],
    ['later', 400, error('server_error', 'Token: unknown error occurred')],
    ['later', 400, { message: 'Cannot generate token: account not found' }],
    ['later', 400, { message: 'An unknown error occurred while exchanging the refresh token' }],
  ],
  'docs.x.com; tweepy/tweepy#2156': [
    ['dead', 400, error('invalid_request', 'Value passed for the token was invalid.')],
  ],
  'developers.zoom.us; raycast/extensions#10896': [
    ['dead', 401, { reason: 'Invalid Token!', error: 'invalid_request' }],
    ['dead', 400, { reason: 'Invalid Token!', error: 'invalid_grant' }],
    ['dead', 401, { reason: 'Invalid request : Refresh Token invalid (owner ID)', error: 'invalid_request' }],
    ['client', 400, { reason: 'Invalid client_id or client_secret', error: 'invalid_client' }],
  ],
  'learn.microsoft.com, LinkedIn': [
    ['dead', 400, error('invalid_request', 'The token used in the request has been revoked by the user')],
    ['dead', 401, { serviceErrorCode: 65_601, message: 'The token used in the request has been revoked by the user' }],
  ],
  'developers.facebook.com': [
    [
      'dead',
      400,
      {
        error: {
          message:
            'Error validating access token: The session has been invalidated because the user changed the password.',
          type: 'OAuthException',
          code: 190,
          error_subcode: 460,
        },
      },
    ],
    [
      'dead',
      400,
      { error: { message: 'The user has not authorized application 123.', type: 'OAuthException', code: 190 } },
    ],
    ['later', 400, { error: { message: '(#4) Application request limit reached', type: 'OAuthException', code: 4 } }],
    ['later', 400, { error: { message: 'An unexpected error has occurred. Please retry your request later.' } }],
  ],
  'developers.tiktok.com; business-api.tiktok.com': [
    ['dead', 200, { ...error('invalid_grant', 'Refresh token is invalid or expired.'), log_id: '2020' }],
    ['dead', 200, { data: { description: 'Refresh token expired', error_code: 10_010 }, message: 'error' }],
    ['dead', 200, { code: 40_105, message: 'Refresh token is incorrect or has been revoked.', data: {} }],
    ['dead', 200, { code: 36_009_004, data: null, message: 'Invalid refresh token', request_id: 'x' }],
  ],
  'developers.pinterest.com': [
    ['dead', 401, { code: 283, message: 'Your refresh token is expired' }],
    ['dead', 401, { code: 2, message: 'Authentication failed. Invalid refresh token' }],
  ],
  'dev.twitch.tv': [
    ['client', 403, { status: 403, message: 'invalid client secret' }],
    ['client', 400, { status: 400, message: 'invalid client' }],
    ['request', 400, { status: 400, message: 'missing refresh token' }],
  ],
  'dev.fitbit.com': [
    ['dead', 401, fitbit('expired_token', 'Refresh token expired')],
    ['client', 401, fitbit('invalid_client', 'Invalid authorization header format.')],
    ['request', 400, fitbit('invalid_request', 'Missing parameters: refresh_token')],
    ['later', 409, fitbit('request', 'Too many concurrent refresh requests')],
  ],
  'dropbox.com/developers': [
    ['dead', 400, error('invalid_grant', 'refresh token is invalid or revoked')],
    ['client', 401, { error: 'invalid_client: Invalid client_id or client_secret' }],
  ],
  'auth0.com/docs': [
    ['dead', 403, error('invalid_grant', 'Unknown or invalid refresh token.')],
    ['dead', 403, error('invalid_grant', 'The user has been deleted or the grant was revoked.')],
    ['client', 401, error('access_denied', 'Unauthorized')],
    ['later', 403, error('too_many_requests', 'Global limit has been reached')],
  ],
  'developer.okta.com': [
    ['dead', 400, error('invalid_grant', 'The refresh token is invalid or expired.')],
    ['client', 401, { errorCode: 'invalid_client', errorSummary: "Invalid value for 'client_id' parameter." }],
    ['later', 400, { errorCode: 'E0000047', errorSummary: 'API call exceeded rate limit due to too many requests.' }],
    ['later', 400, error('invalid_grant', 'The refresh token is being used concurrently')],
  ],
  'docs.pingidentity.com; learn.microsoft.com, AD FS': [
    ['dead', 400, error('invalid_grant', 'unknown, invalid, or expired refresh token')],
    [
      'dead',
      400,
      error('invalid_grant', "MSIS9615: The refresh token received in 'refresh_token' parameter has expired."),
    ],
    ['client', 401, error('invalid_client', 'MSIS9622: Client authentication failed.')],
    ['client', 400, error('invalid_client', "MSIS9607: The 'client_id' parameter in the request is invalid.")],
  ],
  'docs.aws.amazon.com, Cognito and IAM Identity Center': [
    ['dead', 400, { __type: 'NotAuthorizedException', message: 'Refresh Token has been revoked' }],
    ['dead', 400, { __type: 'NotAuthorizedException', message: 'Invalid Refresh Token' }],
    ['later', 400, { __type: 'TooManyRequestsException', message: 'Rate exceeded' }],
    ['later', 400, { __type: 'com.amazon.coral.availability#ThrottlingException', message: 'Rate exceeded' }],
    ['client', 400, { __type: 'NotAuthorizedException', message: 'Unable to verify secret hash for client abc' }],
    ['dead', 400, error('invalid_grant', 'Invalid refresh token provided')],
    ['dead', 400, error('expired_token', 'Token expired')],
  ],
  'wso2/product-is': [
    ['dead', 400, error('invalid_grant', 'Persisted access token data not found')],
    ['client', 401, error('invalid_client', 'A valid OAuth client could not be found for client_id: x')],
  ],
  'ory/hydra#1928, #3004, #3604': [
    ['dead', 401, error('token_inactive', 'Token is inactive because it is malformed, expired or otherwise invalid.')],
    [
      'later',
      400,
      error(
        'invalid_request',
        'The request is missing a required parameter. Failed to refresh token because of multiple concurrent ' +
          'requests using the same token which is not allowed.',
      ),
    ],
    [
      'later',
      400,
      {
        error: {
          debug: 'Unable to serialize access due to a concurrent update in another session',
          message: 'invalid_request',
          reason: 'Failed to refresh token because of multiple concurrent requests using the same token.',
          status: 'Bad Request',
        },
      },
    ],
    ['dead', 400, error('invalid_grant', 'The refresh token has already been used.')],
    ['later', 400, error('error', 'could not serialize access due to concurrent update')],
    ['later', 400, error('invalid_grant', 'Unable to load refresh token: connection refused')],
    ['later', 400, error('invalid_grant', 'Unable to verify refresh token at this time')],
    ['later', 400, error('invalid_request', 'Could not find refresh token: redis timed out')],
  ],
  'zitadel/zitadel; goauthentik/authentik': [
    ['dead', 400, error('invalid_request', 'Errors.User.RefreshToken.Invalid')],
    ['dead', 400, error('invalid_request', 'Errors.OIDCSession.RefreshTokenInvalid')],
    ['dead', 400, error('invalid_grant', doorkeeper)],
  ],
  'apisupport.myob.com; developer.amazon.com, Login with Amazon; developer.ebay.com': [
    ['dead', 401, { Errors: [{ Name: 'OAuthTokenIsInvalid', Message: 'The refresh token is not valid' }] }],
    ['dead', 400, error('invalid_grant', 'The request has an invalid grant parameter : refresh_token')],
    ['dead', 400, error('invalid_request', 'The request has an invalid parameter : refresh_token')],
    ['client', 400, error('unauthorized_client', 'Not authorized for requested operation')],
    [
      'dead',
      400,
      error('invalid_grant', 'the provided authorization refresh token is invalid or was issued to another client'),
    ],
  ],
  'developers.docusign.com; developers.asana.com; developers.notion.com; figma.com/developers': [
    ['dead', 400, error('invalid_grant', 'expired_client_token')],
    ['dead', 400, error('invalid_grant', 'The `refresh_token` provided is invalid')],
    ['dead', 400, { object: 'error', status: 400, code: 'invalid_grant', message: 'Invalid refresh token.' }],
    ['dead', 400, { error: true, status: 400, message: 'Invalid refresh token', i18n: null }],
  ],
  'docs.gitlab.com (doorkeeper); support.atlassian.com, Bitbucket': [
    ['dead', 400, error('invalid_grant', doorkeeper)],
    ['dead', 400, error('unauthorized_client', 'Invalid refresh_token')],
  ],
  'developers.hubspot.com': [
    ['dead', 400, { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' }, hubspot],
    ['dead', 400, { status: 'BAD_REFRESH_TOKEN', message: 'missing or unknown refresh token' }],
    ['client', 400, { status: 'BAD_CLIENT_ID', message: 'missing or invalid client id' }, hubspot],
  ],
  'shopify.dev; developer.xero.com; developer.intuit.com': [
    ['client', 400, { error: 'application_cannot_be_found' }],
    ['dead', 401, { Type: null, Title: 'Unauthorized', Status: 401, Detail: 'TokenExpired: token expired at 10/10' }],
    ['dead', 400, error('invalid_grant', 'Incorrect or invalid refresh token')],
  ],
  'help.salesforce.com, OAuth error codes': [
    ['dead', 400, error('invalid_grant', 'inactive user'), salesforce],
    ['dead', 400, error('invalid_grant', 'inactive organization'), salesforce],
    ['dead', 400, error('invalid_grant', "user hasn't approved this consumer"), salesforce],
    ['client', 400, error('invalid_app_access', 'user is not admin approved to access this app'), salesforce],
    ['client', 400, error('OAUTH_EC_APP_NOT_FOUND', 'external client app is not installed in this org'), salesforce],
    ['client', 400, error('OAUTH_APP_BLOCKED', 'this app is blocked by admin'), salesforce],
    ['later', 400, error('unknown_error', 'retry your request'), salesforce],
    ['later', 400, [{ errorCode: 'SERVER_UNAVAILABLE', message: 'We are down for maintenance.' }], salesforce],
  ],
  'developers.google.com, identity': [
    [
      'dead',
      400,
      { ...error('invalid_grant', 'reauth related error (invalid_rapt)'), error_subtype: 'invalid_rapt' },
      google,
    ],
    ['client', 400, { error: 'admin_policy_enforced' }, google],
    ['dead', 400, error('invalid_grant', 'Account has been deleted')],
    ['later', 403, { error: { code: 403, message: 'Quota exceeded for quota metric', status: 'RESOURCE_EXHAUSTED' } }],
    ['later', 409, { error: { code: 409, message: 'The operation was aborted.', status: 'ABORTED' } }],
  ],
  'firebase.google.com, securetoken': [
    ...['TOKEN_EXPIRED', 'USER_DISABLED', 'USER_NOT_FOUND', 'INVALID_REFRESH_TOKEN'].map(
      (message): Row => ['dead', 400, { error: { code: 400, message, status: 'INVALID_ARGUMENT' } }],
    ),
    ['request', 400, { error: { code: 400, message: 'MISSING_REFRESH_TOKEN' } }],
    ['client', 400, { error: { code: 400, message: 'API key not valid. Please pass a valid API key.' } }],
  ],
  'learn.microsoft.com, Entra ID': [
    ['later', 400, error('invalid_grant', 'AADSTS90055: TenantThrottlingError'), entra],
    ['later', 400, error('temporarily_unavailable', 'AADSTS90033: A transient error has occurred.'), entra],
    ['later', 400, error('invalid_grant', 'AADSTS50196: The server terminated an operation because of a loop.'), entra],
    ['later', 400, error('invalid_request', 'AADSTS90055: There are too many incoming requests.'), entra],
    ['later', 400, error('invalid_grant', 'AADSTS90006: Unexpected retryable error from an identity provider.'), entra],
    [
      'client',
      401,
      error(
        'invalid_client',
        'AADSTS700027: The certificate with identifier used to sign the client assertion is expired on application.',
      ),
      entra,
    ],
    ['dead', 400, error('invalid_grant', 'AADB2C90085: An internal error. Please reauthenticate and try again.')],
  ],
  'keycloak/keycloak': [
    ...[
      'Session not active',
      'Maximum allowed refresh token reuse exceeded',
      'Stale token',
      'Token is not active',
      'User disabled',
      'Offline user session not found',
      'Invalid token type',
      "Invalid token issuer. Expected 'https://a' but was 'https://b'",
    ].map((words): Row => ['dead', 400, error('invalid_grant', words)]),
    ['client', 401, error('invalid_client', 'Invalid client or Invalid client credentials')],
    ['client', 401, error('unauthorized_client', 'Invalid client secret')],
  ],
  'RFC 7523 §3': [
    ['later', 401, error('invalid_client', 'Assertion is expired')],
    ['later', 401, error('invalid_client', 'client_assertion token has expired')],
    ['client', 401, error('invalid_client', 'The client secret has expired')],
  ],
  'spring-projects/spring-authorization-server; IdentityServer; servers in between': [
    ['dead', 400, { error: '[invalid_grant]' }],
    ['dead', 400, 'invalid_grant'],
    ['dead', 400, { message: 'invalid_grant: Token has been expired or revoked.' }],
    ['dead', 400, { error: 'invalid_grant: expired refresh token' }],
    ['dead', 400, { error: 'Error refreshing token (invalid_grant)' }],
    ['dead', 400, error('bad_request', 'upstream said invalid_grant')],
    ['dead', 400, { error: { message: '{"error":"invalid_grant","error_description":"gone"}' } }],
    ['dead', 400, { error: 'upstream_error', details: '400: {"error":"invalid_grant"}' }],
  ],
  'laravel/passport; thephpleague/oauth2-server; Rails': [
    ['dead', 422, { errors: { refresh_token: ['is invalid'] } }],
    ['dead', 400, 'Invalid refresh token'],
    ['dead', 422, { errors: { refreshToken: ['The refresh token has expired.'] } }],
    ['request', 422, { errors: { refresh_token: ['is required'] } }],
    [
      'dead',
      401,
      { error: 'invalid_request', message: 'The refresh token is invalid.', hint: 'Token has been revoked' },
    ],
    ['dead', 401, { error: 'invalid_grant', hint: 'Token is not linked to client' }],
  ],
  'jazzband/djangorestframework-simplejwt': [
    ['dead', 401, { detail: 'Token is invalid or expired', code: 'token_not_valid' }],
    ['dead', 401, { detail: 'Token is blacklisted', code: 'token_not_valid' }],
  ],
  'supabase/auth; clerk.com/docs; stytch.com/docs; workos.com/docs': [
    ['dead', 400, { error_code: 'refresh_token_not_found', msg: 'Invalid Refresh Token: Refresh Token Not Found' }],
    ['dead', 400, { error_code: 'refresh_token_already_used', msg: 'Invalid Refresh Token: Already Used' }],
    ['dead', 403, { error_code: 'session_not_found', msg: 'Session from session_id claim in JWT does not exist' }],
    ['dead', 401, { errors: [{ code: 'authorization_invalid', long_message: 'The refresh token is invalid' }] }],
    ['dead', 404, { error_type: 'refresh_token_not_found', error_message: 'Refresh token could not be found.' }],
    [
      'dead',
      401,
      {
        error: { message: 'Please try signing in again.', type: 'invalid_request_error', code: 'refresh_token_reused' },
      },
    ],
  ],
  'docs.monzo.com; developer.withings.com; developer.tesla.com; smartcar.com/docs': [
    ['dead', 401, { code: 'unauthorized.bad_refresh_token', message: 'Refresh token has been evicted' }],
    ['dead', 200, { status: 503, body: {}, error: 'Invalid Params: invalid refresh_token' }],
    ['later', 200, { status: 601, body: { wait_seconds: 10 }, error: 'Too Many Request' }],
    ['dead', 401, error('login_required', 'The refresh_token is invalid. Obtain a new refresh token.')],
  ],
  'developers.mercadolibre.com; id.vk.com; yandex.com/dev; developers.kakao.com; developers.naver.com': [
    ['dead', 400, { message: 'Your authorization code or refresh token may be expired or it was already used' }],
    ['later', 400, { message: 'local_rate_limited', error: 'too_many_requests', status: 429, cause: [] }],
    ['dead', 200, error('invalid_grant', 'Code is invalid or expired.')],
    ['dead', 400, error('expired_token', 'refresh token has been used')],
    ['dead', 400, { ...error('invalid_grant', 'expired_or_invalid_refresh_token'), error_code: 'KOE322' }],
    ['dead', 200, error('invalid_request', 'invalid refresh_token')],
  ],
  'open.feishu.cn; open.dingtalk.com; open.lazada.com; open.shopee.com': [
    ['dead', 200, { code: 20_064, ...error('invalid_grant', 'The refresh token has been revoked.') }],
    ['dead', 400, { code: 'invalidRefreshToken', message: '不合法的refreshToken', requestid: 'x' }],
    ['dead', 200, { code: 'IllegalRefreshToken', type: 'ISV', message: 'The specified refresh token is not right' }],
    ['dead', 200, { error: 'error_auth', message: 'Your refresh_token expired.', request_id: 'x' }],
  ],
  'what says nothing of a grant': [
    ['later', 400, error('invalid_grant', 'Refresh token is locked by another request, try again')],
    ['later', 400, error('invalid_grant', 'Too many refresh token requests')],
    ['later', 400, error('invalid_grant', 'Refresh token rate limit exceeded')],
    ['later', 400, error('invalid_grant', 'refresh token was just used, wait 5 seconds')],
    ['later', 400, error('invalid_grant', 'Please wait before requesting another token')],
    ['later', 400, error('invalid_grant', 'Too many attempts from this IP address, try again later')],
    ['later', 400, error('invalid_request', 'The token endpoint is temporarily unavailable')],
    ['later', 400, error('use_dpop_nonce', 'Authorization server requires nonce in DPoP proof')],
    ['later', 403, { error: 'Forbidden', message: 'Request blocked by WAF. Reference #18.2f' }],
    ['later', 403, { message: 'Invalid CSRF token' }],
    ['later', 403, { message: 'Limit Exceeded' }],
    ['later', 403, { error: 'requires_captcha' }],
    ['later', 409, { error: 'conflict' }],
    ['later', 200, '<!doctype html><title>Sign in</title><p>Your session has expired. Please log in again</p>'],
    ['later', 400, '<html><title>400 Request Header Or Cookie Too Large</title></html>'],
    ...['', '{}', 'null', 'true', '42', '"invalid"', '[]'].map((body): Row => ['later', 400, body]),
    ...[401, 407, 408, 413, 415, 423, 425, 451].map((status): Row => ['later', status, '']),
    ['request', 400, error('invalid_grant', 'Your IP address has been blocked')],
    ['request', 400, error('invalid_scope', 'The scope refresh_token is invalid')],
    ['request', 400, error('unsupported_grant_type', 'refresh_token is not a valid grant type')],
    ['client', 400, error('unauthorized_client', "The grant type 'refresh_token' is not allowed for this client")],
  ],
};

export const worded: readonly FieldCase[] = Object.entries(rows).flatMap(([source, listed]) =>
  listed.map(([meaning, status = 400, body = '', more]): FieldCase => {
    const reply = { status, body };
    const what = `${meaning}: ${status} ${typeof body === 'string' ? body : JSON.stringify(body)}`;
    return { source, what, answers: [reply, reply, back], hours: 2, expected: expected[meaning], ...more };
  }),
);
