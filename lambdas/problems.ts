/**
 * The wire's few error codes. Many reasons, few codes: the precise one is in the log and in the connection's status.
 */
interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
}

export const problemKinds = {
  invalid_request: { status: 400, title: 'The request is not valid', retryable: false },
  forbidden: { status: 403, title: 'The caller may not use this connection', retryable: false },
  connection_not_found: { status: 404, title: 'There is no connection of this name', retryable: false },
  conflict: { status: 409, title: 'The connection was changed at the same time', retryable: true },
  grant_conflict: {
    status: 409,
    title: 'Another connection has the grant of this user and application',
    retryable: false,
  },
  reauthorization_required: { status: 409, title: 'Somebody has to authorize this connection again', retryable: false },
  misconfigured: { status: 409, title: 'The provider does not accept this connection’s settings', retryable: false },
  temporarily_unavailable: { status: 503, title: 'No valid token can be served at this moment', retryable: true },
  internal_error: { status: 500, title: 'The broker failed', retryable: true },
} as const satisfies Readonly<Record<string, ProblemKind>>;

export type ProblemCode = keyof typeof problemKinds;

export const problemCodes = Object.keys(problemKinds) as ProblemCode[];
