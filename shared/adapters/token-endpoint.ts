/** The token endpoint over HTTP. oauth4webapi writes the request; the reply is handed on unread, since errors are facts for the classifier. */
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretPost,
  clientCredentialsGrantRequest,
  customFetch,
  None,
  refreshTokenGrantRequest,
} from 'oauth4webapi';
import type { TokenEndpoint, TokenReply, TokenRequest } from '../ports/index.ts';
import { type EndpointPolicy, faultOfEndpoint } from '../providers/endpoint-url.ts';
import type { Facts } from '../providers/preset.ts';
import { type ResolvedProvider, resolveProvider } from '../providers/resolve.ts';
import { type HttpExchange, type HttpRequest, httpExchange } from './http-exchange.ts';

/** Returns the endpoint of every connection. Private, loopback, link-local and metadata addresses are not connected to. */
export function httpTokenEndpoint(policy: EndpointPolicy): TokenEndpoint {
  const exchange: HttpExchange = httpExchange(policy);
  return {
    async request(request: TokenRequest): Promise<TokenReply> {
      const provider = resolveProvider(request.config);
      const authentication = clientAuthenticationOf(provider.facts, request);
      if (authentication === undefined) return { kind: 'not_sent', code: 'client_secret_missing' };
      if (request.grant === 'refresh_token' && request.refreshToken === undefined) return { kind: 'not_sent', code: 'refresh_token_missing' };
      if (faultOfEndpoint(provider.tokenEndpoint.href, policy) !== undefined) return { kind: 'not_sent', code: 'address_not_allowed' };
      return exchange(await written(provider, authentication, request), request.timeoutMs);
    },
  };
}

/** The request as it goes over the wire. */
async function written({ tokenEndpoint, facts }: ResolvedProvider, authentication: ClientAuth, request: TokenRequest): Promise<HttpRequest> {
  const server = { issuer: tokenEndpoint.origin, token_endpoint: tokenEndpoint.href };
  const client = { client_id: request.config.clientId ?? '' };
  return new Promise((resolve, reject) => {
    const options = {
      // Whether plain http may be used was decided above.
      [allowInsecureRequests]: true,
      [customFetch]: async (url: string, { headers, body }: { headers: Record<string, string>; body: URLSearchParams }) => {
        resolve({ url: new URL(url), headers, body: body.toString() });
        return new Response();
      },
    };
    const sending =
      request.grant === 'client_credentials'
        ? clientCredentialsGrantRequest(server, client, authentication, facts.scope === undefined ? {} : { scope: facts.scope }, options)
        : refreshTokenGrantRequest(server, client, authentication, request.refreshToken?.reveal() ?? '', options);
    sending.catch(reject);
  });
}

/** Undefined if the client has to authenticate and its secret is not there. */
function clientAuthenticationOf({ clientAuthentication }: Pick<Facts, 'clientAuthentication'>, { clientSecret }: TokenRequest): ClientAuth | undefined {
  if (clientAuthentication === 'none') return None();
  if (clientSecret === undefined) return undefined;
  return clientAuthentication === 'client_secret_post' ? ClientSecretPost(clientSecret.reveal()) : clientSecretBasic(clientSecret.reveal());
}

/**
 * RFC 6749 §2.3.1, form-encoding both halves. oauth4webapi's own also encodes `-`, `_` and `.`: right, but many servers do not
 * decode, and then know no client whose id is a UUID. What need not be encoded is not.
 */
function clientSecretBasic(clientSecret: string): ClientAuth {
  const encoded = (text: string) => encodeURIComponent(text).replaceAll('%20', '+');
  return (_server, client, _body, headers) => headers.set('authorization', `Basic ${btoa(`${encoded(client.client_id)}:${encoded(clientSecret)}`)}`);
}
