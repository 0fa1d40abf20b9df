/** The environment variables of the functions: what the stack sets is what `compose.ts` and the handlers read. */

export type Variable =
  /** Name of the deployment, which is that of its broker stack: metrics and events carry it. */
  | 'DEPLOYMENT'
  | 'TABLE_NAME'
  | 'DUE_INDEX'
  | 'NAME_INDEX'
  | 'REFRESH_QUEUE_URL'
  | 'SECRET_PREFIX'
  | 'SECRETS_TABLE_NAME'
  | 'SECRETS_KEY_SECRET_ID'
  | 'ACCESS_KEY_SECRET_ID'
  | 'REFRESH_KEY_SECRET_ID'
  | 'STATE_KEY_SECRET_ID'
  | 'EVENT_BUS_NAME'
  /** Where the canary is reached, for the connection to it. */
  | 'TOKEN_ENDPOINT'
  /** Each answer is logged with who got it, if this is set. */
  | 'AUDIT'
  /** Where clients and browsers reach the API, if that is not at API Gateway's own host name. */
  | 'API_URL'
  /** The claim of a JWT that names what its caller may use, if it is neither `scope` nor `scp`. */
  | 'JWT_CLAIM'
  /** What stands before the name of a connection in a scope, if it is not `token:`. */
  | 'JWT_SCOPE_PREFIX';

/** Returns the value of a variable; undefined if it is empty or not set. */
export function optional(variable: Variable): string | undefined {
  const value = process.env[variable];
  return value === '' ? undefined : value;
}

/** Returns the value of a variable. Throws if it is empty or not set. */
export function required(variable: Variable): string {
  const value = optional(variable);
  if (value === undefined)
    throw new Error(`environment variable ${variable} is not set: the function was not deployed by its stack`);
  return value;
}

/** The local broker sets this, because its authorization servers are on this machine. The stack never does. */
export const loopbackAllowed = (): boolean => process.env.ALLOW_LOOPBACK_PROVIDERS === '1';
