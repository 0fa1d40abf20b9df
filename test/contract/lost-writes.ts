/** Every write of every port, on every adapter, behind a wire on which replies get lost. */
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  GetSecretValueCommand,
  InvalidRequestException,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { startEventBridge } from '../../local/aws/eventbridge/eventbridge.ts';
import { startSqs } from '../../local/aws/sqs/sqs.ts';
import { listen } from '../../local/platform/loopback.ts';
import { dynamoDbBreakers } from '../../shared/adapters/aws/dynamodb-breakers.ts';
import { dynamoDbConnections } from '../../shared/adapters/aws/dynamodb-connections.ts';
import { dynamoDbGrantClaims } from '../../shared/adapters/aws/dynamodb-grant-claims.ts';
import { eventBridgeAnnouncer } from '../../shared/adapters/aws/eventbridge-announcer.ts';
import { sqsQueue } from '../../shared/adapters/aws/sqs-queue.ts';
import { httpAuthorizationServer } from '../../shared/adapters/oauth/authorization-server.ts';
import { httpRevocation } from '../../shared/adapters/oauth/revocation-endpoint.ts';
import { httpTokenEndpoint } from '../../shared/adapters/oauth/token-endpoint.ts';
import { credentials, refreshTokens, secretRemoval } from '../../shared/adapters/secrets/connection-secrets.ts';
import { dynamoDbVersions } from '../../shared/adapters/secrets/dynamodb-versions.ts';
import { withFallback } from '../../shared/adapters/secrets/fallback-versions.ts';
import { secretsManagerVersions } from '../../shared/adapters/secrets/secrets-manager-versions.ts';
import { systemChance, systemClock } from '../../shared/adapters/system.ts';
import type { Breaker } from '../../shared/domain/breaker.ts';
import type { Connection, ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Exchange } from '../../shared/domain/exchange.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { BreakerStore } from '../../shared/ports/breakers.ts';
import type { ConnectionRemoval, ConnectionStore } from '../../shared/ports/connections.ts';
import type { GrantClaims } from '../../shared/ports/grant-claims.ts';
import type { SecretVersions } from '../../shared/ports/secret-versions.ts';
import { memoryBreakers } from '../memory/memory-breakers.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { memoryGrantClaims } from '../memory/memory-grant-claims.ts';
import { memoryVersions } from '../memory/memory-secrets.ts';
import { slotOf, versionIdOf } from '../plain.ts';
import { domainWrites, upToTheLast } from './domain-writes.ts';
import { prefix, readKey, secretsManagerWorld, secretsTableWorld } from './secret-worlds.ts';
import type { Wire } from './wire.ts';
import { at, commitOf, dynamoDbWorld, localClient, names, newConnection, now } from './worlds.ts';

/** A write that is about to be made, of something that no other one has to do with. */
interface Play {
  readonly act: () => Promise<unknown>;
  /** All that there is to be seen of it, read past the wire. */
  readonly state: () => Promise<unknown>;
}

export interface LostWrite {
  /** `BreakerStore.replace`. */
  readonly method: string;
  readonly adapter: string;
  readonly open: (servers: Servers, wire: Wire) => Promise<Play>;
}

export type Servers = Awaited<ReturnType<typeof startServers>>;

/** Starts what stands for AWS, once for all plays, and gives clients of it that send their writes over a wire. */
export async function startServers() {
  const database = new DatabaseSync(':memory:');
  const [table, secretsTable, secretsManager, sqs, eventBridge] = await Promise.all([
    dynamoDbWorld(),
    secretsTableWorld(),
    secretsManagerWorld(),
    startSqs({ database }),
    startEventBridge({ database }),
  ]);
  eventBridge.createEventBus('broker');
  const clients: { destroy(): void }[] = [];
  const keep = <C extends { destroy(): void }>(client: C): C => {
    clients.push(client);
    return client;
  };
  return {
    table,
    secretsTable,
    secretsManager,
    sqs,
    eventBridge,
    dynamoDb: (wire: Wire, url = table.url) => wire.carry(keep(new DynamoDBClient(localClient(url)))),
    secrets: (wire: Wire) => wire.carry(keep(new SecretsManagerClient(localClient(secretsManager.url)))),
    queues: (wire: Wire) => wire.carry(keep(new SQSClient(localClient(sqs.url)))),
    events: (wire: Wire) => wire.carry(keep(new EventBridgeClient(localClient(eventBridge.url)))),
    async close() {
      for (const client of clients.splice(0)) client.destroy();
      await Promise.all([
        table.close(),
        secretsTable.close(),
        secretsManager.close(),
        sqs.close(),
        eventBridge.close(),
      ]);
      database.close();
    },
  };
}

