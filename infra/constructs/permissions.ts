/** Policies for the callers of the API. */
import { Stack, Token, TokenComparison } from 'aws-cdk-lib';
import type { HttpApi, IHttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { Grant, type IGrantable, ManagedPolicy, Policy } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import { type Permission, type Route, routes } from '../../lambdas/routes.ts';
import { parseConnectionName } from '../../shared/domain/connection-name.ts';

interface PermissionProps {
  readonly permission: Permission;
  /** One connection; undefined for every connection. */
  readonly connection: string | undefined;
  readonly api: HttpApi;
  readonly stage: IHttpStage;
}

/**
 * Lets a principal call the routes of a permission, and nothing else. Throws if the name is not a connection's (in a
 * policy, `*` would name them all), or if a policy of the principal would not come about or have no effect.
 */
export function grantPermission(grantee: IGrantable, { permission, connection, api, stage }: PermissionProps): Grant {
  const refuse = (reason: string): Error => new Error(`${methodOf(permission)}: ${reason}; nothing was granted`);
  if (connection !== undefined && parseConnectionName(connection) === undefined) {
    throw refuse(`${JSON.stringify(connection)} is not a connection's name (1 to 63 of a-z, 0-9 and inner hyphens)`);
  }
  const all: readonly Route[] = routes;
  const calls = all
    .filter(({ permissions = [], path }) => permissions.includes(permission) && isAbout(connection, path))
    .map(({ method, path }) => ({ method, path: path.replace('{connection}', connection ?? '*') }));
  const { principalAccount } = grantee.grantPrincipal;
  const { account } = Stack.of(api);
  const named = calls.map(({ method, path }) => `${method} ${path}`).join(', ');
  const instead = `let a policy of a role of this account allow ${named} (docs/operations.md#let-callers-in)`;
  if (principalAccount !== undefined && Token.compareStrings(principalAccount, account) === TokenComparison.DIFFERENT) {
    const reason = `the principal is of account ${principalAccount}, and an HTTP API lets in callers of its own only`;
    throw refuse(`${reason}: ${instead}, and have the principal assume that role`);
  }
  const tree = Construct.isConstruct(grantee.grantPrincipal) ? grantee.grantPrincipal.node.root : api.node.root;
  const before = statementsIn(tree);
  const grant = Grant.addToPrincipal({
    grantee,
    actions: ['execute-api:Invoke'],
    resourceArns: calls.map(({ method, path }) => api.arnForExecuteApi(method, path, stage.stageName)),
  });
  // An immutable role says that it took a statement which it has dropped.
  if (!grant.success || statementsIn(tree) === before) {
    const reason = 'takes no policy from this app, as an account, an ARN, a service or an immutable role';
    throw refuse(`${String(grantee.grantPrincipal)} ${reason}: ${instead}`);
  }
  return grant;
}

const methodOf = (permission: Permission): string => `grant${permission[0]?.toUpperCase()}${permission.slice(1)}`;

/** A route without a name is about every connection, but `GET /token` is short for the connection named `default`. */
function isAbout(connection: string | undefined, path: string): boolean {
  if (path.includes('{connection}') || connection === undefined) return true;
  return path === '/token' && connection === 'default';
}

const statementsIn = (root: IConstruct): number =>
  root.node
    .findAll()
    .filter((construct) => construct instanceof Policy || construct instanceof ManagedPolicy)
    .reduce((sum, policy) => sum + policy.document.statementCount, 0);
