/** What becomes of a connection over hours: tokens that come again, ends that are told, what is of the grant. */
import type { FieldCase, ServerCall, ServerReply } from '../case.ts';

const hour = 3_600;

/** The access token of this moment, at a server that makes another every so many seconds. */
const current = (atSeconds: number, lifeSeconds: number): string => `at-${Math.floor(atSeconds / lifeSeconds)}`;
const ends = (lifeSeconds: number, count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`at-${n}`, (n + 1) * lifeSeconds]));

export const again: readonly FieldCase[] = [
  {
    source: 'pipedream#9252, doorkeeper#225',
    what: 'the same access token with a whole life is served no longer than its first',
    answers: ({ atSeconds }) => ({ body: { access_token: current(atSeconds, 60), expires_in: 60 } }),
    askEverySeconds: 1,
    hours: 1,
    deadFromSeconds: ends(60, 61),
    expected: { status: { state: 'active' }, calls: [60, 260] },
  },
  {
    source: 'doorkeeper#225',
    what: 'the same with an hour',
    answers: ({ atSeconds }) => ({ body: { access_token: current(atSeconds, hour), expires_in: hour } }),
    askEverySeconds: 10,
    deadFromSeconds: ends(hour, 25),
    expected: { status: { state: 'active' }, calls: [24, 90] },
  },
  {
    source: 'of this kind',
    what: 'the same with the seconds that remain: two or three calls a life',
    answers: ({ atSeconds }) => ({
      body: { access_token: current(atSeconds, 600), expires_in: Math.ceil(600 - (atSeconds % 600)) },
    }),
    askEverySeconds: 5,
    deadFromSeconds: ends(600, 145),
    expected: { status: { state: 'active' }, calls: [144, 3 * 144], refusals: 3 * 144 },
  },
  {
    source: 'owncloud/web#7636',
    what: 'another token each time, and a session that ends them all',
    answers: ({ nth, atSeconds }) => ({
      body: { access_token: `at-${nth}`, expires_in: Math.ceil(600 - (atSeconds % 600)) },
    }),
    askEverySeconds: 5,
    expected: { status: { state: 'active' }, calls: [144, 3 * 144], refusals: 3 * 144 },
  },
  {
    source: 'of this kind',
    what: 'one token for ever, always with a whole life, is prolonged by its server',
    answers: [{ body: { access_token: 'at-0', expires_in: 60 } }],
    hours: 1,
    askEverySeconds: 1,
    expected: { status: { state: 'active' }, calls: [60, 260], last: { access_token: 'at-0' } },
  },
  {
    source: 'Moneybird',
    what: 'one token for ever, without a word of its life, is served without a gap',
    answers: [{ body: { access_token: 'at-0' } }],
    askEverySeconds: 1,
    expected: { status: { state: 'active' }, calls: [20, 40], refusals: 2 },
  },
  {
    source: 'of this kind',
    what: 'a token that is over before another can be asked for costs no storm of calls and messages',
    answers: ({ nth }) => ({ body: { access_token: `at-${nth}`, expires_in: 1 } }),
    hours: 1,
    askEverySeconds: 1,
    expected: {
      status: { state: 'active', last_failure: { rule: 'expired_on_arrival' } },
      served: null,
      calls: [5, 15],
      looks: 100,
    },
  },
  {
    source: 'of this kind',
    what: 'a token that lives three seconds costs no storm of messages',
    answers: ({ nth }) => ({ body: { access_token: `at-${nth}`, expires_in: 3 } }),
    hours: 0.05,
    askEverySeconds: 1,
    expected: { status: { state: 'active' }, served: {}, calls: [20, 75], looks: 400 },
  },
  {
    source: 'of this kind',
    what: 'a token that lives five seconds is served with what it has',
    answers: ({ nth }) => ({ body: { access_token: `at-${nth}`, expires_in: 5 } }),
    hours: 0.1,
    askEverySeconds: 1,
    expected: { status: { state: 'active' }, served: {}, refusals: 180 },
  },
];

/** A server whose refresh tokens lapse when they were not used for so long. */
function lapsing(idleSeconds: number, told: (remaining: number) => object) {
  let usedAt = 0;
  return ({ atSeconds }: { readonly atSeconds: number }): ServerReply => {
    if (atSeconds - usedAt > idleSeconds)
      return { status: 400, body: { error: 'invalid_grant', error_description: 'Token is not active' } };
    usedAt = atSeconds;
    return { body: { access_token: `at-${atSeconds}`, expires_in: 300, refresh_token: 'rt-0', ...told(idleSeconds) } };
  };
}

