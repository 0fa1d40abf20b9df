/**
 * What refusals mean, by their words and shapes: variations of what was reported, each read by the rules that all
 * providers share.
 */
import { expect, test } from 'vitest';
import { classify } from '../../shared/domain/classify.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { dialectOf } from '../../shared/providers/dialect.ts';

const now = 1_800_000_000_000 as EpochMs;
const dialect = dialectOf({ provider: 'generic-oauth2', settings: { token_endpoint: 'https://id.example/token' } });

function meaningOf(status: number, body: unknown, headers: Record<string, string> = {}): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const reply = {
    kind: 'reply',
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  } as const;
  const outcome = classify(reply, { requestedAt: now, receivedAt: now }, [], dialect);
  return outcome.kind === 'success' ? 'success' : outcome.class;
}

const coded = (error: string, error_description: string, status = 400) =>
  meaningOf(status, { error, error_description });

const deaths = [
  'Token is not active',
  'Session not active',
  'Stale token',
  'Offline user session not found',
  'User session not found or inactive',
  'Unknown or invalid refresh token.',
  'The refresh token is invalid or expired.',
  'Token has been expired or revoked.',
  'Bad Request',
  'refresh token is invalid or revoked',
  'The specified refresh token has already been redeemed',
  'reauth related error (invalid_rapt)',
  'Token expired',
  'Maximum allowed refresh token reuse exceeded',
  "Session doesn't have required client",
  'Invalid refresh token or expired',
  'Incorrect token type',
  'user is inactive',
  'The provided access grant is invalid, expired, or revoked (e.g. invalid assertion, expired authorization token, ' +
    'bad end-user password credentials, or mismatching authorization code and redirection URI).',
  'the provided authorization refresh token is invalid or was issued to another client',
  'Grant revoked. Please try logging in again',
  'AADSTS70008: The provided authorization code or refresh token has expired due to inactivity. ' +
    'Send a new interactive authorization request for this user and resource.',
  'AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed.',
  'Refresh token has been expired, retry with a new authorization',
  'The request has an invalid grant parameter : refresh_token',
  'session timed out',
  'Authorization has been revoked',
  'Token family revoked because of reuse',
];

const refreshTokens = [
  'The refresh token is invalid.',
  'Invalid refresh token',
  'invalid_refresh_token',
  'Refresh token expired',
  'The refresh_token provided is not valid',
  'Refresh token is not valid anymore',
  'refresh token has been used',
  'Refresh Token does not exist',
  'Cannot decrypt the refresh token',
  'Token has been revoked: refresh_token',
  'refresh token: record not found',
  'No refresh token found for this user',
  'refreshToken is invalid',
  'The refresh-token has expired',
  'Provided refresh token could not be found',
  'refresh_token malformed',
  'Refresh token was already rotated',
  'Invalid `refresh_token`',
  'Invalid parameter: refresh_token expired',
  'Refresh token revoked or expired, login required',
  'The refresh token you supplied is not recognized',
];

const logins = [
  'User must log in again',
  'Please log in again',
  'login again',
  'You need to re-authorize this application',
  'User has revoked access',
  're-authentication required',
  'Consent has been revoked',
  'The user needs to sign in again',
  'The user account has been disabled',
  'Please reconnect your account',
  'App was uninstalled',
  'the resource owner revoked the authorization',
  'Please relogin',
  'Access has been revoked by the user',
  'User is required to authenticate again',
  'Your authorization has expired, please authorize again',
  'new login required',
];

const clients = [
  'Client authentication failed',
  'Invalid client or Invalid client credentials',
  'The OAuth client was not found.',
  'client_id not found',
  'Bad client credentials',
  'Unauthorized',
  'Client secret expired',
  'AADSTS7000222: The provided client secret keys for app are expired.',
  'Invalid client secret provided',
  'Client authentication failed (e.g., unknown client, no client authentication included, ' +
    'or unsupported authentication method)',
  'The client is not authorized to use the refresh token grant',
  'refresh_token grant is not enabled for this client',
  'client is disabled',
  'Client credentials in the body are not allowed',
  'Client not allowed for refresh tokens',
  'Missing client authentication',
  'Invalid client credentials, please log in to the developer console',
];

