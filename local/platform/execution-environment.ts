import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { FunctionDefinition } from './deployment.ts';
import { type FunctionError, type Invocation, type Outcome, startRuntimeApi } from './runtime-api.ts';

/** Lambda gives a cold start this long before the first invocation counts. */
const initTimeoutMs = 10_000;

interface EnvironmentEvents {
  /** It has finished what it did and can take an invocation. */
  idle(): void;
  /** It is gone; the error says why if it never became ready. */
  exited(initError: FunctionError | undefined): void;
  log(line: string): void;
}

/** One process that runs one function and handles one invocation at a time. */
export interface ExecutionEnvironment {
  readonly pid: number;
  /**
   * Only while idle. Resolves with the handler's outcome; never rejects. At the function's time-out the process is
   * killed.
   */
  invoke(event: string): Promise<Outcome>;
  kill(): void;
}

/**
 * Starts a cold environment with exactly these variables and the function's own; nothing of this process's environment
 * but PATH.
 */
export async function startEnvironment(
  definition: FunctionDefinition,
  variables: Readonly<Record<string, string>>,
  events: EnvironmentEvents,
): Promise<ExecutionEnvironment> {
  let give: ((invocation: Invocation) => void) | undefined;
  let current: { readonly requestId: string; settle(outcome: Outcome): void } | undefined;
  let initError: FunctionError | undefined = exitError('before it was ready');

  const api = await startRuntimeApi({
    listening(giveNext) {
      clearTimeout(initTimer);
      initError = undefined;
      give = giveNext;
      events.idle();
    },
    outcome(requestId, outcome) {
      if (current?.requestId === requestId) current.settle(outcome);
    },
    initFailed(error) {
      initError = error;
    },
  });

  const child = spawnRuntime(definition, { ...environmentOf(definition, api.address), ...variables });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', events.log);
  const kill = (): void => void child.kill('SIGKILL');
  const initTimer = setTimeout(() => {
    initError = { errorType: 'Sandbox.Timedout', errorMessage: `Init timed out after ${initTimeoutMs / 1000} seconds` };
    kill();
  }, initTimeoutMs);
  whenOver(child, (error, began) => {
    clearTimeout(initTimer);
    void api.close();
    current?.settle({ error });
    if (!began) events.log(error.errorMessage);
    events.exited(began ? initError : error);
  });

  return {
    pid: child.pid ?? 0,
    kill,
    invoke(event) {
      const requestId = randomUUID();
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          const errorMessage = `${requestId} Task timed out after ${(definition.timeoutMs / 1000).toFixed(2)} seconds`;
          events.log(errorMessage);
          current?.settle({ error: { errorType: 'Sandbox.Timedout', errorMessage } });
          kill();
        }, definition.timeoutMs);
        current = {
          requestId,
          settle(outcome) {
            clearTimeout(timer);
            current = undefined;
            resolve(outcome);
          },
        };
        give?.({ requestId, event, deadlineMs: Date.now() + definition.timeoutMs, functionArn: definition.arn });
      });
    },
  };
}

/** Tells that a process is gone, and how: also of one that never began, which does not exit. */
function whenOver(child: ChildProcess, over: (error: FunctionError, began: boolean) => void): void {
  child.on('error', ({ message }) => {
    if (child.pid === undefined) over(exitError(`before it began: ${message}`), false);
  });
  child.on('exit', (code, signal) =>
    over(exitError(`with ${signal ? `signal: ${signal}` : `exit status ${code}`}`), true),
  );
}

const exitError = (how: string): FunctionError => ({
  errorType: 'Runtime.ExitError',
  errorMessage: `Runtime exited ${how}`,
});

const spawnRuntime = ({ directory, environment }: FunctionDefinition, variables: Readonly<Record<string, string>>) =>
  spawn(process.execPath, [join(import.meta.dirname, 'bootstrap.cjs')], {
    cwd: directory,
    env: { ...variables, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    // In a process group of its own: Ctrl-C is for the runner, which lets an invocation in flight end first.
    detached: true,
  });

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
function environmentOf(
  { name, handler, directory, memoryMb }: FunctionDefinition,
  runtimeApi: string,
): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: directory,
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: randomUUID(),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  };
}
