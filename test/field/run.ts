/** Runs a case through the real exchange and the real protocol, on a clock that is moved. */

import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe } from '../../lambdas/describe.ts';
import { tokenReply } from '../../lambdas/token-reply.ts';
import { listen } from '../../local/platform/loopback.ts';
import { httpTokenEndpoint } from '../../shared/adapters/oauth/token-endpoint.ts';
import { credentials, refreshTokens } from '../../shared/adapters/secrets/connection-secrets.ts';
import { getToken, type TokenWorld } from '../../shared/application/get-token.ts';
import { plan } from '../../shared/application/plan.ts';
import { putConnection } from '../../shared/application/put-connection.ts';
import { runRefresh } from '../../shared/application/run-refresh.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import type { Opener, Sealer } from '../../shared/ports/sealer.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { parseConnectionRequest } from '../../shared/providers/parse-request.ts';
import { memoryBreakers } from '../memory/memory-breakers.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { memoryGrantClaims } from '../memory/memory-grant-claims.ts';
import { memoryVersions } from '../memory/memory-secrets.ts';
import { VirtualTime } from '../sim/time.ts';
import type { FieldCase, ServerCall, ServerReply } from './case.ts';

const start = Date.parse('2026-11-29T00:00:00Z') as EpochMs;
const connection = 'field' as ConnectionName;

interface Came {
  readonly faults: unknown;
  readonly status: unknown;
  readonly served: unknown;
  readonly last: unknown;
  readonly calls: readonly ServerCall[];
  readonly told: readonly string[];
  readonly refusals: number;
  readonly looks: number;
  /** Access tokens that were served after their end. */
  readonly deadServed: readonly string[];
  /** Everything that was logged, announced and shown, as one text. */
  readonly output: string;
}

/** Seals nothing: what is sealed is looked at nowhere but here. */
const openSealer: Sealer & Opener = {
  ready: async () => undefined,
  warm: async () => undefined,
  seal: async (plaintext, binding) => Buffer.from(JSON.stringify([plaintext.reveal(), binding])).toString('base64'),
  open: async (sealed) => new Secret(JSON.parse(Buffer.from(sealed, 'base64').toString())[0]),
};

export async function run(entry: FieldCase): Promise<Came> {
  const time = new VirtualTime(start);
  const calls: ServerCall[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const call = {
      nth: calls.length + 1,
      atSeconds: (time.now() - start) / 1_000,
      form: Object.fromEntries(new URLSearchParams(body)),
      headers: request.headers,
      body,
    };
    calls.push(call);
    const { status = 200, headers = {}, packed = [], body: answer = '', raw, reset = false } = replyTo(entry, call);
    if (raw !== undefined) {
      request.socket.write(Buffer.from(raw, 'latin1'), () =>
        reset ? setTimeout(() => request.socket.resetAndDestroy(), 20) : request.socket.end(),
      );
      return;
    }
    const plain: Buffer = Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer));
    const wire = packed.reduce(wrapped, plain);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(wire);
  });
  const { url, close } = await listen(server);
  try {
    return await live(entry, `${url}/token`, time, calls);
  } finally {
    await close();
  }
}

function replyTo({ answers }: FieldCase, call: ServerCall): ServerReply {
  if (typeof answers === 'function') return answers(call);
  return answers[Math.min(call.nth, answers.length) - 1] ?? {};
}

function wrapped(body: Buffer, how: NonNullable<ServerReply['packed']>[number]): Buffer {
  switch (how) {
    case 'gzip':
      return gzipSync(body);
    case 'deflate':
      return deflateSync(body);
    case 'deflate-raw':
      return deflateRawSync(body);
    case 'br':
      return brotliCompressSync(body);
    case 'zstd':
      return zstdCompressSync(body);
    case 'utf-16':
      return Buffer.from(`\uFEFF${body.toString()}`, 'utf16le');
  }
}

