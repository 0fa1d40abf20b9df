import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { parseConnectionName } from '../shared/domain/connection-name.ts';
import { limits } from '../shared/domain/limits.ts';
import { Unavailable } from '../shared/ports/errors.ts';
import type { Telemetry } from '../shared/ports/telemetry.ts';
import { problem, type Reply } from './reply.ts';

export type Handler = (event: APIGatewayProxyEventV2) => Promise<Reply>;

/**
 * A handler that always answers: a store out of reach is for the caller to wait for, anything else is ours to mend.
 * Both are logged.
 */
export const safely =
  (
    compose: () => { readonly telemetry: Telemetry },
    handle: Handler,
    failed: (error: unknown) => Reply = problemOf,
  ): Handler =>
  async (event) => {
    try {
      return await handle(event);
    } catch (error) {
      const connection = parseConnectionName(event.pathParameters?.connection ?? '');
      compose().telemetry.error('request_failed', { route: event.routeKey, connection, error });
      return failed(error);
    }
  };

function problemOf(error: unknown): Reply {
  if (!(error instanceof Unavailable))
    return problem('internal_error', {
      detail: 'The broker failed; its log says why. Nothing is known to have changed.',
    });
  return problem('temporarily_unavailable', {
    detail: `${error.message}; nothing is known to have changed. Try again.`,
    retryAfterSeconds: limits.retryAfterSeconds.unavailable,
  });
}
