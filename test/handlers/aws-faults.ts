/** What AWS answers when it does not do what was asked, as data, by the service that answers so. */
import type { Socket } from 'node:net';
import type { Reply } from '../kill/proxy.ts';

export const services = ['dynamodb', 'secretsmanager', 'sqs', 'events'] as const;
export type Service = (typeof services)[number];

export interface AwsFault {
  readonly what: string;
  /** The reply in the place of the right one, or the right one changed; undefined if the connection breaks. */
  readonly reply: (right: () => Promise<Reply>, sender: Socket) => Promise<Reply | undefined>;
  /** What the log says of it, beside the store. */
  readonly told: string;
}

/** Part of each message: what belongs into no reply. */
const role = 'arn:aws:sts::123456789012:assumed-role/token-broker-Refresh/refresh';
export const quoted = /123456789012|quoted-by-aws|Exception|Failure\b|\bKMS\b|\.ts:\d|\bat [\w.]+ \(/;

const json = (status: number, body: object | string, headers: Record<string, string> = {}): Reply => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const type = { 'content-type': 'application/x-amz-json-1.0', date: new Date(Date.now()).toUTCString() };
  return { status, headers: { ...type, 'content-length': String(bytes.length), ...headers }, body: bytes };
};

/** `__type` is what the SDK knows it by. */
const refusing = (name: string, status = 400, message = `refused, quoted-by-aws, ${role}`): AwsFault => ({
  what: `${name} (${status})`,
  reply: async () => json(status, { __type: `com.amazonaws.service#${name}`, message, Message: message }),
  told: name,
});

const everywhere: readonly AwsFault[] = [
  refusing('ThrottlingException'),
  refusing('AccessDeniedException', 400, `User: ${role} is not authorized to perform: dynamodb:GetItem on resource: x`),
  refusing('ExpiredTokenException', 400, 'The security token included in the request is expired'),
  refusing('UnrecognizedClientException', 400, 'The security token included in the request is invalid.'),
  refusing('InvalidSignatureException', 400, `Signature expired: 20261129T000000Z is now earlier than …; ${role}`),
  refusing('RequestTimeTooSkewed', 403),
  refusing('ServiceUnavailable', 503),
  refusing('InternalFailure', 500),
  {
    what: 'a page of a proxy (503)',
    reply: async () => json(503, '<html><h1>quoted-by-aws</h1></html>', { 'content-type': 'text/html' }),
    told: 'HTTP 503',
  },
  {
    what: 'a page of a proxy (200)',
    reply: async () => json(200, '<html><h1>quoted-by-aws</h1></html>', { 'content-type': 'text/html' }),
    told: 'SyntaxError',
  },
  { what: 'an empty reply (200)', reply: async () => json(200, ''), told: 'EmptyReply' },
  { what: 'an empty reply (500)', reply: async () => json(500, ''), told: 'HTTP 500' },
  {
    what: 'half a reply',
    reply: async () => json(200, '{"Item":{"connection":{"S":"quoted-by-aws'),
    told: 'SyntaxError',
  },
  {
    what: 'a reply that breaks off',
    reply: async (_, sender) => {
      await new Promise((sent) => sender.write('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"Item":', sent));
      return undefined;
    },
    told: 'ECONNRESET',
  },
  { what: 'a broken connection', reply: async () => undefined, told: 'ECONNRESET' },
  {
    what: 'a broken connection after it was done',
    reply: async (right) => {
      await right();
      return undefined;
    },
    told: 'ECONNRESET',
  },
];

const own: Readonly<Record<Service, readonly AwsFault[]>> = {
  dynamodb: [
    refusing('ProvisionedThroughputExceededException'),
    refusing('RequestLimitExceeded'),
    refusing('InternalServerError', 500),
    refusing('ResourceNotFoundException', 400, `Requested resource not found: Table: ${role}`),
    refusing('TransactionConflictException'),
    refusing('ReplicatedWriteConflictException'),
    refusing('ValidationException', 400, 'Item size to update has exceeded the maximum allowed size: quoted-by-aws'),
    refusing('KMSInvalidStateException', 400, `${role} is pending deletion.`),
  ],
  secretsmanager: [
    refusing('InternalServiceError', 500),
    refusing('DecryptionFailure', 400, `can't decrypt with the provided KMS key: ThrottlingException ${role}`),
    refusing('EncryptionFailure'),
    refusing('KMSInvalidStateException', 400, `${role} is disabled.`),
    refusing('InvalidRequestException', 400, `the KMS key ${role} is pending deletion`),
    refusing('LimitExceededException'),
    refusing('PreconditionNotMetException'),
  ],
  sqs: [
    refusing('RequestThrottled'),
    refusing('KmsThrottled'),
    refusing('KmsDisabled'),
    refusing('KmsAccessDenied'),
    refusing('OverLimit', 403),
    refusing('QueueDoesNotExist', 400, `The specified queue does not exist: ${role}`),
    refusing('InternalError', 500),
  ],
  events: [
    refusing('InternalException', 500),
    refusing('ResourceNotFoundException', 400, `Event bus ${role} does not exist.`),
    refusing('LimitExceededException'),
    {
      what: 'an entry that was not taken',
      reply: async () =>
        json(200, { FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalFailure', ErrorMessage: role }] }),
      told: 'InternalFailure',
    },
    {
      what: 'an entry of which nothing is said',
      reply: async () => json(200, { FailedEntryCount: 0, Entries: [] }),
      told: 'RefusedEvent',
    },
  ],
};

export const faultsOf = (service: Service): readonly AwsFault[] => [...everywhere, ...own[service]];
