/**
 * The local broker behind proxies: the bundles that deploy, each environment a process of its own, and a hand on every
 * wire.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Endpoints, type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import type { Blow, Struck } from './blows.ts';
import { type Moment, momentOf } from './moments.ts';
import { peerOf } from './peer.ts';
import { type Forward, type LoopbackProxy, type Passing, type Reply, startProxy } from './proxy.ts';

/** One release's functions and their API. */
export interface Release {
  readonly broker: LocalBroker;
  /** Every line that a function wrote. */
  readonly log: readonly string[];
}

export interface Stage {
  readonly fetch: LocalBroker['fetch'];
  /** What is at work on the table: one, and the one beside it if there is one. */
  readonly releases: readonly Release[];
  /** Where the table is, past the proxies. */
  readonly dynamoDb: string;
  /** Puts a proxy before a token endpoint, which only this connection uses. Resolves with the URL to use instead. */
  door(connection: string, tokenEndpoint: string): Promise<string>;
  /** Arms a blow at the connection's next such moment. */
  strike(connection: string, at: Moment, blow: Blow): Strike;
  /** What the functions logged about a connection. */
  logOf(connection: string): readonly string[];
  close(): Promise<void>;
}

interface Strike {
  /** The instant of the blow, once the moment has come. */
  readonly dealt: Promise<number>;
  /** Resolves when the blow is over, with the error if it missed. */
  readonly over: Promise<unknown>;
}

interface Armed {
  readonly blow: Blow;
  readonly deal: (at: number) => void;
  readonly end: (error?: unknown) => void;
}

/**
 * `assembly`: a cloud assembly that is there already; by default the app's is synthesized. `beside`: another release's,
 * whose functions and API work on the same table, secrets and queue.
 */
export async function startStage(directory: string, assembly?: string, beside?: string): Promise<Stage> {
  const armed = new Map<string, Armed>();
  const releases: Release[] = [];
  const doors: LoopbackProxy[] = [];
  let services: Record<keyof Endpoints, LoopbackProxy> | undefined;

  async function watched({ dynamoDb, secretsManager, sqs, eventBridge }: Endpoints): Promise<Endpoints> {
    const watch = (url: string) => startProxy(url, (passing, forward) => pass(passing, forward, momentOf(passing)));
    services = {
      dynamoDb: await watch(dynamoDb),
      secretsManager: await watch(secretsManager),
      sqs: await watch(sqs),
      eventBridge: await watch(eventBridge),
    };
    const { dynamoDb: table, secretsManager: secrets, sqs: queue, eventBridge: events } = services;
    return { dynamoDb: table.url, secretsManager: secrets.url, sqs: queue.url, eventBridge: events.url };
  }

  let endpoints: Endpoints | undefined;
  let dynamoDb = '';
  async function release(place: string, of: string | undefined): Promise<void> {
    const log: string[] = [];
    const broker = await startLocalBroker({
      port: 0,
      directory: place,
      provider: 'none',
      ...(of !== undefined && { assembly: of }),
      onLog: (_, line) => log.push(line),
      // The second's own emulators stand idle: the services of both are those of the first.
      endpoints: async (emulators) => {
        if (endpoints === undefined) {
          dynamoDb = emulators.dynamoDb;
          endpoints = await watched(emulators);
        }
        return endpoints;
      },
    });
    releases.push({ broker, log });
  }
  const environments = () => releases.flatMap(({ broker }) => broker.lambda.environments());

  async function pass(
    passing: Passing,
    forward: Forward,
    moment: ReturnType<typeof momentOf>,
  ): Promise<Reply | undefined> {
    const key = `${moment?.connection} ${moment?.at}`;
    const strike = armed.get(key);
    if (strike === undefined) return forward(passing.gone);
    armed.delete(key);
    strike.deal(Date.now());
    try {
      const reply = await strike.blow(struckBy(passing), forward);
      strike.end();
      return reply;
    } catch (error) {
      strike.end(error);
      throw error;
    }
  }

  function struckBy({ socket }: Passing): Struck {
    const pid = () =>
      peerOf(
        socket,
        environments().map((environment) => environment.pid),
      );
    return {
      pid,
      async kill() {
        const victim = pid();
        process.kill(victim, 'SIGKILL');
        for (let looks = 0; environments().some((environment) => environment.pid === victim); looks += 1) {
          if (looks === 500) throw new Error(`process ${victim} outlived SIGKILL by 5 s`);
          await sleep(10);
        }
      },
      takeAway(service, forMs) {
        const proxy = services?.[service];
        proxy?.takeAway();
        setTimeout(() => proxy?.bringBack(), forMs);
      },
    };
  }

  await release(directory, assembly);
  if (beside !== undefined) await release(join(directory, 'beside'), beside);
  const [first] = releases;
  if (first === undefined) throw new Error('no release was started');
  return {
    fetch: first.broker.fetch,
    releases,
    dynamoDb,
    async door(connection, tokenEndpoint) {
      const door = await startProxy(tokenEndpoint, (passing, forward) =>
        pass(passing, forward, { at: 'call', connection }),
      );
      doors.push(door);
      return new URL('/token', door.url).href;
    },
    strike(connection, at, blow) {
      const [dealt, over] = [Promise.withResolvers<number>(), Promise.withResolvers<unknown>()];
      armed.set(`${connection} ${at}`, { blow, deal: dealt.resolve, end: over.resolve });
      return { dealt: dealt.promise, over: over.promise };
    },
    logOf: (connection) =>
      releases.flatMap(({ log }) => log.filter((line) => line.includes(`"connection":"${connection}"`))),
    async close() {
      for (const { broker } of releases.toReversed()) await broker.close();
      for (const proxy of [...doors, ...Object.values(services ?? {})]) await proxy.close();
    },
  };
}
