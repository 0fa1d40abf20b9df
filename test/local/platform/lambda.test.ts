import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Lambda, type LambdaOptions, type Outcome, startLambda } from '../../../local/platform/lambda.ts';
import { fixtureFunction } from './fixtures/functions.ts';

const started: Lambda[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((lambda) => lambda.close(0)));
});

function start(definition: ReturnType<typeof fixtureFunction>, options: Partial<LambdaOptions> = {}): Lambda {
  const lambda = startLambda([definition], { variables: {}, ...options });
  started.push(lambda);
  return lambda;
}

const resultOf = (outcome: Outcome) =>
  'payload' in outcome ? JSON.parse(outcome.payload) : expect.unreachable(JSON.stringify(outcome));
const errorOf = (outcome: Outcome) => ('error' in outcome ? outcome.error : expect.unreachable(outcome.payload));

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('an invocation', () => {
  test('gives the handler its event and context, and the caller its result', async () => {
    const lambda = start(fixtureFunction('echo', { timeoutMs: 5_000 }));
    const { event, context } = resultOf(await lambda.invoke('echo', { hello: 'wörld' }));
    expect(event).toEqual({ hello: 'wörld' });
    expect(context).toMatchObject({
      functionName: 'echo',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:echo',
    });
    expect(context.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(context.remainingMs).toBeGreaterThan(3_000);
    expect(context.remainingMs).toBeLessThanOrEqual(5_000);
  });

  test('sees the function’s variables and the common ones, and nothing of the runner’s but PATH', async () => {
    vi.stubEnv('SECRET_OF_THE_RUNNER', 'x');
    const lambda = start(fixtureFunction('echo', { environment: { TABLE_NAME: 'table' } }), {
      variables: { AWS_REGION: 'us-east-1' },
    });
    const { environment } = resultOf(await lambda.invoke('echo', {}));
    vi.unstubAllEnvs();
    expect(environment).toMatchObject({
      TABLE_NAME: 'table',
      AWS_REGION: 'us-east-1',
      _HANDLER: 'index.echo',
      PATH: process.env.PATH,
    });
    expect(
      Object.keys(environment).filter((name) => !/^(AWS_|LAMBDA_|TABLE_NAME$|_HANDLER$|PATH$|TZ$|LANG$)/.test(name)),
    ).toEqual([]);
  });

  test('that throws is an error, and the environment lives on', async () => {
    const lambda = start(fixtureFunction('fail'));
    expect(errorOf(await lambda.invoke('fail', {}))).toEqual({ errorType: 'RangeError', errorMessage: 'out of range' });
    const [before] = lambda.environments();
    await lambda.invoke('fail', {});
    expect(lambda.environments()).toMatchObject([{ pid: before?.pid }]);
  });

  test('of an unknown function is an error', async () => {
    expect(errorOf(await start(fixtureFunction('echo')).invoke('ecco', {}))).toMatchObject({
      errorMessage: 'Function not found: ecco',
    });
  });

  test('of a bundle without its handler fails, once for each', async () => {
    const lambda = start(fixtureFunction('nothing'));
    const outcomes = await Promise.all([lambda.invoke('nothing', {}), lambda.invoke('nothing', {})]);
    expect(outcomes.map((outcome) => errorOf(outcome).errorMessage)).toEqual([
      'index.nothing is not a function',
      'index.nothing is not a function',
    ]);
  });
});

describe('an execution environment', () => {
  test('is used again when it is idle, and keeps its memory', async () => {
    const lambda = start(fixtureFunction('echo'));
    const first = resultOf(await lambda.invoke('echo', {}));
    const second = resultOf(await lambda.invoke('echo', {}));
    expect([first.invocations, second.invocations]).toEqual([1, 2]);
    expect(second.pid).toBe(first.pid);
  });

  test('handles one invocation at a time; a burst gets as many as may be, and the rest waits', async () => {
    const lambda = start(fixtureFunction('sleep'), { concurrency: 3 });
    const results = (await Promise.all(Array.from({ length: 7 }, () => lambda.invoke('sleep', { ms: 100 })))).map(
      resultOf,
    );
    const byPid = Map.groupBy(results, ({ pid }) => pid);
    expect(byPid.size).toBe(3);
    for (const runs of byPid.values()) {
      const inOrder = runs.toSorted((a, b) => a.startedAt - b.startedAt);
      for (const [index, run] of inOrder.entries())
        if (index > 0) expect(run.startedAt).toBeGreaterThanOrEqual(inOrder[index - 1].endedAt);
    }
  });

  test('is killed at the function’s time-out, and the caller is told', async () => {
    const lines: string[] = [];
    const lambda = start(fixtureFunction('sleep', { timeoutMs: 200 }), { onLog: (_, line) => lines.push(line) });
    const { errorType, errorMessage } = errorOf(await lambda.invoke('sleep', { ms: 60_000 }));
    expect(errorType).toBe('Sandbox.Timedout');
    expect(errorMessage).toMatch(/ Task timed out after 0\.20 seconds$/);
    expect(lines).toContain(errorMessage);
    const pid = Number(lines[0]?.match(/sleeping in (\d+)/)?.[1]);
    await expect.poll(() => lives(pid)).toBe(false);
  });

  test('that does not time out is left alone', async () => {
    const lambda = start(fixtureFunction('sleep', { timeoutMs: 1_500 }));
    expect(resultOf(await lambda.invoke('sleep', { ms: 50 })).pid).toBe(lambda.environments()[0]?.pid);
  });

  test('that crashes is an error to its caller, and is replaced', async () => {
    const lambda = start(fixtureFunction('crash'));
    const before = resultOf(await lambda.invoke('crash', {}));
    expect(errorOf(await lambda.invoke('crash', { exit: true }))).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: 'Runtime exited with exit status 3',
    });
    expect(resultOf(await lambda.invoke('crash', {}))).not.toBe(before);
  });

  test('that cannot be started fails what waited for it, once for each, and keeps no place', async () => {
    const lambda = start(fixtureFunction('echo', { directory: '/nowhere' }), { concurrency: 1 });
    for (let time = 0; time < 2; time += 1)
      expect(errorOf(await lambda.invoke('echo', {})).errorMessage).toMatch(
        /^Runtime exited before it began: .*ENOENT/,
      );
    expect(lambda.environments()).toEqual([]);
  });

  test('that somebody kills at work is an error to its caller', async () => {
    const lambda = start(fixtureFunction('sleep'), {
      onLog: (_, line) => process.kill(Number(line.split(' ').at(-1)), 'SIGKILL'),
    });
    expect(errorOf(await lambda.invoke('sleep', { ms: 60_000 })).errorMessage).toBe(
      'Runtime exited with signal: SIGKILL',
    );
  });

  test('that has been idle for long is taken down', async () => {
    const lambda = start(fixtureFunction('echo'), { idleMs: 50 });
    const { pid } = resultOf(await lambda.invoke('echo', {}));
    await expect.poll(() => lambda.environments()).toEqual([]);
    expect(lives(pid)).toBe(false);
  });
});

