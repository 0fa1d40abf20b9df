/** What a reply of the broker, or of what stands before it, means. Pure, and total. */
import type { DownstreamError, Problem, RequestFault } from './errors.ts';
import { marginMsOf, type TokenBody } from './token.ts';

interface BrokerReply {
  readonly status: number;
  /** By its name in lower case. */
  readonly header: (name: string) => string | null;
  readonly body: string;
}

export type Meaning =
  | { readonly kind: 'token'; readonly body: TokenBody }
  | {
      readonly kind: 'problem';
      readonly problem: Problem;
      readonly retryAfterMs: number | undefined;
      /** The broker's own function wrote it, not API Gateway or a proxy. */
      readonly ofBroker: boolean;
    };

interface Asked {
  readonly connection: string;
  /** Method and path. */
  readonly call: string;
  readonly origin: string;
  /** How far the clock of this machine is ahead of the one that wrote the reply; 0 if it does not say. */
  readonly aheadMs: number;
}

const hasText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The members of a JSON object; undefined for any other text. */
function membersOf(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const members: unknown = JSON.parse(body);
    return isRecord(members) ? members : undefined;
  } catch {
    return undefined;
  }
}

const isToken = (members: Readonly<Record<string, unknown>>): boolean =>
  hasText(members.access_token) &&
  Number.isFinite(members.expires_in) &&
  Number.isFinite(marginMsOf(members as unknown as TokenBody)) &&
  Number.isInteger(members.generation) &&
  isRecord(members.headers);

/** Whole seconds (RFC 9110 §10.2.3), as the broker and API Gateway write it. */
function retryAfterMsOf(reply: BrokerReply, told: unknown): number | undefined {
  const seconds = typeof told === 'number' ? told : Number(reply.header('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

export function meaningOf(reply: BrokerReply, asked: Asked): Meaning {
  const { status } = reply;
  const members = membersOf(reply.body);
  if (status === 200 && members && isToken(members)) return { kind: 'token', body: members as unknown as TokenBody };
  const ofBroker = hasText(members?.code);
  const problem: Problem = {
    ...(members && ofBroker ? toldBy(members) : gatewayProblem(reply, members, asked)),
    status,
    requestId: reply.header('apigw-requestid') ?? undefined,
  };
  return { kind: 'problem', problem, retryAfterMs: retryAfterMsOf(reply, members?.retry_after), ofBroker };
}

/** The broker's problem details (RFC 9457). */
function toldBy(members: Readonly<Record<string, unknown>>): Problem {
  const { code, detail, title, retryable, cause, faults, downstream_errors: downstream } = members;
  const listed = Array.isArray(faults) ? (faults as readonly RequestFault[]) : [];
  const said = hasText(detail) ? detail : `${hasText(title) ? title : String(code)}.`;
  return {
    code: String(code),
    message: [said, ...listed.map(({ path, message }) => `${path} ${message}.`)].join(' '),
    retryable: retryable === true,
    reason: hasText(cause) ? cause : undefined,
    faults: listed,
    ...(Array.isArray(downstream) && { downstreamErrors: downstream as readonly DownstreamError[] }),
  };
}

/** The few answers that API Gateway gives by itself, and those of a stranger. */
function gatewayProblem(
  reply: BrokerReply,
  members: Readonly<Record<string, unknown>> | undefined,
  { connection, call, origin, aheadMs }: Asked,
): Problem {
  const { status } = reply;
  const ofGateway = members !== undefined;
  if (status === 429)
    return {
      code: 'throttled',
      message: 'The broker takes no more requests at this moment (429): ask less often, or raise its throttle.',
      retryable: true,
    };
  if (status === 401 && ofGateway)
    return {
      code: 'unauthorized',
      message:
        `${call} was refused (401): send a JWT of the issuer and audience that the deployment names. ` +
        (reply.header('www-authenticate') ?? '').slice(0, 300),
      retryable: false,
    };
  if (status === 403 && ofGateway) {
    const off = Math.round(Math.abs(aheadMs) / 1_000);
    const clock = off < 120 ? '' : ` The clocks of this machine and of the broker differ by ${off} s.`;
    return {
      code: 'forbidden',
      message:
        `${call} was refused (403): either its signature is not good (credentials, session token, Region), or the ` +
        `caller may not use connection "${connection}": grantGetToken(role, '${connection}') lets a role in.${clock}`,
      retryable: false,
    };
  }
  if (status >= 500)
    return {
      code: 'temporarily_unavailable',
      message: `${origin}, or what stands before it, answered ${status}: ask again in a moment.`,
      retryable: true,
    };
  const type = (reply.header('content-type') ?? '').split(';')[0] || 'no content type';
  // A JSON text that is no JSON was cut off on its way.
  const cut = /json/.test(type) && members === undefined;
  return {
    code: 'unexpected_reply',
    message:
      `${call} was answered with ${status} and ${cut ? 'half a JSON text' : type}, which is no answer of a token ` +
      `broker: is ${origin} the ApiUrl of the deployment, and is there a proxy before it?`,
    retryable: cut,
  };
}
