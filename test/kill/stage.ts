/**
 * The local broker behind proxies: the bundles that deploy, each environment a process of its own, and a hand on every
 * wire.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Endpoints, type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import type { Blow, Struck } from './blows.ts';
import { type Moment, momentOf } from './moments.ts';
import { peerOf } from './peer.ts';
import { type Forward, type LoopbackProxy, type Passing, type Reply, startProxy } from './proxy.ts';

export interface Stage {
  readonly fetch: LocalBroker['fetch'];
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

/** `assembly`: a cloud assembly that is there already; by default the app's is synthesized. */
export async function startStage(directory: string, assembly?: string): Promise<Stage> {
  const armed = new Map<string, Armed>();
  const log: string[] = [];
  const doors: LoopbackProxy[] = [];
  let services: Record<keyof Endpoints, LoopbackProxy> | undefined;

  const broker = await startLocalBroker({
    port: 0,
    directory,
    provider: 'none',
    ...(assembly !== undefined && { assembly }),
    onLog: (_, line) => log.push(line),
    endpoints: async ({ dynamoDb, secretsManager, sqs, eventBridge }) => {
      const watched = (url: string) => startProxy(url, (passing, forward) => pass(passing, forward, momentOf(passing)));
      services = {
        dynamoDb: await watched(dynamoDb),
        secretsManager: await watched(secretsManager),
        sqs: await watched(sqs),
        eventBridge: await watched(eventBridge),
      };
      const { dynamoDb: table, secretsManager: secrets, sqs: queue, eventBridge: events } = services;
      return { dynamoDb: table.url, secretsManager: secrets.url, sqs: queue.url, eventBridge: events.url };
    },
  });

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
        broker.lambda.environments().map((environment) => environment.pid),
      );
    return {
      pid,
      async kill() {
        const victim = pid();
        process.kill(victim, 'SIGKILL');
        for (
          let looks = 0;
          broker.lambda.environments().some((environment) => environment.pid === victim);
          looks += 1
        ) {
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

  return {
    fetch: broker.fetch,
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
    logOf: (connection) => log.filter((line) => line.includes(`"connection":"${connection}"`)),
    async close() {
      await broker.close();
      for (const proxy of [...doors, ...Object.values(services ?? {})]) await proxy.close();
    },
  };
}
