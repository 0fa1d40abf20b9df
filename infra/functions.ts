/** The five functions, and what each of them may touch. */
import { Duration, type Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import { limits } from '../shared/domain/limits.ts';
import type { CustomDomain, JwtAuthorization } from './choices.ts';
import {
  announceOn,
  claimRemoval,
  connectionSecrets,
  type FunctionBinding,
  indexKeys,
  items,
  type MayOfSecrets,
  sealedSecrets,
  sealingKey,
  sendTo,
  told,
} from './constructs/bindings.ts';
import { BrokerFunction } from './constructs/broker-function.ts';
import type { ConnectionEvents } from './constructs/connection-events.ts';
import type { FixedEgress } from './constructs/fixed-egress.ts';
import type { RefreshQueue } from './constructs/refresh-queue.ts';
import { refreshConcurrencyOf, urlOf } from './context.ts';
import { dueIndex, nameIndex, type StateStack } from './state-stack.ts';

/** What the functions are bound to, and what the operator said of them. */
interface FunctionsProps {
  readonly state: StateStack;
  readonly requests: RefreshQueue;
  readonly events: ConnectionEvents;
  readonly jwt: JwtAuthorization | undefined;
  readonly domain: CustomDomain | undefined;
  readonly refreshConcurrency: number | undefined;
  readonly reservedRefreshConcurrency: number | undefined;
  readonly reservedTokenConcurrency: number | undefined;
  /** How long the functions that callers reach keep who read and changed what, if they are to. */
  readonly auditDays: number | undefined;
  /** Where the functions are that call providers, if that is to be from one address. */
  readonly egress: FixedEgress | undefined;
}

/** Adds them to the stack. */
export function addFunctions(stack: Stack, props: FunctionsProps) {
  const token = tokenFunction(stack, props);
  const refresh = refreshFunction(stack, props);
  const plan = planFunction(stack, props);
  const connections = connectionsFunction(stack, props);
  const authorizations = authorizationsFunction(stack, props);
  // The functions that read secrets learn of a new store before a function writes there.
  authorizations.node.addDependency(refresh);
  connections.node.addDependency(authorizations);
  return { token, refresh, plan, connections, authorizations };
}

function secretsOf(stack: Stack, { state: { secrets } }: FunctionsProps, may: MayOfSecrets): FunctionBinding {
  const prefix = `${stack.stackName}/`;
  return secrets === undefined ? connectionSecrets(stack, prefix, may) : sealedSecrets(stack, secrets, prefix, may);
}
/** Reads no refresh token: neither the secrets nor the key that opens sealed ones. */
function tokenFunction(stack: Stack, props: FunctionsProps) {
  const { state, requests, jwt, reservedTokenConcurrency, auditDays } = props;
  return new BrokerFunction(stack, 'TokenFunction', {
    name: 'token',
    timeoutMs: limits.tokenTimeoutMs,
    memoryMb: 512,
    bindings: [
      items(state.table, 'GetItem', 'UpdateItem'),
      sealingKey('ACCESS_KEY_SECRET_ID', state.accessKey),
      sendTo(requests.queue),
      told({ JWT_CLAIM: jwt?.claim, JWT_SCOPE_PREFIX: jwt?.scopePrefix }),
    ],
    reservedConcurrency: reservedTokenConcurrency,
    auditDays,
  });
}

function refreshFunction(stack: Stack, props: FunctionsProps) {
  const { state, requests, events, reservedRefreshConcurrency, egress } = props;
  const refresh = new BrokerFunction(stack, 'RefreshFunction', {
    name: 'refresh',
    timeoutMs: limits.refreshTimeoutMs,
    memoryMb: 512,
    bindings: [
      items(state.table, 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'),
      sealingKey('ACCESS_KEY_SECRET_ID', state.accessKey),
      sealingKey('REFRESH_KEY_SECRET_ID', state.refreshKey),
      secretsOf(stack, props, {
        read: ['refresh', 'client'],
        write: ['refresh'],
        remove: ['refresh', 'client'],
      }),
      sendTo(requests.queue),
      announceOn(events.bus),
    ],
    // A wait sends its message again. Lambda takes that for a runaway loop and, unless told, drops it after some 16
    // hops.
    recursiveLoop: RecursiveLoop.ALLOW,
    reservedConcurrency: reservedRefreshConcurrency,
    egress,
  });
  requests.feed(refresh, refreshConcurrencyOf(props));
  return refresh;
}

function planFunction(stack: Stack, { state, requests }: FunctionsProps) {
  const plan = new BrokerFunction(stack, 'PlanFunction', {
    name: 'plan',
    timeoutMs: limits.planIntervalMs,
    memoryMb: 256,
    bindings: [indexKeys(state.table, 'DUE_INDEX', dueIndex), sendTo(requests.queue)],
  });
  // What a failed minute left, the next one finds: retries would only overlap with it.
  plan.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.millis(limits.planIntervalMs) });
  new Rule(stack, 'EveryMinute', {
    schedule: Schedule.rate(Duration.millis(limits.planIntervalMs)),
    targets: [new LambdaFunction(plan, { retryAttempts: 0 })],
  });
  return plan;
}

/** Writes refresh tokens that are imported, and reads none. It asks issuers for their metadata. */
function connectionsFunction(stack: Stack, props: FunctionsProps) {
  const { state, requests, domain, egress, auditDays } = props;
  return new BrokerFunction(stack, 'ConnectionsFunction', {
    name: 'connections',
    timeoutMs: limits.tokenTimeoutMs,
    memoryMb: 256,
    bindings: [
      items(state.table, 'GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem'),
      indexKeys(state.table, 'NAME_INDEX', nameIndex),
      claimRemoval(state.table),
      secretsOf(stack, props, { read: [], write: ['refresh', 'client'], remove: [] }),
      sendTo(requests.queue),
      // The status tells the redirect URI.
      told({ API_URL: domain && urlOf(domain) }),
    ],
    egress,
    auditDays,
  });
}

/**
 * Talks to the provider while a person waits, and goes on when API Gateway has given up, so that the grant which a
 * code brought is not lost.
 */
function authorizationsFunction(stack: Stack, props: FunctionsProps) {
  const { state, requests, domain, egress, auditDays } = props;
  return new BrokerFunction(stack, 'AuthorizationsFunction', {
    name: 'authorizations',
    timeoutMs: limits.refreshTimeoutMs,
    memoryMb: 256,
    bindings: [
      items(state.table, 'GetItem', 'UpdateItem'),
      sealingKey('ACCESS_KEY_SECRET_ID', state.accessKey),
      sealingKey('STATE_KEY_SECRET_ID', state.stateKey),
      secretsOf(stack, props, { read: ['client'], write: ['refresh'], remove: [] }),
      sendTo(requests.queue),
      told({ API_URL: domain && urlOf(domain) }),
    ],
    egress,
    auditDays,
  });
}
