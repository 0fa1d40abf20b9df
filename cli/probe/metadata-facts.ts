/** What the metadata of an authorization server tells of its logins (RFC 8414 §2, RFC 9207 §3). */
import type { ServerMetadata } from '../../shared/ports/discovery.ts';
import type { Found } from './probe.ts';

export function factsOfMetadata(metadata: ServerMetadata): readonly Found[] {
  const methods = metadata.code_challenge_methods_supported;
  const takesPkce = Array.isArray(methods) && methods.includes('S256');
  const sendsIssuer = metadata.authorization_response_iss_parameter_supported === true;
  return [
    {
      fact: 'pkce',
      value: 'S256',
      how: takesPkce ? 'its metadata says so' : 'its metadata does not tell; it goes with every login',
    },
    ...(sendsIssuer
      ? [{ fact: 'issuer', value: metadata.issuer, how: 'its metadata says that it sends iss' } as const]
      : []),
  ];
}
