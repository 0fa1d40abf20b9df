/** What IXON says, and how it reads the header Authorization: its page on common errors, and its OpenAPI. */
import type { Reply } from './simulator.ts';

export const invalidValue = 'Invalid value';

/** IXON's envelope of errors. `propertyName` is the header or member that the message is about. */
export function refusal(status: number, message: string, propertyName?: string): Reply {
  const data = [{ message, ...(propertyName !== undefined && { propertyName }) }];
  const error = propertyName === undefined ? message : `${message} - ${propertyName}`;
  return { status, error, body: { type: 'Error', data, moreAfter: null, status: 'error' } };
}

export const success = (type: string, data: unknown, status = 200): Reply => ({
  status,
  body: { type, data, moreAfter: null, status: 'success' },
});

/** Mishaps of the fourth kind, as the page on common errors tells of them. It shows no body. */
export const serverErrors = {
  internal: { answer: { status: 500 } },
  gatewayTimeout: {
    answer: {
      status: 504,
      headers: { 'content-type': 'text/html' },
      body: '<html><body>504 Gateway Timeout</body></html>',
    },
  },
  /** The token was issued, and the client did not get it. */
  replyLost: { cutOff: true },
} as const;

/** The two parts of the header Authorization, or what is said of it. */
export function authorizationIn(
  header: string | undefined,
): { readonly type: string; readonly credentials: string } | string {
  if (header === undefined) return 'Required header';
  const [, type, credentials] = /^(\S+) (\S+)$/.exec(header) ?? [];
  if (type === undefined || credentials === undefined)
    return 'Authorization must start with a type and have a credentials';
  return { type, credentials };
}

/** What is wrong with the form of an access token, if anything. */
export function faultOfBearer(token: string): string | undefined {
  if (token.length < 32) return 'Value is too short';
  if (token.length > 32) return 'Value is too long';
  return /^[0-9a-zA-Z]+$/.test(token) ? undefined : 'Value does not match regex expression';
}

export interface Login {
  readonly email: string;
  /** Empty without a second factor. */
  readonly otp: string;
  /** May have colons in it. */
  readonly password: string;
}

/** `email:otp:password`, or what is said of it. */
export function loginIn(credentials: string): Login | string {
  if (!/^[0-9a-zA-Z+/]+={0,2}$/.test(credentials)) return 'Value does not match regex expression';
  const [, email, otp, password] =
    /^([^:]*):([^:]*):(.*)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? [];
  if (email === undefined || otp === undefined || password === undefined) return invalidValue;
  return { email, otp, password };
}
