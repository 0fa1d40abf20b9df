/** DATEV. Its sandbox has other hosts: give the endpoints as settings. */
import type { Preset } from '../preset.ts';

export default {
  name: 'datev',
  title: 'DATEV',
  facts: {
    grant: 'refresh_token', // [V2] Apideck, anythingmcp
    tokenEndpoint: 'https://api.datev.de/token', // [C] Nango and most clients; Apideck has login.datev.de/openid/token.
    authorizationEndpoint: 'https://login.datev.de/openid/authorize', // [V] clients' source
    revocationEndpoint: 'https://api.datev.de/revoke', // [V] clients' source
    clientAuthentication: 'client_secret_basic', // [V] clients' source
    pkce: 'S256', // [V] developer.datev.de: mandatory
    authorizationParameters: { enableWindowsSso: 'true' }, // [V] clients' source
    scope: 'openid offline_access datev:accounting:clients', // [V] clients' source; what an app needs differs.
    lifetimeSeconds: 900, // [V2] Apideck, anythingmcp
    expiresInUnit: 'seconds', // [V2] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'single_use', // [V2] It rotates with each use; that the old one dies is assumed.
    refreshTokenIdleSeconds: 730 * 86_400, // [V] developer.datev.de: two years with offline_access, 11 hours without.
    keepAliveSeconds: 7 * 86_400, // [ours]
  },
  settings: {
    scope: {
      kind: 'text',
      replaces: 'scope',
      description: 'Scopes, separated by spaces; without offline_access a grant ends after 11 hours.',
    },
    datev_client_id: { kind: 'text', description: 'The client id of the app, for the header X-DATEV-Client-Id.' },
  },
  headers: { Authorization: '{token_type} {access_token}', 'X-DATEV-Client-Id': '{datev_client_id}' },
  errorRules: [],
} satisfies Preset;
