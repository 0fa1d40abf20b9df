import { Stack, Stage, Token } from 'aws-cdk-lib';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { BrokerStack, type BrokerStackProps } from './broker-stack.ts';
import type { SecretStore } from './choices.ts';
import { StateStack } from './state-stack.ts';

export interface TokenBrokerProps
  extends Pick<
    BrokerStackProps,
    | 'env'
    | 'jwt'
    | 'domain'
    | 'throttle'
    | 'refreshConcurrency'
    | 'reservedRefreshConcurrency'
    | 'reservedTokenConcurrency'
    | 'egressAddress'
    | 'auditDays'
    | 'runbookUrl'
    | 'canary'
  > {
  /**
   * Where refresh tokens and client secrets are kept. Once `dynamodb`, always `dynamodb`: there is no way back.
   * @default secrets-manager
   */
  readonly secretStore?: SecretStore;
}

/**
 * A token broker for a CDK app of an operator's own: two stacks below it, so that the state outlives everything else.
 * They are named by the path of the construct, and all names in them begin so. Throws as the stacks do.
 */
export class TokenBroker extends Construct {
  /** What survives everything: tables and sealing keys. */
  readonly state: StateStack;
  /** Functions, API, queue and alarms, with the outputs for clients and operators. */
  readonly stack: BrokerStack;

  constructor(scope: Construct, id: string, { secretStore, env = envOf(scope), ...props }: TokenBrokerProps = {}) {
    super(scope, id);
    this.state = new StateStack(this, 'State', { env, ...(secretStore && { secretStore }) });
    this.stack = new BrokerStack(this, 'Api', { env, state: this.state, ...props });
  }

  /** As `BrokerStack.grantGetToken`: lets a principal get the access token of one connection. */
  grantGetToken(grantee: IGrantable, connection: string): Grant {
    return this.stack.grantGetToken(grantee, connection);
  }

  /** As `BrokerStack.grantRead`: lets a principal see the status of one connection, or of every connection. */
  grantRead(grantee: IGrantable, connection?: string): Grant {
    return this.stack.grantRead(grantee, connection);
  }

  /** As `BrokerStack.grantConnect`: lets a principal make links to log in with. */
  grantConnect(grantee: IGrantable, connection?: string): Grant {
    return this.stack.grantConnect(grantee, connection);
  }

  /** As `BrokerStack.grantManage`: lets a principal put, delete, connect and see connections. */
  grantManage(grantee: IGrantable, connection?: string): Grant {
    return this.stack.grantManage(grantee, connection);
  }
}

/** The account and Region of the stack or stage that it stands in, as far as they are known. */
function envOf(scope: Construct): { readonly account?: string; readonly region?: string } {
  const stack = scope.node.scopes.findLast((each): each is Stack => Stack.isStack(each));
  const { account, region } = stack ?? Stage.of(scope) ?? {};
  const known = (value: string | undefined): value is string => value !== undefined && !Token.isUnresolved(value);
  return { ...(known(account) && { account }), ...(known(region) && { region }) };
}
