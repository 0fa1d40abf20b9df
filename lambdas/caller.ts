/** Who calls, as API Gateway names the caller. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** The principal that signed the request. */
export function askerOf({ requestContext }: APIGatewayProxyEventV2): string | undefined {
  const { authorizer } = requestContext as { readonly authorizer?: { readonly iam?: { readonly userArn?: string } } };
  return authorizer?.iam?.userArn;
}