let made = 0;
const another = (): number => {
  made += 1;
  return made;
};

/** The adapters of one port: behind a wire, and past it. */
type Adapters<T> = Readonly<
  Record<string, (servers: Servers, wire: Wire) => { readonly lossy: T; readonly direct: T }>
>;

const stores: Adapters<ConnectionStore & ConnectionRemoval> = {
  DynamoDB: (servers, wire) => ({
    lossy: dynamoDbConnections(servers.dynamoDb(wire), names),
    direct: servers.table.store,
  }),
  memory: (_, wire) => {
    const direct = memoryConnections();
    return { lossy: wire.within(direct, ['create', 'apply', 'remove']), direct };
  },
};

const breakers: Adapters<BreakerStore> = {
  DynamoDB: (servers, wire) => ({
    lossy: dynamoDbBreakers(servers.dynamoDb(wire), names.tableName),
    direct: dynamoDbBreakers(servers.table.client, names.tableName),
  }),
  memory: (_, wire) => {
    const direct = memoryBreakers();
    return { lossy: wire.within(direct, ['replace']), direct };
  },
};

const claims: Adapters<GrantClaims> = {
  DynamoDB: (servers, wire) => ({
    lossy: dynamoDbGrantClaims(servers.dynamoDb(wire), names.tableName),
    direct: dynamoDbGrantClaims(servers.table.client, names.tableName),
  }),
  memory: (_, wire) => {
    const direct = memoryGrantClaims();
    return { lossy: wire.within(direct, ['claim', 'giveBack']), direct };
  },
};

const lossySecretsManager = (servers: Servers, wire: Wire) => secretsManagerVersions(servers.secrets(wire), prefix);
const lossyTable = ({ secretsTable, dynamoDb }: Servers, wire: Wire) => {
  const client = dynamoDb(wire, secretsTable.url);
  return dynamoDbVersions({ ...secretsTable.table, client }, readKey, systemClock);
};
/** Looks without bringing back what was removed, as a function that reads does. */
const untouched = ({ versions, client }: Servers['secretsManager']): SecretVersions => ({
  ...versions,
  read: async (name, VersionId) => {
    try {
      return (await client.send(new GetSecretValueCommand({ SecretId: `${prefix}${name}`, VersionId }))).SecretString;
    } catch (error) {
      if (error instanceof ResourceNotFoundException || error instanceof InvalidRequestException) return undefined;
      throw error;
    }
  },
});
const versions: Adapters<SecretVersions> = {
  'Secrets Manager': (servers, wire) => ({
    lossy: lossySecretsManager(servers, wire),
    direct: untouched(servers.secretsManager),
  }),
  'a table': (servers, wire) => ({
    lossy: lossyTable(servers, wire),
    direct: servers.secretsTable.versions,
  }),
  'a table, after Secrets Manager': (servers, wire) => ({
    lossy: withFallback(lossyTable(servers, wire), lossySecretsManager(servers, wire)),
    direct: withFallback(servers.secretsTable.versions, untouched(servers.secretsManager)),
  }),
  memory: (_, wire) => {
    const direct = memoryVersions();
    return { lossy: wire.within(direct, ['write', 'remove']), direct };
  },
};

const over = <T>(
  method: string,
  adapters: Adapters<T>,
  play: (lossy: T, direct: T) => Promise<Play>,
  what = '',
): LostWrite[] =>
  Object.entries(adapters).map(([adapter, open]) => ({
    method,
    adapter: what === '' ? adapter : `${adapter}, ${what}`,
    open: async (servers, wire) => {
      const { lossy, direct } = open(servers, wire);
      return play(lossy, direct);
    },
  }));

const breaker = (): Breaker => ({ application: `application ${another()}`, version: 1, unanswered: {} });
/** The adapter keeps its key in the item, which is another one for each application. */
const seen = async (store: BreakerStore, { application }: Breaker) => ({
  ...(await store.read(application)),
  connection: undefined,
});
const claimOf = (claimId: string) => ({ holder: 'exact-nl' as ConnectionName, claimId, claimedAt: now });
const claimKey = () => `#grant#exact-online#lost-${another()}` as const;
const destinations = { token_endpoint: 'https://id.example/token' };
const versionId = versionIdOf('00000000-0000-4000-8000', 2);
const nameOf = () => `lost-${another()}` as ConnectionName;