const rest = { askUntilSeconds: 10, hours: 4 };
const lives = { status: { state: 'active' }, told: ['authorized'] };

export const grantEnds: readonly FieldCase[] = [
  {
    source: 'keycloak/keycloak#32926',
    what: 'Keycloak: at rest for hours, with a refresh token of half an hour',
    answers: lapsing(1_800, (s) => ({ refresh_expires_in: s })),
    ...rest,
    expected: { ...lives, calls: [8, 32] },
  },
  ...[
    ['refresh_token_expires_in', (s: number) => s],
    ['refresh_token_expires_in', (s: number) => String(s)],
    ['x_refresh_token_expires_in', (s: number) => s],
    ['refreshExpiresIn', (s: number) => s],
    ['refreshTokenExpiresIn', (s: number) => s],
  ].map(
    ([name, told]): FieldCase => ({
      source: 'openid/AppAuth-Android#531, QuickBooks-V3-DotNET-SDK#370, nango#6775',
      what: `${name} keeps a grant alive`,
      answers: lapsing(1_800, (s) => ({ [String(name)]: (told as (s: number) => unknown)(s) })),
      ...rest,
      expected: { ...lives, calls: [8, 32] },
    }),
  ),
  {
    source: 'of this kind',
    what: 'an instant',
    answers: ({ nth }) => ({
      body: { access_token: `at-${nth}`, expires_in: 300, refresh_token_expires_at: '2026-12-09T00:00:00Z' },
    }),
    askUntilSeconds: 10,
    hours: 3,
    expected: { status: { grant_ends_at: '2026-12-09T00:00:00.000Z' }, calls: [1, 15] },
  },
  {
    source: 'Google, an app in testing',
    what: 'an end that no use moves is told ahead, and shown',
    provider: 'google',
    settings: { scope: 'email' },
    answers: ({ atSeconds }) => ({
      body: {
        access_token: `at-${atSeconds}`,
        expires_in: hour,
        refresh_token_expires_in: 604_799 - Math.floor(atSeconds),
      },
    }),
    askUntilSeconds: 10,
    hours: 6 * 24,
    expected: {
      status: { state: 'active', grant_ends_at: expect_day('2026-12-05') },
      told: ['authorized', 'reauthorization_due'],
      calls: [2, 12],
    },
  },
  {
    source: 'Keycloak, an offline token',
    what: '0 is no end',
    answers: ({ nth }) => ({ body: { access_token: `at-${nth}`, expires_in: 300, refresh_expires_in: 0 } }),
    askUntilSeconds: 10,
    expected: { status: { state: 'active' }, calls: [1, 15], told: ['authorized'] },
  },
  {
    source: 'Intuit, November 2025',
    what: 'QuickBooks is asked for the hard end, and the earlier of the two counts',
    provider: 'quickbooks',
    answers: [
      {
        body: {
          access_token: 'at',
          expires_in: hour,
          x_refresh_token_expires_in: 8_640_000,
          x_refresh_token_hard_expires_in: 864_000,
        },
      },
    ],
    hours: 0.5,
    expected: {
      status: { grant_ends_at: expect_day('2026-12-09') },
      request: { headers: { 'x-include-refresh-token-hard-expires-in': 'true' } },
    },
  },
  ...[
    ['an end that is past', { refresh_token_expires_at: '2026-11-28T19:00:00' }],
    ['an end in a second', { refresh_token_expires_in: 1 }],
    ['an end of nothing', { refresh_expires_in: -1 }],
  ].map(
    ([what, end]): FieldCase => ({
      source: 'of this kind',
      what: `${what} brings no call after call`,
      answers: ({ nth }) => {
        // A storm would not end by itself.
        if (nth > 50) return { status: 400, body: { error: 'invalid_grant' } };
        return { body: { access_token: `at-${nth}`, expires_in: hour, ...(end as object) } };
      },
      hours: 6,
      expected: { status: { state: 'active' }, calls: [6, 8], refusals: 0 },
    }),
  ),
  {
    source: 'of this kind',
    what: 'a reply that does not tell leaves what was told',
    answers: [
      { body: { access_token: 'at-1', expires_in: 300, refresh_token_expires_in: 864_000 } },
      { body: { access_token: 'at-2', expires_in: 300 } },
    ],
    hours: 0.2,
    expected: { status: { grant_ends_at: expect_day('2026-12-09') } },
  },
  {
    source: 'of this kind',
    what: 'an end that only the first reply tells does not bring call after call',
    answers: ({ nth, atSeconds }) => ({
      body: { access_token: `at-${atSeconds}`, expires_in: 300, ...(nth === 1 && { refresh_token_expires_in: 1_800 }) },
    }),
    askUntilSeconds: 10,
    hours: 6,
    expected: { status: { state: 'active' }, calls: [20, 40] },
  },
];