const requests = [
  'Missing required parameter: refresh_token',
  'The request is missing a required parameter, includes an unsupported parameter value (other than grant type), ' +
    'repeats a parameter, includes multiple credentials, utilizes more than one mechanism for authenticating the ' +
    'client, or is otherwise malformed.',
  'refresh_token is required',
  'Missing form parameter: grant_type',
  'Invalid grant_type: refresh_token',
  'Invalid request: missing refresh token',
  'Duplicate parameter',
  'The refresh token parameter must be provided',
  'Unsupported grant type refresh_token',
  'Invalid redirect_uri',
  'refresh token not provided',
  'Invalid scope: refresh_token',
  'No refresh token in request',
  'refresh_token must not be empty',
  'invalid content type',
  'The parameter refresh_token is missing or malformed',
];

const passing = [
  'token request is already being processed',
  'login rate exceeded',
  'Please try again',
  'Please try again later',
  'Try again in 5 minutes',
  'Temporary error',
  'Too many requests',
  'rate limit exceeded',
  'A concurrent refresh is in progress',
  'Request is being processed',
  'service temporarily unavailable',
  'Internal error, retry later',
  'Could not acquire lock, please retry',
  'Database timeout',
  'Request timed out',
  'The system is undergoing maintenance',
  'server is busy',
  'Rate limited',
  'API calls quota exceeded',
  'upstream connect error',
  'Another refresh is already underway',
  'Token refresh already in progress for this token',
  'Too many login attempts',
  'Server overloaded',
  'Please wait and try again',
  'Throttled',
  'We are experiencing problems. Please try again in a few minutes.',
  'Unexpected error, try again',
  'timeout while contacting the identity provider',
  'An unexpected error has occurred. Please retry.',
  'Duplicate request in flight',
  'lock wait timeout exceeded',
];

const addresses = [
  'ip restricted',
  'IP address not allowed',
  'ip address is not whitelisted',
  'Request from this IP is blocked',
  'restricted IP',
  'IP not in allowlist',
  'Your IP is not allowed to access this resource',
  'access denied: source ip 1.2.3.4 not authorized',
  'IP range restriction',
  'Login from this IP address is restricted',
  'IP restrictions apply',
  'The client IP is forbidden by policy',
  'Not in trusted IP range',
  'client ip blocked',
  'login ip range violation',
  'ip address out of range',
];

const clocks = [
  'JWT issued in the future',
  'Token is not yet valid',
  'iat is in the future',
  'The token was issued at a future time',
  'Client assertion is not within its valid time range',
  'nbf claim in future',
  'JWT is not valid yet',
  'Invalid iat',
  'client assertion used before issued',
  'id token used too early',
  'assertion not valid before 12:00',
  'Token used before issued',
  'client_assertion iat must not be in the future',
  'issue time is in the future',
  'The assertion is not valid until later',
  'issued_at in future',
];

test.each(deaths)('invalid_grant, dead: %s', (words) => {
  expect(coded('invalid_grant', words)).toBe('dead_grant');
});

test.each(refreshTokens)('dead whatever the code and the place: %s', (message) => {
  const meanings = [
    coded('invalid_request', message),
    coded('invalid_request', message, 401),
    coded('unauthorized_client', message),
    meaningOf(400, { message }),
    meaningOf(401, { error: { code: 401, message } }),
    meaningOf(200, { error: true, message }),
  ];
  expect(new Set(meanings)).toEqual(new Set(['dead_grant']));
});

test.each(logins)('sends a person to log in: %s', (words) => {
  expect([coded('invalid_client', words, 401), coded('invalid_request', words)]).toEqual(['dead_grant', 'dead_grant']);
});

test.each(clients)('of the client: %s', (words) => {
  expect(coded('invalid_client', words, 401)).toBe('misconfigured');
});

test.each(requests)('of the request: %s', (words) => {
  expect(coded('invalid_request', words)).toBe('misconfigured');
});

test.each(passing)('passes: %s', (words) => {
  const meanings = [
    coded('invalid_grant', words),
    coded('invalid_client', words, 401),
    coded('invalid_request', words),
  ];
  expect(new Set(meanings)).toEqual(new Set(['transient']));
});

