/** The client and the authorization server, as oauth4webapi names them. */
import type { ConnectionConfig } from '../../domain/connection.ts';
import type { ResolvedProvider } from '../../providers/resolve.ts';

/** Throws where the connection has no client: a PUT of it was refused. */
export function clientOf({ provider, clientId }: ConnectionConfig): { readonly client_id: string } {
  if (clientId === undefined) throw new Error(`the connection to ${provider} has no client`);
  return { client_id: clientId };
}

/** Throws where the provider has no token endpoint: it is not asked for tokens. */
export function serverOf({ preset, tokenEndpoint }: ResolvedProvider): {
  readonly issuer: string;
  readonly token_endpoint: string;
} {
  if (tokenEndpoint === undefined) throw new Error(`${preset.name} has no token endpoint`);
  return { issuer: tokenEndpoint.origin, token_endpoint: tokenEndpoint.href };
}