/** A server whose renewals end the access token of before, and a client that asks each ten seconds. */
const endsPrevious: Omit<FieldCase, 'source' | 'what' | 'expected'> = {
  settings: { renewal_ends: 'previous_token' },
  answers: ({ nth }) => ({
    body: { access_token: `at-${nth}`, expires_in: 900, refresh_token_expires_in: 86_400, refresh_token: 'rt-0' },
  }),
  askEverySeconds: 10,
  hours: 2,
};

export const endedTokens: readonly FieldCase[] = [
  {
    source: 'docs.wise.com, refresh tokens',
    what: 'Wise: the token of twelve hours is renewed 30 s before its end, and clients are told what that does',
    provider: 'wise',
    answers: ({ nth }) => ({
      body: { access_token: `at-${nth}`, expires_in: 43_199, refresh_token: 'rt-0', token_type: 'bearer' },
    }),
    hours: 23.9,
    expected: { status: { state: 'active' }, served: { renewal_ends_previous: true }, calls: 2, refusals: 0 },
  },
  {
    source: 'developer.revolut.com, 2025-03-19; developers.pleo.io',
    what: 'any server that is put so: one call a life, as late as the margin allows',
    ...endsPrevious,
    expected: { served: { renewal_ends_previous: true }, calls: [8, 9], refusals: 0 },
  },
  {
    source: 'of this kind',
    what: 'the same, where the margin is wide: that is what the operator asked for',
    ...endsPrevious,
    put: { margin_seconds: 300 },
    expected: { calls: [12, 13], refusals: 0 },
  },
];

/** A server that keeps a used refresh token until its successor is used; it has one successor at a time. */
function keeping(ways: Readonly<Record<number, 'lost' | 'replaced'>>) {
  let [before, newest, serial] = ['', 'rt-0', 0];
  return ({ nth, form }: ServerCall): ServerReply => {
    if (form.refresh_token === newest) before = newest;
    else if (form.refresh_token !== before) return { status: 400, body: { error: 'invalid_grant' } };
    serial += 1;
    newest = `rt-${serial}`;
    const reply = { body: { access_token: `at-${nth}`, expires_in: hour, refresh_token: newest } };
    // A late request of before, which the broker does not know of any more.
    if (ways[nth] === 'replaced') newest = 'rt-late';
    return ways[nth] === 'lost' ? { status: 502, body: '' } : reply;
  };
}

export const usedRefreshTokens: readonly FieldCase[] = [
  {
    source: 'shopify.dev, changelog 2026-08-28',
    what: 'Shopify: a reply that is lost is asked for again',
    provider: 'shopify',
    settings: { shop: 'acme' },
    answers: keeping({ 2: 'lost', 3: 'lost' }),
    hours: 4,
    expected: {
      status: { state: 'active' },
      served: { headers: { 'X-Shopify-Access-Token': 'at-1' } },
      sent: ['rt-0', 'rt-1', 'rt-1', 'rt-1', 'rt-4'],
      told: ['authorized'],
      refusals: 0,
    },
  },
  {
    source: 'of this kind',
    what: 'a successor that another request has replaced: back to the one before',
    settings: { refresh_token_rotation: 'until_successor_used' },
    answers: keeping({ 2: 'replaced' }),
    hours: 4,
    expected: {
      status: { state: 'active' },
      sent: ['rt-0', 'rt-1', 'rt-2', 'rt-1', 'rt-3'],
      told: ['authorized'],
      refusals: 0,
    },
  },
];