/** The broker's world in memory, but for the way to the token endpoint. */
function worldAt(time: VirtualTime) {
  const messages: EpochMs[] = [];
  const told: string[] = [];
  const lines: string[] = [];
  const log = (event: string, facts?: object) => void lines.push(`${event} ${JSON.stringify(facts)}`);
  let ids = 0;
  let draw = 1;
  const chance = {
    // The same in each run, and never twice the same: two writes with one value would take each other for themselves.
    next: () => {
      draw = (draw * 16_807) % 2_147_483_647;
      return draw / 2_147_483_647;
    },
    id: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    grantId: () => '00000000-0000-4000-8000' as GrantId,
  };
  const clock = { now: () => time.now(), sleep: (ms: number, signal?: AbortSignal) => time.sleep(ms, signal) };
  const versions = memoryVersions();
  const world = {
    clock,
    chance,
    store: memoryConnections(),
    refreshTokens: refreshTokens(versions),
    credentials: credentials(versions),
    accessSealer: openSealer,
    refreshSealer: openSealer,
    sealer: openSealer,
    tokenEndpoint: httpTokenEndpoint({ allowLoopback: true }, { clock, chance }),
    queue: {
      send: async (_: ConnectionName, delayMs: number) => void messages.push(plus(time.now(), delayMs)),
      sendAll: async (due: readonly { readonly delayMs: number }[]) =>
        void messages.push(...due.map(({ delayMs }) => plus(time.now(), delayMs))),
    },
    breakers: memoryBreakers(),
    claims: memoryGrantClaims(),
    announcer: { announce: async ({ change }: { readonly change: string }) => void told.push(change) },
    telemetry: { info: log, warn: log, error: log, count: () => undefined },
    providers: providersFrom(),
    memory: new Map(),
    line: new Map(),
  };
  return { world, messages, told, lines };
}

const bodyOf = (entry: FieldCase, endpoint: string): object =>
  Object.fromEntries(
    Object.entries({
      provider: entry.provider ?? 'generic-oauth2',
      settings: { token_endpoint: endpoint, ...entry.settings },
      client: { client_id: 'field', client_secret: 'hun7er2' },
      refresh_token: 'rt-0',
      ...entry.put,
    }).filter(([, value]) => value !== null),
  );

async function live(entry: FieldCase, endpoint: string, time: VirtualTime, calls: ServerCall[]): Promise<Came> {
  const { world, messages, told, lines } = worldAt(time);
  const parsed = parseConnectionRequest(bodyOf(entry, endpoint), { allowLoopback: true });
  const nothing = {
    status: undefined,
    served: undefined,
    last: undefined,
    calls,
    told,
    refusals: 0,
    looks: 0,
    deadServed: [],
  };
  if (!parsed.ok) return { ...nothing, faults: parsed.faults, output: '' };
  await putConnection(world as never, connection, parsed.value);

  const client = clientOf(world as never, entry, lines, calls);
  const end = plus(start, (entry.hours ?? 24) * 3_600_000);
  const everyMs = (entry.askEverySeconds ?? 60) * 1_000;
  const askUntil = entry.askUntilSeconds === undefined ? end : plus(start, entry.askUntilSeconds * 1_000);
  let nextAsk = everyMs === 0 ? Number.POSITIVE_INFINITY : plus(start, 100);
  let nextPlan: number = plus(start, 50);
  let looks = 0;
  for (;;) {
    messages.sort((a, b) => a - b);
    const next = Math.min(messages[0] ?? Number.POSITIVE_INFINITY, nextPlan, nextAsk) as EpochMs;
    if (next > end) break;
    await time.runUntil(next);
    if (messages[0] === next) {
      messages.shift();
      looks += 1;
      await runRefresh(world as never, connection, plus(next, limits.refreshTimeoutMs));
    } else if (nextPlan === next) {
      nextPlan += limits.planIntervalMs;
      await plan(world as never);
    } else {
      await client.ask();
      // Soon again at first, as clients do that wait for their first token.
      const pauseMs = client.seen.served === undefined && next < plus(start, 5_000) ? 900 : everyMs;
      nextAsk = plus(next, pauseMs) > askUntil ? Number.POSITIVE_INFINITY : plus(next, pauseMs);
    }
  }

  const item = await world.store.read(connection);
  if (item === undefined) throw new Error('the connection is gone');
  const { rules } = world.providers.of(item.config);
  const status = JSON.parse(JSON.stringify(describe(item, time.now(), rules && { limits: rules.profile(item) })));
  const output = [...lines, ...told, JSON.stringify(status)].join('\n');
  return { faults: undefined, status, ...client.seen, looks, calls, told, output };
}

/** One client, and what it has been given. */
function clientOf(world: TokenWorld, entry: FieldCase, lines: string[], calls: readonly ServerCall[]) {
  const seen = { served: undefined as unknown, last: undefined as unknown, refusals: 0, deadServed: [] as string[] };
  return {
    seen,
    async ask(): Promise<void> {
      const answer = await getToken(world, connection, undefined, 0);
      const reply = tokenReply(connection, answer);
      seen.last = JSON.parse(reply.body ?? '{}');
      if (answer.kind !== 'token') {
        if (calls.length > 0) seen.refusals += 1;
        lines.push(reply.body ?? '');
        return;
      }
      seen.served ??= seen.last;
      const token = answer.accessToken.reveal();
      const deadFrom = entry.deadFromSeconds?.[token];
      if (deadFrom !== undefined && world.clock.now() >= plus(start, deadFrom * 1_000)) seen.deadServed.push(token);
    },
  };
}
