/** HTTP replies: JSON, and problem details (RFC 9457). None may be cached: they speak of secrets and of the moment. */
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ClaimRefused } from '../shared/application/claim-grant.ts';
import type { ConnectionName } from '../shared/domain/connection-name.ts';
import type { Cause } from '../shared/domain/failure.ts';
import type { Fault } from '../shared/domain/fault.ts';
import type { EpochMs } from '../shared/domain/time.ts';
import { retryAfterSeconds } from '../shared/domain/timing.ts';
import { type ProblemCode, problemKinds } from './problems.ts';
import type {
  ConnectionList,
  ConnectionReply,
  DeletionReply,
  DownstreamError,
  LinkReply,
  Problem,
  TokenReply,
} from './replies.ts';

/** What the audit log says of an answer beside its status: never a value that was handed out or in. */
interface Facts {
  readonly code?: string;
  /** The number of the token set that was handed out, or that the connection has after the call. */
  readonly generation?: number;
  /** The one that the connection had before, or that a client reports as refused. */
  readonly generationBefore?: number | undefined;
}

export interface Reply extends APIGatewayProxyStructuredResultV2 {
  readonly facts?: Facts;
}

interface ProblemDetails {
  readonly detail: string;
  readonly cause?: Cause;
  readonly retryAfterSeconds?: number;
  readonly faults?: readonly Fault[];
  readonly downstreamErrors?: readonly DownstreamError[];
}

export const json = (
  statusCode: number,
  body: TokenReply | ConnectionReply | ConnectionList | LinkReply | DeletionReply | Problem,
  headers: Readonly<Record<string, string>> = {},
): Reply => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(body),
  facts: {
    ...('code' in body && { code: body.code }),
    ...('generation' in body && { generation: body.generation }),
  },
});

/** The reply, and which generation there was before. */
export const since = (generationBefore: number | undefined, { facts, ...reply }: Reply): Reply => ({
  ...reply,
  facts: { ...facts, generationBefore },
});

export const noContent: Reply = {
  statusCode: 204,
  headers: { 'cache-control': 'no-store' },
};

/** Returns the problem as `application/problem+json`, with `Retry-After` where there is something to wait for. */
export function problem(code: ProblemCode, details: ProblemDetails): Reply {
  const { status, title, retryable } = problemKinds[code];
  const { detail, cause, retryAfterSeconds, faults, downstreamErrors } = details;
  const body: Problem = {
    type: `urn:token-broker:problem:${code}`,
    title,
    status,
    detail,
    code,
    ...(cause === undefined ? {} : { cause }),
    retryable,
    ...(retryAfterSeconds === undefined ? {} : { retry_after: retryAfterSeconds }),
    ...(faults === undefined ? {} : { faults: [...faults] }),
    downstream_errors: [...(downstreamErrors ?? [])],
  };
  const retryAfter: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return json(status, body, { 'content-type': 'application/problem+json', ...retryAfter });
}

export const notFound = (connection: ConnectionName): Reply =>
  problem('connection_not_found', {
    detail: `There is no connection "${connection}". Create it with PUT /connections/${connection}.`,
  });

/** The answer where nothing can be asked of a connection's provider. */
export const settingsOutdated = (connection: ConnectionName): Reply =>
  problem('misconfigured', {
    detail:
      `The preset of connection "${connection}" is gone, or its settings do not fit it any more. Put the ` +
      `connection again with PUT /connections/${connection}.`,
    cause: 'settings_outdated',
  });

/** The answer where one connection would end another's grant. */
export function grantRefused(refused: ClaimRefused, now: EpochMs): Reply {
  const { kind, holder } = refused;
  if (kind === 'grant_pending') {
    return problem('conflict', {
      detail:
        `Connection "${holder}", of the same user and application, is being put or deleted. ` +
        'Nothing was changed; try again.',
      retryAfterSeconds: retryAfterSeconds(refused.until, now),
    });
  }
  return problem('grant_conflict', {
    detail:
      `Connection "${holder}" has the grant of the same user and application, and this provider ends it as ` +
      'soon as that user authorizes the application again. If different users log in, put each connection ' +
      'with its own "account"; if this is meant, put it with "allow_grant_conflict": true. ' +
      'Nothing was changed.',
  });
}

/** The answer to a request with faults: all of them at once. */
export function invalid(found: readonly Fault[]): Reply {
  // A fault of the body as a whole has no path in it.
  const faults = found.map(({ path, message }) => ({ path: path === '' ? 'body' : path, message }));
  return problem('invalid_request', {
    detail: `${faults.map(({ path, message }) => `${path}: ${message}`).join('; ')}. Nothing was changed.`,
    faults,
  });
}