export const ofTheGrant: readonly FieldCase[] = [
  {
    source: 'nango#328, windmill#6232',
    what: 'QuickBooks: the realm of an imported grant is given with the PUT',
    provider: 'quickbooks',
    settings: { realm_id: '9130357' },
    answers: [{ body: { access_token: 'at-1', expires_in: hour } }],
    hours: 0.5,
    expected: { served: { values: { realmId: '9130357' } } },
  },
  {
    source: 'trycompai/comp#3229',
    what: 'Salesforce: the instance of an imported grant is given with the PUT, where renewals do not tell it',
    provider: 'salesforce',
    settings: { domain: 'acme.my', instance_url: 'https://acme.my.salesforce.com' },
    answers: [{ body: { access_token: 'at-1' } }],
    hours: 0.5,
    expected: {
      served: {
        endpoint: 'https://acme.my.salesforce.com',
        values: { instance_url: 'https://acme.my.salesforce.com' },
      },
    },
  },
  {
    source: 'of this kind',
    what: 'what replies tell stays with the grant, is shown, and gives way to what a later reply tells',
    settings: { company_id: 'put' },
    answers: [
      { body: { access_token: 'at-1', expires_in: hour, company_id: 4711, tenant_id: 'first', shop: 'a b' } },
      { body: { access_token: 'at-2', expires_in: hour, tenant_id: 'second' } },
      { body: { access_token: 'at-3', expires_in: hour } },
    ],
    hours: 2.5,
    expected: {
      served: { values: { company_id: '4711', tenant_id: 'first' } },
      last: { access_token: 'at-3', values: { company_id: '4711', tenant_id: 'second' } },
      status: { values: { company_id: '4711', tenant_id: 'second' } },
    },
  },
  ...[
    ['Zoho', 'zoho', { api_domain: 'https://www.zohoapis.eu' }, { api_domain: 'https://www.zohoapis.eu' }],
    ['Zoho, an address in clear text', 'zoho', { api_domain: 'http://www.zohoapis.eu' }, undefined],
    ['freee', 'freee', { company_id: 8_123 }, { company_id: '8123' }],
    ['freee, no number', 'freee', { company_id: '8123; drop' }, undefined],
    [
      'a member in another spelling',
      'generic-oauth2',
      { instanceUrl: 'https://a.example' },
      { instance_url: 'https://a.example' },
    ],
    ['a member that is a list', 'generic-oauth2', { tenant_id: ['a', 'b'] }, undefined],
    ['a member that is an object', 'generic-oauth2', { tenant_id: { id: 'a' } }, undefined],
    ['a member with a line break', 'generic-oauth2', { tenant_id: 'a\r\nX-Evil: 1' }, undefined],
    ['a member that is far too long', 'generic-oauth2', { tenant_id: 'a'.repeat(513) }, undefined],
  ].map(
    ([what, provider, more, values]): FieldCase => ({
      source: 'of this kind',
      what: `values of a reply: ${what}`,
      provider: provider as string,
      ...(provider === 'zoho' && { settings: { region: 'eu' } }),
      answers: [{ body: { access_token: 'at-1', expires_in: hour, ...(more as object) } }],
      hours: 0.2,
      expected: values === undefined ? { status: {} } : { served: { values }, status: { values } },
    }),
  ),
  {
    source: 'trycompai/comp#3229',
    what: 'Salesforce tells instance_url once',
    provider: 'salesforce',
    settings: { domain: 'acme.my' },
    answers: [
      { body: { access_token: 'at-1', instance_url: 'https://acme.my.salesforce.com' } },
      { body: { access_token: 'at-2' } },
    ],
    hours: 2,
    expected: { last: { access_token: 'at-2', endpoint: 'https://acme.my.salesforce.com/' } },
  },
  {
    source: 'of this kind',
    what: 'Zoho tells another api_domain later',
    provider: 'zoho',
    settings: { region: 'eu' },
    answers: ({ nth }) => ({
      body: {
        access_token: `at-${nth}`,
        api_domain: `https://www.zohoapis.${nth === 1 ? 'eu' : 'com'}`,
        expires_in: hour,
      },
    }),
    hours: 2,
    expected: { last: { endpoint: 'https://www.zohoapis.com/' } },
  },
];

function expect_day(day: string): unknown {
  return { asymmetricMatch: (value: unknown) => String(value).startsWith(day), toString: () => day };
}
