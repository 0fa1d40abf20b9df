/**
 * Deployed only where the choice `canary` is on: a strict authorization server to be renewed from, day and night. Its
 * token endpoint is public; what else it does, the schedule and operators order by invoking it.
 */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { answered, type CanaryOrder, obey } from '../shared/canary/serve.ts';
import { composeCanary } from '../shared/compose.ts';

const compose = composeCanary();

/** No request can pass for an order: the members of its event are API Gateway's. */
export const handler = (event: APIGatewayProxyEventV2 | CanaryOrder) =>
  'order' in event ? obey(compose(), event) : token(event);

async function token(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
  const { body = '', isBase64Encoded } = event;
  const form = new URLSearchParams(isBase64Encoded ? Buffer.from(body, 'base64').toString() : body);
  const parameter = (name: string): string => form.get(name) ?? '';
  const { status, body: told } = await answered(compose(), {
    clientId: parameter('client_id'),
    clientSecret: parameter('client_secret'),
    grantType: parameter('grant_type'),
    refreshToken: parameter('refresh_token'),
  });
  return {
    statusCode: status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(told),
  };
}
