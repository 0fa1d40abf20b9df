/** Who may use which connection, where API Gateway has found out who calls. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import type { ConnectionName } from '../shared/domain/connection-name.ts';
import { optional } from '../shared/environment.ts';
import { parseName } from './parse.ts';
import { problem, type Reply } from './reply.ts';

type Access =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: 'not_authenticated' | 'scope_missing' };

/** Where the issuer of this deployment's JWTs puts scopes, and what they look like. */
export interface ScopeRule {
  /** The claims that count. */
  readonly claims: readonly string[];
  /** What stands before the name of a connection, or before `*`, which is no name, for every connection. */
  readonly prefix: string;
}

const scopeRule = (): ScopeRule => {
  const claim = optional('JWT_CLAIM');
  return {
    claims: claim === undefined ? ['scope', 'scp'] : [claim],
    prefix: optional('JWT_SCOPE_PREFIX') ?? 'token:',
  };
};

const Jwt = v.object({ claims: v.record(v.string(), v.unknown()) });
const Iam = v.object({ userArn: v.string() });

/**
 * Decides by `event.requestContext.authorizer`. IAM has decided for its callers already. A caller with a JWT needs the
 * scope of the connection or the one for every connection, and only the latter where no connection can be called so
 * (`undefined`). A caller with neither is refused.
 */
export function accessTo(connection: ConnectionName | undefined, authorizer: unknown, rule = scopeRule()): Access {
  const { jwt, iam } =
    typeof authorizer === 'object' && authorizer !== null ? (authorizer as { jwt?: unknown; iam?: unknown }) : {};
  if (jwt === undefined) return v.is(Iam, iam) ? { allowed: true } : { allowed: false, reason: 'not_authenticated' };
  const parsed = v.safeParse(Jwt, jwt);
  if (!parsed.success) return { allowed: false, reason: 'scope_missing' };
  const { claims } = parsed.output;
  const granted = rule.claims.flatMap((name) => scopesIn(Object.hasOwn(claims, name) ? claims[name] : ''));
  const allowed = [...(connection === undefined ? [] : [connection]), '*'].some((name) =>
    granted.includes(`${rule.prefix}${name}`),
  );
  return allowed ? { allowed } : { allowed, reason: 'scope_missing' };
}

/**
 * Scope tokens with single spaces between them (RFC 6749 §A.4), without the brackets by which API Gateway marks what is
 * no text.
 */
const scopes = /^[!#-Z^-~]+(?: [!#-Z^-~]+)*$/;

/**
 * API Gateway hands claims on as text, a list as `[a b]` and an object as `map[a:b]`. A claim counts only if all of it
 * is scopes: text inside of an object is not for the issuer's client to use as one.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
function scopesIn(claim: unknown): readonly string[] {
  if (typeof claim !== 'string') return [];
  const text = /^\[(.*)\]$/s.exec(claim)?.[1] ?? claim;
  return scopes.test(text) ? text.split(' ') : [];
}

/**
 * Returns the refusal of a request that its caller may not make, whether or not there is such a connection; else
 * undefined.
 */
export function refusalOf(event: APIGatewayProxyEventV2): Reply | undefined {
  const name = parseName(event);
  const connection = name.ok ? name.value : undefined;
  const { authorizer } = event.requestContext as { readonly authorizer?: unknown };
  const rule = scopeRule();
  const access = accessTo(connection, authorizer, rule);
  if (access.allowed) return undefined;
  const missing = `${rule.prefix}${connection ?? '*'}`;
  const detail = {
    not_authenticated: 'This request came neither with a signature nor with a JWT that was checked.',
    scope_missing:
      `The JWT of this request does not have the scope ${missing} ` +
      `in its claim ${rule.claims.join(' or ')}. Have its issuer give it to the client that needs this connection.`,
  };
  return problem('forbidden', { detail: detail[access.reason] });
}
