/**
 * A connection of Nango (nango.dev/docs/reference/backend/http-api: `GET /connections/{connectionId}` with
 * `refresh_token=true`, `GET /integrations/{uniqueKey}` with `include=credentials`). Nango renews whenever a program
 * asks for the connection and its token has expired, and by itself; it has no pause, so it is stopped by deleting its
 * connection.
 */
import * as v from 'valibot';
import { CommandFailure } from '../failure.ts';
import { ask, type HttpSource } from './http-source.ts';
import type { Source } from './source.ts';

const Client = v.object({
  client_id: v.optional(v.nullable(v.string())),
  client_secret: v.optional(v.nullable(v.string())),
});
const Connection = v.object({
  credentials: v.object({
    type: v.string(),
    refresh_token: v.optional(v.pipe(v.string(), v.nonEmpty())),
    /** The application that the grant was given to, where that is not the integration's (`OAuth2Credentials`). */
    config_override: v.optional(Client),
  }),
});
const Integration = v.object({ data: v.object({ credentials: v.optional(Client) }) });

export function nangoSource(
  http: HttpSource,
  { connectionId, integration }: { readonly connectionId: string; readonly integration: string },
): Source {
  const title = `connection ${connectionId} of ${integration} in Nango`;
  const path = `/connections/${encodeURIComponent(connectionId)}?provider_config_key=${encodeURIComponent(integration)}`;
  const gone = () =>
    new CommandFailure(
      `There is no ${title}. If it was moved in before, that is as it should be: token-broker status tells.`,
    );
  return {
    title,
    async look() {
      // The list tells without credentials; the connection itself would be renewed by being read.
      const query = `?connectionId=${encodeURIComponent(connectionId)}`;
      const { connections = [] } = ((await ask(http, `/connections${query}`)) ?? {}) as {
        readonly connections?: readonly { readonly provider_config_key?: string }[];
      };
      if (!connections.some(({ provider_config_key: key }) => key === integration)) throw gone();
    },
    async read() {
      const answer = await ask(http, `${path}&refresh_token=true`);
      if (answer === undefined) throw gone();
      const connection = v.safeParse(Connection, answer);
      const refreshToken = connection.success ? connection.output.credentials.refresh_token : undefined;
      if (refreshToken === undefined) {
        const type = connection.success ? connection.output.credentials.type : 'not readable';
        throw new CommandFailure(
          `${title} has no refresh token to give: its credentials are ${type}, or the key lacks ` +
            'environment:connections:read_credentials.',
        );
      }
      const integrations = v.safeParse(
        Integration,
        await ask(http, `/integrations/${encodeURIComponent(integration)}?include=credentials`),
      );
      const ofIntegration = integrations.success ? integrations.output.data.credentials : undefined;
      const own = connection.success ? connection.output.credentials.config_override : undefined;
      const { client_id, client_secret } = (own?.client_id ? own : ofIntegration) ?? {};
      return {
        kind: 'found',
        refreshToken,
        ...(client_id && { clientId: client_id }),
        ...(client_secret && { clientSecret: client_secret }),
      };
    },
    before: ['every program and sync of yours that asks Nango for this connection'],
    stop: {
      what: `delete ${title} (Nango itself revokes nothing by that; a pre-connection-deletion function of yours might)`,
      now: async () => void (await ask(http, path, 'DELETE')),
    },
    after: [`the syncs and actions of ${integration} that used this connection, and the programs that asked for it`],
  };
}
