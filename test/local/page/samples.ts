/** A broker in memory, as the page sees it: forty connections, of which some have trouble. */
import type { ConnectionReply } from '../../../lambdas/replies.ts';
import type { PageBroker } from '../../../local/page/source.ts';
import type { Triggers } from '../../../local/triggers.ts';

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();

export function healthy(connection: string, more: Partial<ConnectionReply> = {}): ConnectionReply {
  return {
    connection,
    provider: 'exact-online',
    application: 'exact-online https://start.exactonline.nl/api/oauth2/token 6f1c',
    settings: { country: 'nl' },
    renewal: 'while_used',
    state: 'active',
    generation: 144,
    renewed_at: inSeconds(-400),
    expires_at: inSeconds(200),
    next_renewal_at: inSeconds(170),
    grant_ends_at: inSeconds(26 * 86_400),
    budget: { errors_left_this_hour: 9, calls_left_today: 112 },
    created_at: inSeconds(-86_400),
    last_used_at: inSeconds(-30),
    ...more,
  };
}

const failure = {
  class: 'transient' as const,
  error: 'http_503',
  status: 503,
  error_description: 'The service is unavailable <b>for a moment</b>.',
  rule: 'server_error',
  at: inSeconds(-20),
  count: 3,
};

export const someConnections: readonly ConnectionReply[] = [
  ...Array.from({ length: 36 }, (_, i) =>
    healthy(`exact-nl-${String(i + 1).padStart(2, '0')}`, {
      account: `Example ${i + 1} BV`,
      ...(i === 35 && { client: { client_id: '6f1c', client_secret_expires_at: inSeconds(5.5 * 86_400) } }),
    }),
  ),
  healthy('hubspot-crm', {
    provider: 'hubspot',
    application: 'hubspot https://api.hubapi.com/oauth/v1/token 11aa',
    last_failure: failure,
    next_renewal_at: inSeconds(15),
    not_before: inSeconds(15),
  }),
  healthy('sage-dead', {
    provider: 'sage-accounting',
    application: 'sage-accounting https://oauth.accounting.sage.com/token 22bb',
    state: 'reauthorization_required',
    cause: 'invalid_grant',
    expires_at: inSeconds(-300),
    last_failure: {
      ...failure,
      class: 'dead_grant',
      error: 'invalid_grant',
      status: 400,
      rule: 'invalid_grant',
      count: 1,
    },
  }),
  healthy('xero-wrong', {
    provider: 'xero',
    application: 'xero https://identity.xero.com/connect/token 33cc',
    state: 'misconfigured',
    cause: 'invalid_client',
    last_failure: {
      ...failure,
      class: 'misconfigured',
      error: 'invalid_client',
      status: 401,
      rule: 'invalid_client',
      count: 1,
      fix: 'Check client.client_secret: the application has another one.',
    },
  }),
  healthy('zz-deleting', { state: 'deleting' }),
];

/** Answers as the API does, from `connections`, and notes what it is asked to change. */
export function brokerWith(connections: () => readonly ConnectionReply[], asked: unknown[] = []): PageBroker {
  return {
    url: 'https://broker.example',
    async call<T>(path: string, { method = 'GET', body }: { readonly method?: string; readonly body?: unknown } = {}) {
      const { pathname, searchParams: query } = new URL(path, 'https://broker.example');
      const name = pathname.split('/')[2];
      if (method === 'POST') {
        asked.push([path, body]);
        return {
          connect_url: `https://broker.example/connect/${name}?link=LINK`,
          expires_at: inSeconds((body as { expires_in: number }).expires_in),
        } as T;
      }
      const found = connections().find(({ connection }) => connection === name);
      if (name !== undefined)
        return {
          ...found,
          ...(name === 'hubspot-crm' && { breaker: { reason: 'unanswered', until: inSeconds(40), probes: 2 } }),
        } as T;
      const wanted = connections().filter(
        ({ state, provider }) =>
          (query.get('state') ?? state) === state && (query.get('provider') ?? provider) === provider,
      );
      const from = wanted.findIndex(({ connection }) => connection === query.get('after')) + 1;
      const page = wanted.slice(from, from + 100);
      const more = from + page.length < wanted.length;
      return { connections: page, ...(more && { next: page.at(-1)?.connection }) } as T;
    },
  };
}

export function providerWith(pulled: unknown[]): Triggers {
  const [one, two] = [inSeconds(-10), inSeconds(-900)];
  return {
    look: async () => ({
      title: 'An authorization server with 60-second access tokens',
      kinds: {
        revoke: 'Revoke every grant',
        rotate: 'Rotate the secret',
        down: 'Be down for a minute',
        well: 'Be well again',
      },
      weather: { kind: 'down', forMs: 41_000 },
      grants: [
        { id: 'one', user: 'newcomer', since: one, alive: true },
        { id: 'two', user: 'newcomer', since: two, alive: false },
      ],
    }),
    async pull(kind, grant) {
      pulled.push([kind, grant]);
      return { said: 'The grant is revoked.' };
    },
  };
}
