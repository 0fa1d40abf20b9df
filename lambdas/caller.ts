/** Who calls, as API Gateway names the caller. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';

interface Authorizer {
  readonly iam?: { readonly userArn?: string };
  readonly jwt?: { readonly claims?: { readonly sub?: unknown } };
}

/**
 * Returns the principal whose signature or JWT API Gateway has verified: the ARN, or the subject by which the issuer
 * knows it. Undefined where it names none.
 */
export function principalOf({ requestContext }: APIGatewayProxyEventV2): string | undefined {
  const { iam, jwt } = (requestContext as { readonly authorizer?: Authorizer }).authorizer ?? {};
  if (jwt === undefined) return iam?.userArn;
  const subject = jwt.claims?.sub;
  return typeof subject === 'string' ? subject : undefined;
}
