/** Sage Intacct beside a local broker: what the end-to-end tests of its three presets have in common. */
import { onTestFinished } from 'vitest';
import { type SageIntacct, type SageIntacctFacts, startSageIntacct } from '../../local/simulators/sage-intacct.ts';
import {
  type SageIntacctXml,
  type SageIntacctXmlFacts,
  startSageIntacctXml,
} from '../../local/simulators/sage-intacct-xml.ts';
import type { Mishap } from '../../local/simulators/simulator.ts';
import { type Answer, type ProviderBroker, startProviderBroker } from './provider-broker.ts';

export interface SageBroker extends ProviderBroker {
  /** What must not be in any log. */
  readonly secrets: readonly string[];
  /** The REST API, or the XML gateway, for one test, with a connection of its own that goes with it. */
  restFor(connection: string, facts?: Partial<SageIntacctFacts>): Promise<SageIntacct>;
  xmlFor(connection: string, facts?: Partial<SageIntacctXmlFacts>): Promise<SageIntacctXml>;
  /** The same with a connection in use, which has its first access token. */
  restInUse(connection: string, facts?: Partial<SageIntacctFacts>): Promise<SageIntacct>;
  xmlInUse(connection: string, facts?: Partial<SageIntacctXmlFacts>): Promise<SageIntacctXml>;
  /**
   * The next renewals go wrong, and the first of them as soon as the token is due. Returns the description after that.
   */
  failing(connection: string, sage: Pick<SageIntacct, 'next'>, ...wrong: readonly Mishap[]): Promise<Answer['body']>;
}

/** Tokens and sessions live an hour; seconds after their arrival they are due, and have expired. */
const lifetimeSeconds = 3_600;
export const [untilDue, untilExpired] = [3_310, 3_601];
/** More seconds than are left of a token that is due. */
export const rest = 300;

export const clientOf = ({ client }: SageIntacct) => ({
  client_id: client.clientId,
  client_secret: client.clientSecret,
});

export const restBody = (sage: SageIntacct, settings: object = {}, more: object = {}) => ({
  provider: 'sage-intacct-rest',
  settings: { token_endpoint: sage.tokenEndpoint, authorization_endpoint: sage.authorizationEndpoint, ...settings },
  client: clientOf(sage),
  renewal: 'always',
  ...more,
});

export const clientCredentialsBody = (sage: SageIntacct, settings: object = {}) => ({
  provider: 'sage-intacct-client-credentials',
  settings: { token_endpoint: sage.tokenEndpoint, username: sage.username, ...settings },
  client: clientOf(sage),
  renewal: 'always',
});

export const xmlBody = (sage: SageIntacctXml, settings: object = {}) => ({
  provider: 'sage-intacct-xml',
  settings: { token_endpoint: sage.gateway, ...sage.credentials, ...settings },
  renewal: 'always',
});

/** What the token endpoint, or the gateway, answered, in order. */
export const answered = ({ ledger }: Pick<SageIntacct, 'ledger'>): number[] =>
  ledger.filter(({ path, method }) => method === 'POST' && /\/token$|xmlgw/.test(path)).map(({ status }) => status);

/** Opens the REST API with what `GET /token` says to put on a request. */
export async function vendors(sage: SageIntacct, { headers }: { readonly headers?: unknown }) {
  const response = await fetch(sage.apiEndpoint, { headers: headers as Record<string, string> });
  return { status: response.status, body: await response.json() };
}

/**
 * Asks the gateway for vendors, as a client with the session and its own sender credentials does; returns the reply.
 */
export async function vendorsByXml(
  sage: SageIntacctXml,
  { access_token: session }: { readonly access_token?: unknown },
): Promise<string> {
  const { sender_id, sender_password } = sage.credentials;
  const control = `<control><senderid>${sender_id}</senderid><password>${sender_password}</password><controlid>c</controlid><dtdversion>3.0</dtdversion></control>`;
  const content = '<content><function controlid="f"><query><object>VENDOR</object></query></function></content>';
  const body = `<request>${control}<operation><authentication><sessionid>${session}</sessionid></authentication>${content}</operation></request>`;
  return (await fetch(sage.gateway, { method: 'POST', headers: { 'content-type': 'application/xml' }, body })).text();
}

export async function startSageBroker(): Promise<SageBroker> {
  const world = await startProviderBroker();
  const secrets: string[] = [];

  async function restFor(connection: string, facts: Partial<SageIntacctFacts> = {}): Promise<SageIntacct> {
    const sage = await world.simulate((options) =>
      startSageIntacct({ ...options, facts: { lifetimeSeconds, ...facts } }),
    );
    onTestFinished(() => world.remove(connection));
    secrets.push(sage.client.clientSecret);
    return sage;
  }

  async function xmlFor(connection: string, facts: Partial<SageIntacctXmlFacts> = {}): Promise<SageIntacctXml> {
    const sage = await world.simulate((options) =>
      startSageIntacctXml({ ...options, facts: { sessionSeconds: lifetimeSeconds, ...facts } }),
    );
    onTestFinished(() => world.remove(connection));
    secrets.push(sage.credentials.sender_password, sage.credentials.user_password);
    return sage;
  }

  async function firstOf(connection: string, body: object): Promise<void> {
    await world.connect(connection, body);
    secrets.push(String((await world.served(connection)).access_token));
  }

  return {
    ...world,
    secrets,
    restFor,
    xmlFor,

    async restInUse(connection, facts) {
      const sage = await restFor(connection, facts);
      const { refreshToken } = sage.authorize();
      secrets.push(refreshToken);
      await firstOf(connection, restBody(sage, {}, { refresh_token: refreshToken }));
      return sage;
    },

    async xmlInUse(connection, facts) {
      const sage = await xmlFor(connection, facts);
      await firstOf(connection, xmlBody(sage));
      return sage;
    },

    async failing(connection, sage, ...wrong) {
      sage.next(...wrong);
      await world.forward(untilDue);
      return world.until(connection, { last_failure: { count: 1 } });
    },
  };
}
