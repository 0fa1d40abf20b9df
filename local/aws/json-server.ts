/**
 * What is the same in every AWS JSON service (1.0 and 1.1): one POST, the operation named in `x-amz-target`, JSON in,
 * JSON or an error out. The clients sign their requests, but the signature is not checked: the server listens on the
 * loopback interface only.
 * Protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { type Endpoint, listen } from '../platform/loopback.ts';

/**
 * Answers one request. `gone` aborts when the client has left, so that no message is handed to a client that is not
 * there.
 */
export type Operation = (input: unknown, gone: AbortSignal) => object | Promise<object>;

interface Service {
  /** What precedes the operation's name in `x-amz-target`. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly maxBodyBytes: number;
  readonly operations: Readonly<Record<string, Operation>>;
  /**
   * `down`: connections break without an answer. `latencyMs`: requests take effect at once and are answered this much
   * later.
   */
  readonly faults: { readonly down: boolean; readonly latencyMs?: number };
}

/** An error that the service reports to its client, as AWS does: `code` is its name in the service's API model. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly status: number;
  /** The name the error has for SDKs that know the older query protocol. */
  readonly queryCode: string | undefined;
  constructor(code: string, message: string, options: { status?: number; queryCode?: string } = {}) {
    super(message);
    this.code = code;
    this.status = options.status ?? 400;
    this.queryCode = options.queryCode;
  }
}

/** Returns the input as the schema sees it; else throws what `refuse` makes of a message that lists every fault. */
export function accept<S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  refuse: (message: string) => Error,
): v.InferOutput<S> {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return parsed.output;
  throw refuse(parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'the request'}: ${issue.message}`).join('; '));
}

export function serveJson(service: Service): Promise<Endpoint> {
  return listen(createServer((request, response) => void answer(service, request, response)));
}

async function answer(service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (service.faults.down) return void request.socket.destroy();
  const { status, headers, body } = await outcome(service, request, gone.signal);
  if (service.faults.latencyMs)
    await sleep(service.faults.latencyMs, undefined, { signal: gone.signal }).catch(() => undefined);
  if (service.faults.down) return void request.socket.destroy();
  response
    .writeHead(status, {
      'content-type': `application/x-amz-json-${service.version}`,
      'x-amzn-requestid': randomUUID(),
      ...headers,
    })
    .end(JSON.stringify(body));
}

interface Outcome {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

async function outcome(service: Service, request: IncomingMessage, gone: AbortSignal): Promise<Outcome> {
  try {
    const text = await bodyOf(request, service.maxBodyBytes);
    return { status: 200, body: await operationOf(service, request)(parseJson(text), gone) };
  } catch (error) {
    if (error instanceof ApiError) return refusal(error);
    // A client that left while it was sending is no fault of ours.
    if (request.complete) console.error(`${service.target}: a request failed`, error);
    return refusal(new ApiError('InternalFailure', 'The local service failed; its log says why.', { status: 500 }));
  }
}

function refusal({ code, message, status, queryCode }: ApiError): Outcome {
  const queryError = queryCode === undefined ? {} : { 'x-amzn-query-error': `${queryCode};Sender` };
  return { status, headers: { 'x-amzn-errortype': code, ...queryError }, body: { __type: code, message } };
}

function operationOf(service: Service, request: IncomingMessage): Operation {
  const target = String(request.headers['x-amz-target']);
  const name = target.startsWith(`${service.target}.`) ? target.slice(service.target.length + 1) : '';
  const operation = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined;
  if (operation === undefined)
    throw new ApiError(
      'UnknownOperationException',
      `The local ${service.target} does not know the operation ${target}.`,
    );
  return operation;
}

async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    // What is too much is read but not kept: a client that is still sending would not see an answer.
    if (bytes <= maxBytes) chunks.push(chunk);
  }
  if (bytes > maxBytes)
    throw new ApiError('RequestEntityTooLargeException', `The request has ${bytes} bytes; ${maxBytes} are allowed.`, {
      status: 413,
    });
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError('SerializationException', 'The request is not JSON.');
  }
}