test.each(addresses)('of the address: %s', (words) => {
  expect([coded('invalid_grant', words), coded('access_denied', words, 403)]).toEqual([
    'misconfigured',
    'misconfigured',
  ]);
});

test.each(clocks)('of two clocks: %s', (words) => {
  expect(coded('invalid_client', words, 401)).toBe('transient');
});

test.each<[string, number, unknown, Record<string, string>?]>([
  ['dead_grant', 400, [{ errorCode: 'invalid_grant', message: 'x' }]],
  ['dead_grant', 400, { data: { error: 'invalid_grant' } }],
  ['dead_grant', 400, { response: { error: 'invalid_grant' } }],
  ['dead_grant', 400, { result: { code: 'invalid_grant' } }],
  ['dead_grant', 400, { error: { error: 'invalid_grant' } }],
  ['dead_grant', 400, { error: { errors: [{ reason: 'invalid_grant' }] } }],
  ['dead_grant', 400, { error: { name: 'invalid_grant' } }],
  ['dead_grant', 400, { error: { errorCode: 'invalid_grant' } }],
  ['dead_grant', 400, { error: { error_code: 'invalid_grant' } }],
  ['dead_grant', 400, { errors: { code: 'invalid_grant' } }],
  ['dead_grant', 400, { errors: ['invalid_grant'] }],
  ['dead_grant', 400, { errors: [{ title: 'invalid_grant' }] }],
  ['dead_grant', 400, { errors: [{ name: 'invalid_grant' }] }],
  ['dead_grant', 400, { type: 'https://x.example/errors/invalid_grant', title: 'x', status: 400 }],
  ['dead_grant', 400, { detail: { error: 'invalid_grant' } }],
  ['dead_grant', 400, { detail: 'invalid_grant' }],
  ['dead_grant', 400, { fault: { detail: { errorcode: 'keymanagement.service.invalid_refresh_token' } } }],
  [
    'dead_grant',
    400,
    {
      fault: {
        faultstring: 'Refresh Token expired',
        detail: { errorcode: 'keymanagement.service.refresh_token_expired' },
      },
    },
  ],
  ['dead_grant', 400, '{"error":"{\\"error\\":\\"invalid_grant\\"}"}'],
  ['dead_grant', 400, '<OAuth><error>invalid_grant</error><error_description>expired</error_description></OAuth>'],
  ['dead_grant', 302, { error: 'invalid_grant' }],
  ['dead_grant', 404, { error: 'invalid_grant' }],
  ['dead_grant', 400, 'error=invalid_grant'],
  ['dead_grant', 400, 'Invalid refresh token', { 'content-type': 'text/plain' }],
  ['dead_grant', 401, '', { 'www-authenticate': 'Bearer error="invalid_grant", error_description="x"' }],
  ['dead_grant', 401, '', { 'www-authenticate': 'Bearer error="invalid_token"' }],
  ['dead_grant', 400, { statusCode: 400, error: 'Bad Request', message: 'invalid_grant' }],
  ['dead_grant', 400, { message: ['invalid_grant'] }],
  ['dead_grant', 400, { code: 'REFRESH_TOKEN_EXPIRED' }],
  ['dead_grant', 400, { Code: 'InvalidGrant' }],
  ['dead_grant', 400, { error: 'invalid_grant', error_uri: 'x' }],
  ['transient', 400, { error: 'authorization_pending' }],
  ['in_doubt', 500, { error: 'invalid_grant' }],
  ['in_doubt', 200, {}],
  ['in_doubt', 200, '<html></html>'],
  ['success', 200, { access_token: 'a', error_description: '', error: null }],
  ['success', 200, { access_token: 'a', success: true, errors: null }],
  ['success', 200, { access_token: 'a', error: 'none' }],
  ['success', 200, { access_token: 'a', error: 'false' }],
  ['success', 200, { access_token: 'a', error: 'null' }],
  ['success', 200, { access_token: 'a', error: '0' }],
  ['success', 200, { access_token: 'a', errors: [{}], error_code: 0 }],
])('%s: %i %j', (meaning, status, body, headers) => {
  expect(meaningOf(status, body, headers)).toBe(meaning);
});
