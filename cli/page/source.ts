/** What the page shows of a broker, and what its buttons do. */
import { type Deadline, deadlines } from '../../shared/providers/deadlines.ts';
import type { Broker, Description } from '../broker.ts';
import { CommandFailure } from '../failure.ts';
import { type ShownState, stateOf } from '../state.ts';
import type { Trigger } from '../trigger.ts';
import type { PageSource } from './server.ts';

interface PageState {
  readonly broker: string;
  readonly now: string;
  readonly connections: readonly (Description & { readonly shown: ShownState })[];
  readonly deadlines: readonly (Deadline & { readonly concerned: readonly string[] })[];
  /** What can be made to go wrong at the provider, where the broker runs on this machine beside one. */
  readonly triggers: Readonly<Record<string, string>> | undefined;
}

export function pageSource(broker: Broker, trigger: Trigger | undefined): PageSource {
  return {
    async state(): Promise<PageState> {
      const connections = await broker.all();
      return {
        broker: broker.url,
        now: new Date().toISOString(),
        connections: connections.map((item) => ({ ...item, shown: stateOf(item) })),
        deadlines: deadlinesOf(connections),
        triggers: trigger?.kinds,
      };
    },
    actions: {
      link: async ({ connection }) => broker.link(nameIn(connection), undefined),
      trigger: async ({ kind }) => {
        if (trigger === undefined) throw new CommandFailure('There is no provider on this machine to be triggered.');
        return trigger.pull(String(kind));
      },
    },
  };
}

function nameIn(connection: unknown): string {
  if (typeof connection === 'string' && connection !== '') return connection;
  throw new CommandFailure('The request names no connection.');
}

const deadlinesOf = (connections: readonly Description[]) =>
  deadlines.flatMap((deadline) => {
    const concerned = connections
      .filter(({ provider }) => deadline.presets.includes(provider))
      .map(({ connection }) => connection);
    return concerned.length === 0 ? [] : [{ ...deadline, concerned }];
  });
