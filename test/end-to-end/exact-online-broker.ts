/** Exact Online beside a local broker: what the end-to-end tests of its preset have in common. */
import { onTestFinished } from 'vitest';
import { type ExactOnline, type ExactOnlineFacts, startExactOnline } from '../../local/simulators/exact-online.ts';
import type { Mishap } from '../../local/simulators/simulator.ts';
import { type ProviderBroker, startProviderBroker } from './provider-broker.ts';

export interface ExactBroker extends ProviderBroker {
  /** What must not be in any log. */
  readonly secrets: readonly string[];
  /** Exact for one test, with a connection of its own that goes with it. */
  exactFor(connection: string, facts?: Partial<ExactOnlineFacts>): Promise<ExactOnline>;
  /** A grant that is old enough to be renewed; returns its refresh token. */
  grantOf(exact: ExactOnline): string;
  /** Exact with a connection in use, which has its first access token. */
  inUse(connection: string, facts?: Partial<ExactOnlineFacts>): Promise<ExactOnline>;
  /** The next renewals go wrong, and the first of them as soon as the token is due. */
  failing(connection: string, exact: ExactOnline, ...wrong: readonly Mishap[]): Promise<void>;
}

/** Seconds after its arrival: a token may be renewed, and it has expired. */
export const [untilDue, untilExpired] = [576, 601];
/** More seconds than are left of a token that is due. */
export const rest = 30;

export const bodyFor = (exact: ExactOnline, more: object = {}) => ({
  provider: 'exact-online',
  settings: { token_endpoint: exact.tokenEndpoint, authorization_endpoint: exact.authorizationEndpoint },
  client: { client_id: exact.client.clientId, client_secret: exact.client.clientSecret },
  ...more,
});

/** What the token endpoint answered, in order. */
export const tokenCalls = ({ ledger }: ExactOnline): number[] =>
  ledger.filter(({ path }) => path.endsWith('/token')).map(({ status }) => status);

/** Opens the API with what `GET /token` says to put on a request; returns the status. */
export const callApi = async (exact: ExactOnline, { headers }: { readonly headers?: unknown }): Promise<number> =>
  (await fetch(exact.apiEndpoint, { headers: headers as Record<string, string> })).status;

export async function startExactBroker(): Promise<ExactBroker> {
  const world = await startProviderBroker();
  const secrets: string[] = [];

  async function exactFor(connection: string, facts: Partial<ExactOnlineFacts> = {}): Promise<ExactOnline> {
    const exact = await world.simulate((options) => startExactOnline({ ...options, facts }));
    onTestFinished(() => world.remove(connection));
    secrets.push(exact.client.clientSecret);
    return exact;
  }

  function grantOf(exact: ExactOnline): string {
    const { refreshToken } = exact.authorize({ secondsAgo: 600 });
    secrets.push(refreshToken);
    return refreshToken;
  }

  return {
    ...world,
    secrets,
    exactFor,
    grantOf,

    async inUse(connection, facts) {
      const exact = await exactFor(connection, facts);
      await world.connect(connection, bodyFor(exact, { refresh_token: grantOf(exact) }));
      secrets.push(String((await world.served(connection)).access_token));
      return exact;
    },

    async failing(connection, exact, ...wrong) {
      exact.next(...wrong);
      await world.forward(untilDue);
      await world.until(connection, { last_failure: { count: 1 } });
    },
  };
}