describe('when all environments are busy', () => {
  test('an invocation that has waited too long is throttled', async () => {
    const lambda = start(fixtureFunction('sleep'), { concurrency: 1, waitMs: 600 });
    const [first, second] = await Promise.all([
      lambda.invoke('sleep', { ms: 2_000 }),
      lambda.invoke('sleep', { ms: 0 }),
    ]);
    expect(resultOf(first)).toBeDefined();
    expect(errorOf(second).errorType).toBe('TooManyRequestsException');
  });
});

describe('an account that may run few invocations at a time', () => {
  test('throttles what comes beyond at once, whatever the function, and takes more when one has ended', async () => {
    const begun = Promise.withResolvers<void>();
    const lambda = startLambda([fixtureFunction('sleep'), fixtureFunction('echo')], {
      variables: {},
      quota: 1,
      onLog: () => begun.resolve(),
    });
    started.push(lambda);
    const first = lambda.invoke('sleep', { ms: 300 });
    await begun.promise;
    expect(errorOf(await lambda.invoke('echo', {})).errorType).toBe('TooManyRequestsException');
    expect(lambda.environments()).toHaveLength(1);
    expect(resultOf(await first)).toBeDefined();
    expect(resultOf(await lambda.invoke('echo', {}))).toBeDefined();
  });

  test('keeps what is reserved for a function from all others, and lets it have no more', async () => {
    const begun = Promise.withResolvers<void>();
    let running = 0;
    const definitions = [fixtureFunction('sleep', { reservedConcurrency: 2 }), fixtureFunction('echo')];
    const lambda = startLambda(definitions, {
      variables: {},
      quota: 3,
      onLog: () => {
        running += 1;
        if (running === 2) begun.resolve();
      },
    });
    started.push(lambda);
    const held = [lambda.invoke('sleep', { ms: 300 }), lambda.invoke('sleep', { ms: 300 })];
    await begun.promise;
    expect(errorOf(await lambda.invoke('sleep', { ms: 0 })).errorType).toBe('TooManyRequestsException');
    const [one, two] = await Promise.all([lambda.invoke('echo', {}), lambda.invoke('echo', {})]);
    expect(resultOf(one)).toBeDefined();
    expect(errorOf(two).errorType).toBe('TooManyRequestsException');
    for (const outcome of await Promise.all(held)) expect(resultOf(outcome)).toBeDefined();
  });
});

describe('closing', () => {
  test('lets an invocation in flight end, and leaves no process', async () => {
    const started = Promise.withResolvers<void>();
    const lambda = start(fixtureFunction('sleep'), { onLog: () => started.resolve() });
    const outcome = lambda.invoke('sleep', { ms: 200 });
    await started.promise;
    const pids = lambda.environments().map(({ pid }) => pid);
    await lambda.close();
    expect(resultOf(await outcome).pid).toBe(pids[0]);
    expect(pids.some(lives)).toBe(false);
    expect(errorOf(await lambda.invoke('sleep', { ms: 0 })).errorType).toBe('TooManyRequestsException');
  });

  test('kills what has not ended in time', async () => {
    const started = Promise.withResolvers<void>();
    const lambda = start(fixtureFunction('sleep'), { onLog: () => started.resolve() });
    const outcome = lambda.invoke('sleep', { ms: 60_000 });
    await started.promise;
    await lambda.close(50);
    expect(errorOf(await outcome).errorType).toBe('Runtime.ExitError');
  });

  test('happens even when the runner is killed: no environment survives it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lambda-'));
    const file = join(directory, 'pid');
    const runner = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/runner.ts'), file], {
      stdio: 'ignore',
    });
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8'), { timeout: 10_000 }).toBeTruthy();
    const pid = Number(readFileSync(file, 'utf8'));
    expect(lives(pid)).toBe(true);
    runner.kill('SIGKILL');
    await once(runner, 'exit');
    // Dead at once; but a process whose parent is gone counts as living until init has taken note.
    await expect.poll(() => lives(pid), { timeout: 10_000 }).toBe(false);
    rmSync(directory, { recursive: true });
  });
});
