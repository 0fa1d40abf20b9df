/**
 * A credential of vault-plugin-secrets-oauthapp, in OpenBao or Vault. It never gives a refresh token or a client secret
 * back (github.com/puppetlabs/vault-plugin-secrets-oauthapp, README), so a person has to log in once.
 */
import * as v from 'valibot';
import { CommandFailure } from '../failure.ts';
import { ask, type HttpSource } from './http-source.ts';
import type { Source } from './source.ts';

const Config = v.object({ data: v.object({ client_id: v.optional(v.string()), provider: v.optional(v.string()) }) });

/** `mount`: where the engine is; `server`: its configuration with the client. */
export function oauthappSource(
  http: HttpSource,
  names: { readonly mount: string; readonly credential: string; readonly server: string | undefined },
  connection: string,
): Source {
  const { mount, credential, server } = names;
  const path = `${mount}/creds/${credential}`;
  const title = `${path} in ${http.name}`;
  return {
    title,
    // To read the credential would renew it. That the engine is there shows in its configuration.
    async look() {
      const config = await ask(http, `/v1/${mount}/${server === undefined ? 'config' : `servers/${server}`}`);
      if (config === undefined)
        throw new CommandFailure(`${http.name} has no ${server === undefined ? mount : `${mount}/servers/${server}`}.`);
    },
    async read() {
      const config = server === undefined ? undefined : await ask(http, `/v1/${mount}/servers/${server}`);
      const told = v.safeParse(Config, config);
      const { client_id: clientId, provider } = told.success ? told.output.data : {};
      const client = clientId === undefined ? '' : ` --client-id ${clientId}`;
      return {
        kind: 'withheld',
        lines: [
          `${title}: the refresh token and the client secret cannot be had. The plugin gives neither back.`,
          `What it tells: provider ${provider ?? 'not told'}, client id ${clientId ?? 'not told'}.`,
          'So a person logs in once more, with the same client:',
          `  1. Stop what reads ${path}: each read may renew.`,
          `  2. token-broker connect ${connection} --provider PRESET${client}`,
          '     Where the provider has one grant for each user and client, this login ends the one in the plugin.',
          `  3. When token-broker status ${connection} is active: vault delete ${path} (or bao delete ${path}).`,
        ],
      };
    },
    before: [`what reads ${path}`],
    after: [],
  };
}