/** What is written where its writer can be told from another one: sent again, it is written once. */
export const writtenOnce: readonly LostWrite[] = [
  ...over('ConnectionStore.create', stores, async (lossy, direct) => {
    const item = newConnection();
    return { act: () => lossy.create(item), state: () => direct.read(item.connection) };
  }),
  ...Object.entries(domainWrites).flatMap(([what, steps]) =>
    over(
      'ConnectionStore.apply',
      stores,
      async (lossy, direct) => {
        const { item, write } = await upToTheLast(direct, steps);
        const act = async () => {
          const { applied, item: after } = await lossy.apply(item.connection, write);
          return { applied, isTold: isAsTold(after, await direct.read(item.connection)) };
        };
        return { act, state: () => direct.read(item.connection) };
      },
      what,
    ),
  ),
  ...over('ConnectionRemoval.remove', stores, async (lossy, direct) => {
    const item = newConnection();
    await direct.create(item);
    const mine = [{ path: 'grant.id', equals: item.grant.id }] as const;
    return { act: () => lossy.remove(item.connection, mine), state: () => direct.read(item.connection) };
  }),
  ...over('BreakerStore.replace', breakers, async (lossy, direct) => {
    const first = breaker();
    return { act: () => lossy.replace(first), state: () => seen(direct, first) };
  }),
  ...over(
    'BreakerStore.replace',
    breakers,
    async (lossy, direct) => {
      const first = breaker();
      await direct.replace(first);
      const next = { ...first, version: 2, unanswered: { 'exact-nl': at(0) } };
      return { act: () => lossy.replace(next), state: () => seen(direct, first) };
    },
    'over another',
  ),
  ...over('GrantClaims.claim', claims, async (lossy, direct) => {
    const key = claimKey();
    return { act: () => lossy.claim(key, claimOf('1'), undefined), state: () => direct.read(key) };
  }),
  ...over('GrantClaims.giveBack', claims, async (lossy, direct) => {
    const key = claimKey();
    await direct.claim(key, claimOf('1'), undefined);
    return { act: () => lossy.giveBack(key, claimOf('1')), state: () => direct.read(key) };
  }),
  ...([true, false] as const).flatMap((isFirst) =>
    over(
      'SecretVersions.write',
      versions,
      async (lossy, direct) => {
        const name = `${nameOf()}/refresh-0`;
        return { act: () => lossy.write(name, versionId, 'text', isFirst), state: () => direct.read(name, versionId) };
      },
      isFirst ? 'the first of its secret' : 'perhaps of a new secret',
    ),
  ),
  ...over('SecretVersions.remove', versions, async (lossy, direct) => {
    const name = `${nameOf()}/refresh-0`;
    await direct.write(name, versionId, 'text');
    return { act: () => lossy.remove(name), state: () => direct.read(name, versionId) };
  }),
  ...over('RefreshTokenStore.persist', versions, async (lossy, direct) => {
    const [name, tokens] = [nameOf(), { ...commitOf(2).tokens, tokenType: 'Bearer', accessToken: new Secret('a') }];
    return {
      act: () => refreshTokens(lossy).persist(name, slotOf(0), versionId, tokens, destinations),
      state: () => refreshTokens(direct).lookUp(name, slotOf(0), versionId),
    };
  }),
  ...over('ImportedRefreshTokens.storeRefreshToken', versions, async (lossy, direct) => {
    const [name, token] = [nameOf(), new Secret('r')];
    return {
      act: () => refreshTokens(lossy).storeRefreshToken(name, slotOf(0), versionId, token, destinations, true),
      state: () => refreshTokens(direct).read(name, slotOf(0), versionId, destinations),
    };
  }),
  ...over('CredentialStore.store', versions, async (lossy, direct) => {
    const [name, secrets] = [nameOf(), { client_secret: new Secret('s') }];
    return {
      act: () => credentials(lossy).store(name, versionId, secrets, destinations, true),
      state: () => credentials(direct).read(name, versionId, destinations),
    };
  }),
  ...over('SecretRemoval.remove', versions, async (lossy, direct) => {
    const name = nameOf();
    await refreshTokens(direct).storeRefreshToken(name, slotOf(0), versionId, new Secret('r'), destinations);
    return {
      act: () => secretRemoval(lossy).remove(name, 2, () => true),
      state: () => refreshTokens(direct).read(name, slotOf(0), versionId, destinations),
    };
  }),
];

