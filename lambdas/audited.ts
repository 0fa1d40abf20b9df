/** The audit log, where the deployment keeps one: a line for each answer says who read or changed what. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ConnectionName } from '../shared/domain/connection-name.ts';
import { optional } from '../shared/environment.ts';
import type { Telemetry } from '../shared/ports/telemetry.ts';
import { principalOf } from './caller.ts';
import { parseName } from './parse.ts';
import type { Handler } from './safely.ts';

/** Answers as the handler does. The line has nothing of a header, a query or a body. */
export const audited =
  (compose: () => { readonly telemetry: Telemetry }, handle: Handler) =>
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const { facts, ...reply } = await handle(event);
    if (optional('AUDIT') !== undefined) {
      const { requestContext, routeKey: route } = event;
      compose().telemetry.info('answered', {
        principal: principalOf(event),
        route,
        connection: connectionOf(event),
        status: reply.statusCode,
        ...facts,
        requestId: requestContext.requestId,
      });
    }
    return reply;
  };

/** The list is about no single one. What is no name is not repeated. */
function connectionOf(event: APIGatewayProxyEventV2): ConnectionName | undefined {
  const name = parseName(event);
  return event.routeKey !== 'GET /connections' && name.ok ? name.value : undefined;
}
