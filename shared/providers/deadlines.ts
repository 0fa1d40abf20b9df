/** Dated changes of providers, as data: what ends when, and what to do before. Read, not tried at the provider. */

export interface Deadline {
  /** The presets whose connections it may concern. */
  readonly presets: readonly string[];
  /** The day from which it holds, `YYYY-MM-DD`; a month's first day where no day is told. */
  readonly from: string;
  readonly change: string;
  /** What the operator does about it. */
  readonly fix: string;
  readonly source: string;
}

export const deadlines: readonly Deadline[] = [
  {
    presets: ['salesforce'],
    from: '2026-05-11',
    change:
      'Partner applications in more than two production organizations must rotate refresh tokens, use PKCE and list ' +
      'the addresses that refresh.',
    fix: 'List the address from which the broker refreshes. A deployment without a fixed address has changing ones.',
    source: 'help.salesforce.com secure_code_ac_eca',
  },
  {
    presets: ['quickbooks'],
    from: '2027-02-01',
    change: 'The first grants reach five years, after which a person has to log in again.',
    fix: 'Look at grant_ends_at of the connections, and send links in time.',
    source: 'blogs.intuit.com 2025-11-12',
  },
  {
    presets: ['hubspot'],
    from: '2027-02-16',
    change: 'The v1 token endpoint ends.',
    fix:
      'Put the connections with settings.token_endpoint of the next version, once HubSpot names it for your ' +
      'application.',
    source: 'the preset',
  },
  {
    presets: ['xero', 'xero-custom-connection'],
    from: '2027-09-01',
    change: 'Broad scopes end; granular ones take their place.',
    fix: 'Have a person log in again with granular scopes (settings.scope) before.',
    source: 'developer.xero.com/faq/custom-integration',
  },
];
