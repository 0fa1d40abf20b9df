/** Shopify, with offline access tokens that expire. A public app must have them: a new one now, any by 2027. */
import type { Preset } from '../preset.ts';

export default {
  name: 'shopify',
  title: 'Shopify',
  facts: {
    grant: 'refresh_token', // [V] shopify.dev, offline access tokens
    tokenEndpoint: 'https://{shop}.myshopify.com/admin/oauth/access_token', // [V] shopify-api-js, refresh-token.ts
    authorizationEndpoint: 'https://{shop}.myshopify.com/admin/oauth/authorize', // [V] shopify.dev, standalone apps
    clientAuthentication: 'client_secret_post', // [V] shopify-api-js, refresh-token.ts
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    // Without it a code brings a token that does not expire.
    tokenParameters: { expiring: '1' }, // [V] shopify.dev, offline access tokens
    lifetimeSeconds: 3_600, // [V] shopify.dev, changelog 2025-12-10
    expiresInUnit: 'seconds', // [V] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    // For 30 days from its first use, and not beyond its 90.
    rotation: 'until_successor_used', // [V] shopify.dev, changelog 2026-08-28
    refreshTokenIdleSeconds: 90 * 86_400, // [V] the same
    keepAliveSeconds: 14 * 86_400, // [ours]
  },
  settings: {
    shop: {
      kind: 'text',
      required: true,
      pattern: '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?',
      description: 'The shop: what comes before .myshopify.com in its address.',
    },
    shop_domain: { kind: 'text', callback: 'shop', description: "The shop's address, as a login tells it." },
    scope: { kind: 'text', replaces: 'scope', description: 'Access scopes, separated by commas.' },
  },
  headers: { 'X-Shopify-Access-Token': '{access_token}' },
  errorRules: [],
} satisfies Preset;
