/** Between an adapter and its store, where replies get lost: a request is carried out, and its sender hears nothing. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { Unavailable } from '../../shared/ports/errors.ts';
import { type LoopbackProxy, startProxy } from '../kill/proxy.ts';

/** Which replies are lost: none; that to the first try of each request; or all to the request that came as the nth. */
export type Loss = 'none' | 'first try of each' | { readonly request: number };

type AwsClient = DynamoDBClient | SecretsManagerClient | SQSClient | EventBridgeClient;

/** A client of AWS tries so often. */
const tries = 3;

export class Wire {
  readonly #triesOf = new Map<string, number>();
  #loss: Loss;

  constructor(loss: Loss) {
    this.#loss = loss;
  }

  /** How many requests came that were to change something, and how often they were sent. */
  get requests(): number {
    return this.#triesOf.size;
  }

  get sent(): number {
    return [...this.#triesOf.values()].reduce((sum, times) => sum + times, 0);
  }

  /** From now on every reply arrives. */
  mend(): void {
    this.#loss = 'none';
  }

  #loses(request: string): boolean {
    const times = (this.#triesOf.get(request) ?? 0) + 1;
    this.#triesOf.set(request, times);
    if (typeof this.#loss === 'object') return [...this.#triesOf.keys()].indexOf(request) === this.#loss.request;
    return this.#loss === 'first try of each' && times === 1;
  }

  /** Has a client of AWS send its writes over this wire. It sends each again by itself, as it does for a time-out. */
  carry<C extends AwsClient>(client: C): C {
    // The clients differ in types that do not matter here.
    const { middlewareStack } = client as DynamoDBClient;
    middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          if (/^(?:Get|Query|Scan|Receive)/.test(commandName)) return next(args);
          const request = `${commandName} ${JSON.stringify(args.input)}`;
          for (let attempt = 0; attempt < tries; attempt += 1) {
            const reply = await next(args).catch((error: unknown) => error);
            if (this.#loses(request)) continue;
            if (reply instanceof Error) throw reply;
            return reply as Awaited<ReturnType<typeof next>>;
          }
          throw Object.assign(new Error('no reply'), { name: 'TimeoutError' });
        },
      { step: 'deserialize', priority: 'high' },
    );
    return client;
  }

  /** Starts a proxy before a server. */
  before(target: string): Promise<LoopbackProxy> {
    return startProxy(target, async ({ body }, forward) => {
      const reply = await forward();
      return this.#loses(body) ? undefined : reply;
    });
  }

  /** The same before an adapter in memory: the named methods are tried again as a client of AWS does. */
  within<T extends object>(adapter: T, writes: readonly (keyof T & string)[]): T {
    const through = (name: keyof T & string) => {
      const write = adapter[name] as (...args: readonly unknown[]) => Promise<unknown>;
      let calls = 0;
      return async (...args: readonly unknown[]) => {
        calls += 1;
        const request = `${name} ${calls}`;
        for (let attempt = 0; attempt < tries; attempt += 1) {
          const reply = await write(...args);
          if (!this.#loses(request)) return reply;
        }
        throw new Unavailable('table');
      };
    };
    return { ...adapter, ...Object.fromEntries(writes.map((name) => [name, through(name)])) };
  }
}