/** Whether an applied write is answered with the item as the table has it. */
const isAsTold = (told: Connection | undefined, there: Connection | undefined): boolean =>
  told !== undefined && JSON.stringify(sorted(told)) === JSON.stringify(sorted(there));

const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([name, member]) => [name, sorted(member)]),
      )
    : value;

/** What is only sent: each time that it is sent, it is there once more. That must be harmless to its readers. */
export const sentAgain: readonly LostWrite[] = [
  {
    method: 'RefreshQueue.send',
    adapter: 'SQS',
    open: (servers, wire) => queued(servers, wire, (queue) => queue.send('exact-nl' as ConnectionName, 2_000)),
  },
  {
    method: 'RefreshQueue.sendAll',
    adapter: 'SQS',
    open: (servers, wire) =>
      queued(servers, wire, (queue) => queue.sendAll([{ connection: 'exact-nl' as ConnectionName, delayMs: 2_000 }])),
  },
  {
    method: 'Announcer.announce',
    adapter: 'EventBridge',
    open: async (servers, wire) => {
      const announcer = eventBridgeAnnouncer(servers.events(wire), {
        eventBusName: 'broker',
        source: 'token-broker',
      });
      const id = `announcement-${another()}`;
      const announcement = {
        id,
        change: 'recovered',
        connection: nameOf(),
        provider: 'exact-online',
        at: now,
      } as const;
      return {
        act: () => announcer.announce(announcement),
        state: async () =>
          servers.eventBridge
            .events('broker')
            .flatMap(({ source, detail, time }) => (detail.id === id ? [{ source, detail, time }] : [])),
      };
    },
  },
];

async function queued(
  servers: Servers,
  wire: Wire,
  send: (queue: ReturnType<typeof sqsQueue>) => Promise<void>,
): Promise<Play> {
  const url = servers.sqs.createQueue('refresh');
  const before = servers.sqs.sent().length;
  return { act: () => send(sqsQueue(servers.queues(wire), url)), state: async () => servers.sqs.sent().slice(before) };
}

/** What a provider may have spent is never sent again by an adapter: the protocol decides what a lost reply means. */
export const neverSentAgain: readonly LostWrite[] = [
  {
    method: 'TokenEndpoint.request',
    adapter: 'HTTP',
    open: (_, wire) =>
      asked(wire, (config) =>
        httpTokenEndpoint(loopback).request({
          config,
          grant: 'refresh_token',
          refreshToken: new Secret('r'),
          credentials: secretOfClient,
          timeoutMs: 5_000,
        }),
      ),
  },
  {
    method: 'AuthorizationServer.redeem',
    adapter: 'HTTP',
    open: (_, wire) =>
      asked(wire, (config) => {
        const server = httpAuthorizationServer(loopback, surroundings);
        const state = 'the-state';
        const response = server.readResponse(config, new URLSearchParams({ code: 'c', state }), state);
        if (response.kind !== 'code') throw new Error('there is no code');
        const codeVerifier = new Secret('v'.repeat(43));
        const redirectUri = 'https://broker.example/oauth/callback';
        return server.redeem(config, { ...response, redirectUri, codeVerifier, credentials: secretOfClient });
      }),
  },
  {
    method: 'Revocation.revoke',
    adapter: 'HTTP',
    open: (_, wire) =>
      asked(wire, (config) => httpRevocation(loopback, surroundings).revoke(config, new Secret('r'), secretOfClient)),
  },
];

const loopback = { allowLoopback: true };
const surroundings = { clock: systemClock, chance: systemChance };
const secretOfClient = { client_secret: new Secret('s') };

/** An authorization server that takes everything, and what it was sent. */
async function asked(wire: Wire, ask: (config: ConnectionConfig) => Promise<Exchange>): Promise<Play> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    text(request).then((body) => {
      bodies.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"a","token_type":"bearer"}');
    });
  });
  const { url, close } = await listen(server);
  const proxy = await wire.before(url);
  const settings = {
    token_endpoint: `${proxy.url}/token`,
    revocation_endpoint: `${proxy.url}/revoke`,
    authorization_endpoint: `${proxy.url}/authorize`,
  };
  const config: ConnectionConfig = { provider: 'generic-oauth2', settings, clientId: 'app', renewal: 'always' };
  const act = async () => {
    const { kind } = await ask(config);
    await Promise.all([proxy.close(), close()]);
    return kind;
  };
  return { act, state: async () => bodies.length };
}
