/**
 * QuickBooks Online. From February 2027 the first grants reach their five years (accounting scopes: October 2028). To
 * redeem an authorization code twice poisons the grant (oauth-jsclient #173).
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'quickbooks',
  title: 'QuickBooks Online',
  facts: {
    grant: 'refresh_token', // [V] Intuit's SDKs
    tokenEndpoint: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer', // [V] the same
    authorizationEndpoint: 'https://appcenter.intuit.com/connect/oauth2', // [V] clients' source
    revocationEndpoint: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke', // [V] clients' source
    clientAuthentication: 'client_secret_basic', // [R]
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    // Then replies tell the hard end: Intuit's SDKs since November 2025.
    tokenHeaders: { 'x-include-refresh-token-hard-expires-in': 'true' }, // [V2]
    revocationEnds: 'user_and_application', // [R] It disconnects the app from the company.
    scope: 'com.intuit.quickbooks.accounting', // [V] clients' source
    lifetimeSeconds: 3_600, // [V] Intuit's SDKs
    expiresInUnit: 'seconds', // [V] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'grace', // [V] The value changes about every 24 h; within a day the same one comes back.
    graceSeconds: 86_400, // [V] the same (oauth-jsclient #77, #128)
    refreshTokenIdleSeconds: 100 * 86_400, // [V] 100 days, rolling
    refreshTokenLifetimeSeconds: 5 * 365 * 86_400, // [V] QuickBooks-V3-Java-SDK v6.5.4
    keepAliveSeconds: 14 * 86_400, // [ours]
  },
  settings: {
    scope: { kind: 'text', replaces: 'scope', description: 'Scopes, separated by spaces.' },
    realm_id: {
      kind: 'text',
      pattern: '[0-9]+',
      callback: 'realmId',
      description: 'The company. A login tells it; give it for a refresh token that is imported.',
    },
  },
  errorRules: [],
} satisfies Preset;
