/** Who may use which connection, where API Gateway has found out who calls. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as v from 'valibot';
import type { ConnectionName } from '../shared/domain/connection-name.ts';
import { parseName } from './parse.ts';
import { problem } from './reply.ts';

/** The scope for every connection; none has a star in its name. */
const everyConnection = 'token:*';

export type Access =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: 'not_authenticated' | 'scope_missing' };

/** API Gateway hands claims on as text, a list as `[a b]`. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html */
const Jwt = v.object({ claims: v.object({ scope: v.optional(v.string(), ''), scp: v.optional(v.string(), '') }) });
const Iam = v.object({ userArn: v.string() });

/**
 * Decides by `event.requestContext.authorizer`. IAM has decided for its callers already. One with a JWT needs the scope `token:<connection>`
 * or `token:*`, in `scope` or `scp`; the latter alone opens what no connection can be called (`undefined`). Anybody else is refused.
 */
export function accessTo(connection: ConnectionName | undefined, authorizer: unknown): Access {
  const { jwt, iam } =
    typeof authorizer === 'object' && authorizer !== null ? (authorizer as { jwt?: unknown; iam?: unknown }) : {};
  if (jwt === undefined) return v.is(Iam, iam) ? { allowed: true } : { allowed: false, reason: 'not_authenticated' };
  const parsed = v.safeParse(Jwt, jwt);
  if (!parsed.success) return { allowed: false, reason: 'scope_missing' };
  const { scope, scp } = parsed.output.claims;
  const granted = [...scopesIn(scope), ...scopesIn(scp)];
  const allowed =
    granted.includes(everyConnection) || (connection !== undefined && granted.includes(`token:${connection}`));
  return allowed ? { allowed } : { allowed, reason: 'scope_missing' };
}

const scopesIn = (claim: string): readonly string[] => (/^\[(.*)\]$/s.exec(claim)?.[1] ?? claim).split(' ');

/** Returns the refusal of a request that its caller may not make, whether or not there is such a connection; else undefined. */
export function refusalOf(event: APIGatewayProxyEventV2): APIGatewayProxyStructuredResultV2 | undefined {
  const name = parseName(event);
  const connection = name.ok ? name.value : undefined;
  const { authorizer } = event.requestContext as { readonly authorizer?: unknown };
  const access = accessTo(connection, authorizer);
  if (access.allowed) return undefined;
  const missing = connection === undefined ? everyConnection : `token:${connection}`;
  const detail = {
    not_authenticated: 'This request came neither with a signature nor with a JWT that was checked.',
    scope_missing: `The JWT of this request does not have the scope ${missing}. Have its issuer give it to the client that needs this connection.`,
  };
  return problem('forbidden', { detail: detail[access.reason] });
}
