/** What the page shows of a broker, and what its buttons do. */
import type { ConnectionList, ConnectionReply, LinkReply } from '../../lambdas/replies.ts';
import { type Deadline, deadlines } from '../../shared/providers/deadlines.ts';
import type { SignedFetch } from '../platform/signed-fetch.ts';
import type { ProviderSide, Triggers } from '../triggers.ts';
import { type History, noted } from './history.ts';
import { PageFailure, type PageSource } from './server.ts';
import { askedFor, type ShownState, stateOf, states } from './state.ts';

/** The broker's HTTP API. Messages of what it throws are for the person who looks at the page, and hold no secret. */
export interface PageBroker {
  readonly url: string;
  call<T>(path: string, request?: { readonly method?: string; readonly body?: unknown }): Promise<T>;
}

/** The broker on this machine, in this process. */
export const pageBrokerOf = ({ url, fetch }: { readonly url: string; readonly fetch: SignedFetch }): PageBroker => ({
  url,
  async call<T>(path: string, { method = 'GET', body }: { readonly method?: string; readonly body?: unknown } = {}) {
    const reply = await fetch(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const answer = (await reply.json()) as T & { readonly detail?: string };
    if (!reply.ok) throw new Error(answer.detail ?? `The broker answered ${reply.status}.`);
    return answer;
  },
});

interface PageOptions {
  /** How often the page asks, in milliseconds: a deployed broker is asked more seldom. */
  readonly everyMs: number;
  /** The provider on this machine, if there is one. */
  readonly provider: Triggers | undefined;
}

type Shown = ConnectionReply & { readonly shown: ShownState; readonly history: History };

interface PageState {
  readonly broker: string;
  /** By the clock of this machine, as ISO 8601. */
  readonly now: string;
  readonly everyMs: number;
  readonly connections: readonly Shown[];
  /** There are more than the page shows. */
  readonly more: boolean;
  readonly applications: readonly Application[];
  readonly deadlines: readonly (Deadline & { readonly concerned: readonly string[] })[];
  readonly provider: ProviderSide | undefined;
}

interface Application {
  readonly name: string;
  readonly connections: number;
  readonly failing: number;
  readonly breaker?: NonNullable<ConnectionReply['breaker']>;
}

/** Calls of the list for one look, a hundred connections each. */
const mostPages = 3;
/** Breakers that are asked for at one look. */
const mostBreakers = 10;

export function pageSource(broker: PageBroker, { everyMs, provider }: PageOptions): PageSource {
  const histories = new Map<string, History>();
  const call: Call = (path, request) => told(broker.call(path, request));

  return {
    async state(query): Promise<PageState> {
      const { items, more } = await firstOf(call, query);
      const connections = items.map((item): Shown => {
        const history = noted(histories.get(item.connection), item);
        histories.set(item.connection, history);
        return { ...item, shown: stateOf(item), history };
      });
      return {
        broker: broker.url,
        now: new Date().toISOString(),
        everyMs,
        connections,
        more,
        applications: await applicationsOf(call, connections),
        deadlines: deadlinesOf(items),
        provider: provider && (await told(provider.look())),
      };
    },
    actions: {
      link: async ({ connection, seconds }) =>
        call<LinkReply>(`/connections/${encodeURIComponent(nameIn(connection))}/authorizations`, {
          method: 'POST',
          body: { expires_in: seconds },
        }),
      trigger: async ({ kind, grant }) => {
        if (provider === undefined) throw new PageFailure('There is no provider on this machine to be triggered.');
        return told(provider.pull(String(kind), typeof grant === 'string' ? grant : undefined));
      },
    },
  };
}

async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new PageFailure((error as Error).message);
  }
}

type Call = <T>(path: string, request?: Parameters<PageBroker['call']>[1]) => Promise<T>;

/** The first connections by name, of those that the query of the page wants. */
async function firstOf(call: Call, wanted: URLSearchParams) {
  const items: ConnectionReply[] = [];
  const query = new URLSearchParams();
  const [state, provider] = [wanted.get('state'), wanted.get('provider')];
  const shown = states.find((known) => known === state);
  if (shown !== undefined) query.set('state', askedFor(shown));
  if (provider) query.set('provider', provider);
  for (let pages = 0; pages < mostPages; pages += 1) {
    const { connections, next } = await call<ConnectionList>(`/connections${query.size === 0 ? '' : `?${query}`}`);
    items.push(...connections.filter((item) => shown === undefined || stateOf(item) === shown));
    if (next === undefined) return { items, more: false };
    query.set('after', next);
  }
  return { items, more: true };
}

/** A breaker opens after calls that failed, so an application without failures need not be asked for. */
async function applicationsOf(call: Call, connections: readonly Shown[]): Promise<Application[]> {
  const groups = Object.entries(Object.groupBy(connections, ({ application }) => application));
  const troubled = groups.filter(([, of = []]) => of.some(({ last_failure: failure }) => failure !== undefined));
  const asked = new Set(troubled.slice(0, mostBreakers).map(([name]) => name));
  return Promise.all(
    groups.map(async ([name, of = []]) => {
      const failing = of.filter(({ last_failure: failure }) => failure !== undefined);
      const { breaker } = asked.has(name)
        ? await call<Partial<ConnectionReply>>(`/connections/${failing[0]?.connection}`).catch(() => ({
            breaker: undefined,
          }))
        : { breaker: undefined };
      return {
        name,
        connections: of.length,
        failing: of.filter(({ shown }) => shown === 'failing').length,
        ...(breaker !== undefined && { breaker }),
      };
    }),
  );
}

function nameIn(connection: unknown): string {
  if (typeof connection === 'string' && connection !== '') return connection;
  throw new PageFailure('The request names no connection.');
}

const deadlinesOf = (connections: readonly ConnectionReply[]) =>
  deadlines.flatMap((deadline) => {
    const concerned = connections
      .filter(({ provider }) => deadline.presets.includes(provider))
      .map(({ connection }) => connection);
    return concerned.length === 0 ? [] : [{ ...deadline, concerned }];
  });
