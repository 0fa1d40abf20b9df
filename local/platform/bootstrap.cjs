// @ts-check
'use strict';
/**
 * What runs in every execution environment: takes invocations from the Lambda Runtime API, one at a time, and gives
 * each to the bundle's handler. Plain CommonJS, because stripping types would add 50 ms to each cold start and `import`
 * of node:http as much again.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
const http = require('node:http');
const { join } = require('node:path');

// The runner holds the other end of this pipe. When the runner dies, however it dies, the pipe ends and this process
// with it.
process.stdin.resume().on('end', () => process.exit(1));

const env = process.env;
const [hostname, port] = String(env.AWS_LAMBDA_RUNTIME_API).split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

/**
 * @param {string} method @param {string} path @param {unknown} [body]
 * @returns {Promise<{ headers: http.IncomingHttpHeaders, text: string }>}
 */
function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, agent, method, path: `/2018-06-01/runtime/${path}` }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ headers: response.headers, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : (JSON.stringify(body) ?? 'null'));
  });
}

/** @param {unknown} error */
const described = (error) =>
  error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') }
    : { errorType: typeof error, errorMessage: String(error), trace: [] };

/** @param {http.IncomingHttpHeaders} headers */
const contextOf = (headers) => ({
  awsRequestId: headers['lambda-runtime-aws-request-id'],
  invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
  functionName: env.AWS_LAMBDA_FUNCTION_NAME,
  functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
  memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
  logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => Number(headers['lambda-runtime-deadline-ms']) - Date.now(),
});

async function main() {
  const [moduleName = '', exportName = ''] = String(env._HANDLER).split('.');
  let handler;
  try {
    handler = require(join(String(env.LAMBDA_TASK_ROOT), moduleName))[exportName];
    if (typeof handler !== 'function') throw new TypeError(`${env._HANDLER} is not a function`);
  } catch (error) {
    console.error(error);
    await call('POST', 'init/error', described(error));
    process.exit(1);
  }
  for (;;) {
    const { headers, text } = await call('GET', 'invocation/next');
    const id = headers['lambda-runtime-aws-request-id'];
    try {
      const result = await handler(JSON.parse(text), contextOf(headers));
      await call('POST', `invocation/${id}/response`, result ?? null);
    } catch (error) {
      console.error(error);
      await call('POST', `invocation/${id}/error`, described(error));
    }
  }
}

main().catch(() => process.exit(1));
