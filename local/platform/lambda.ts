import type { FunctionDefinition } from './deployment.ts';
import { type ExecutionEnvironment, startEnvironment } from './execution-environment.ts';
import type { FunctionError, Outcome } from './runtime-api.ts';

export type { Outcome } from './runtime-api.ts';

export interface LambdaOptions {
  /** Environment variables of every function besides its own: region, endpoints, credentials. */
  readonly variables: Readonly<Record<string, string>>;
  /**
   * Execution environments of one function at most; further invocations wait. AWS would start one for each of them,
   * which would be too many processes here.
   */
  readonly concurrency?: number;
  /**
   * Invocations of all functions at a time, as an account's quota on AWS; further ones are throttled at once. What is
   * reserved for a function is taken from it.
   */
  readonly quota?: number;
  /** An environment that has had nothing to do for this long is taken down. */
  readonly idleMs?: number;
  /** An invocation that has waited this long for an environment is throttled. */
  readonly waitMs?: number;
  readonly onLog?: (functionName: string, line: string) => void;
}

export interface Lambda {
  /** Runs a function on an event and resolves with its outcome; never rejects. */
  invoke(functionName: string, event: unknown): Promise<Outcome>;
  /** The processes there are now. */
  environments(): readonly { readonly functionName: string; readonly pid: number; readonly busy: boolean }[];
  /**
   * Takes no more, gives invocations in flight `drainMs` to end, then kills what is left. Resolves when every process
   * is gone.
   */
  close(drainMs?: number): Promise<void>;
}

export const defaultConcurrency = 8;
/** What most accounts have. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const defaultQuota = 1_000;

/** Whether Lambda refused to run the function, which is not the function's own failure. */
export const isThrottled = (outcome: Outcome): boolean =>
  'error' in outcome && outcome.error.errorType === throttled.errorType;
const throttled: FunctionError = { errorType: 'TooManyRequestsException', errorMessage: 'Rate Exceeded.' };

/**
 * Runs functions as Lambda does: every execution environment is a process, started on demand, that handles one
 * invocation at a time.
 */
export function startLambda(definitions: readonly FunctionDefinition[], options: LambdaOptions): Lambda {
  const pools = new Map(definitions.map((definition) => [definition.name, startPool(definition, options)]));
  const roomOf = roomsOf(definitions, options.quota ?? defaultQuota);
  return {
    invoke(functionName, event) {
      const pool = pools.get(functionName);
      const error = { errorType: 'ResourceNotFoundException', errorMessage: `Function not found: ${functionName}` };
      if (!pool) return Promise.resolve({ error });
      const room = roomOf(functionName);
      if (room.free <= 0) return Promise.resolve({ error: throttled });
      room.free -= 1;
      return pool.invoke(JSON.stringify(event)).finally(() => {
        room.free += 1;
      });
    },
    environments: () => [...pools.values()].flatMap((pool) => pool.environments()),
    async close(drainMs = 5_000) {
      await Promise.all([...pools.values()].map((pool) => pool.close(drainMs)));
    },
  };
}

/** A function with a reservation has a room of its own; the rest of the quota is for all functions without one. */
function roomsOf(definitions: readonly FunctionDefinition[], quota: number): (name: string) => { free: number } {
  const reserved = new Map(
    definitions.flatMap(({ name, reservedConcurrency: free }) => (free === undefined ? [] : [[name, { free }]])),
  );
  const shared = { free: [...reserved.values()].reduce((left, { free }) => left - free, quota) };
  return (name) => reserved.get(name) ?? shared;
}

interface Waiting {
  readonly event: string;
  readonly timer: NodeJS.Timeout;
  resolve(outcome: Outcome): void;
}

/**
 * One environment's place in the pool. `preparing`: it starts, or has answered and is about to ask for its next
 * invocation.
 */
interface Slot {
  state: 'preparing' | 'idle' | 'busy' | 'ending';
  process?: ExecutionEnvironment;
  reaper?: NodeJS.Timeout;
}

function startPool(definition: FunctionDefinition, options: LambdaOptions) {
  const { variables, concurrency = defaultConcurrency, idleMs = 60_000, waitMs = 10_000, onLog = () => {} } = options;
  const slots = new Set<Slot>();
  const queue: Waiting[] = [];
  let closed = false;
  let gone = (): void => {};

  function pump(): void {
    for (let next = queue[0]; next; next = queue[0]) {
      // Always the oldest, so that those which only a burst needed grow idle enough to be taken down.
      const idle = [...slots].find(({ state }) => state === 'idle');
      if (!idle?.process) break;
      queue.shift();
      run(idle, idle.process, next);
    }
    const preparing = [...slots].filter(({ state }) => state === 'preparing').length;
    const missing = Math.min(queue.length - preparing, concurrency - slots.size);
    for (let started = 0; started < missing; started++) start();
  }

  function run(slot: Slot, environment: ExecutionEnvironment, { event, timer, resolve }: Waiting): void {
    clearTimeout(timer);
    clearTimeout(slot.reaper);
    slot.state = 'busy';
    environment.invoke(event).then((outcome) => {
      slot.state = 'preparing';
      resolve(outcome);
    });
  }

  function start(): void {
    const slot: Slot = { state: 'preparing' };
    slots.add(slot);
    startEnvironment(definition, variables, {
      idle() {
        slot.state = 'idle';
        slot.reaper = setTimeout(() => end(slot), idleMs);
        if (closed) end(slot);
        else pump();
      },
      exited(initError) {
        clearTimeout(slot.reaper);
        slots.delete(slot);
        // A bundle that cannot be loaded fails the invocation that waited for it, rather than being loaded for ever.
        if (initError) settle(queue.shift(), { error: initError });
        if (slots.size === 0) gone();
        if (!closed) pump();
      },
      log: (line) => onLog(definition.name, line),
    }).then(
      (environment) => {
        slot.process = environment;
        if (closed) environment.kill();
      },
      (cause) => {
        slots.delete(slot);
        settle(queue.shift(), { error: { errorType: 'ServiceException', errorMessage: String(cause) } });
      },
    );
  }

  function end(slot: Slot): void {
    slot.state = 'ending';
    slot.process?.kill();
  }

  function settle(waiting: Waiting | undefined, outcome: Outcome): void {
    clearTimeout(waiting?.timer);
    waiting?.resolve(outcome);
  }

  return {
    invoke: (event: string): Promise<Outcome> =>
      new Promise((resolve) => {
        if (closed) return resolve({ error: throttled });
        const waiting: Waiting = { event, resolve, timer: setTimeout(() => throttle(waiting), waitMs) };
        queue.push(waiting);
        pump();
      }),
    environments: () =>
      [...slots].flatMap(({ process, state }) =>
        process ? [{ functionName: definition.name, pid: process.pid, busy: state === 'busy' }] : [],
      ),
    async close(drainMs: number): Promise<void> {
      closed = true;
      for (const waiting of queue.splice(0)) settle(waiting, { error: throttled });
      if (slots.size === 0) return;
      const exited = new Promise<void>((resolve) => {
        gone = resolve;
      });
      for (const slot of slots) if (slot.state !== 'busy') end(slot);
      const overdue = setTimeout(() => {
        for (const slot of slots) end(slot);
      }, drainMs);
      await exited;
      clearTimeout(overdue);
    },
  };

  function throttle(waiting: Waiting): void {
    const index = queue.indexOf(waiting);
    if (index >= 0) queue.splice(index, 1);
    waiting.resolve({ error: throttled });
  }
}
