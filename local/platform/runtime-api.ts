import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from './loopback.ts';

/** What a runtime reports of a failure, or what is reported of a runtime that died. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
}

/** The handler's result as JSON text, or the error that came instead. */
export type Outcome = { readonly payload: string } | { readonly error: FunctionError };

export interface Invocation {
  readonly requestId: string;
  /** The event, as JSON text. */
  readonly event: string;
  readonly deadlineMs: number;
  readonly functionArn: string;
}

/** Told by one runtime: in `listening` it asks for its next invocation, with a function that hands one over. */
interface RuntimeEvents {
  listening(give: (invocation: Invocation) => void): void;
  outcome(requestId: string, outcome: Outcome): void;
  initFailed(error: FunctionError): void;
}

interface RuntimeApi {
  /** For `AWS_LAMBDA_RUNTIME_API`. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves the Lambda Runtime API to one execution environment.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export async function startRuntimeApi(events: RuntimeEvents): Promise<RuntimeApi> {
  const server = createServer((request, response) => {
    route(request, response).catch(() => response.destroy());
  });
  // An idle runtime waits as long as it takes for its next invocation.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, requestId = '', action = request.url?.split('/').at(-1)] =
      /\/invocation\/([^/]+)\/(response|error)$/.exec(request.url ?? '') ?? [];
    if (request.method === 'GET' && action === 'next') {
      events.listening((invocation) => hand(response, invocation));
      return;
    }
    const body = await text(request);
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    if (action === 'response') events.outcome(requestId, { payload: body });
    else if (requestId) events.outcome(requestId, { error: errorOf(body) });
    else events.initFailed(errorOf(body));
  }

  const { url, close } = await listen(server);
  return { address: new URL(url).host, close };
}

function hand(response: ServerResponse, { requestId, event, deadlineMs, functionArn }: Invocation): void {
  response.writeHead(200, {
    'content-type': 'application/json',
    'lambda-runtime-aws-request-id': requestId,
    'lambda-runtime-deadline-ms': deadlineMs,
    'lambda-runtime-invoked-function-arn': functionArn,
  });
  response.end(event);
}

function errorOf(body: string): FunctionError {
  const { errorType = 'Unknown', errorMessage = '' }: Partial<FunctionError> = JSON.parse(body);
  return { errorType, errorMessage };
}
