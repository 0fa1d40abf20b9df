/** A connection's status for people: everything that helps, nothing secret. */

import { isUnproven } from '../shared/application/prove-grant.ts';
import { grantEndOf, notesOf } from '../shared/domain/announcements.ts';
import { callsOn, errorsOf } from '../shared/domain/budget.ts';
import { clientSecretNames, secretEndOf, secretInUse } from '../shared/domain/client-secrets.ts';
import type { Connection, ConnectionConfig } from '../shared/domain/connection.ts';
import type { Failure } from '../shared/domain/failure.ts';
import type { Profile } from '../shared/domain/profile.ts';
import { freshOf } from '../shared/domain/second-refresher.ts';
import { type SecondRefresher, signNames } from '../shared/domain/signs.ts';
import { type EpochMs, iso } from '../shared/domain/time.ts';
import { retryAfterSeconds } from '../shared/domain/timing.ts';
import { requestValues } from '../shared/providers/headers.ts';
import type { ConnectionReply, DownstreamError } from './replies.ts';

const isOfClient = (name: string): boolean => Object.values<string>(clientSecretNames).includes(name);

/** What to do about wrong settings: in the words of the provider's rules, or by the fields that there are. */
export function fixOf({ cause, config, failure }: Connection): string {
  if (failure?.fix !== undefined) return failure.fix;
  if (cause === 'settings_outdated') return 'Its preset is gone, or its settings do not fit the preset any more.';
  if (cause !== 'invalid_client') return 'The provider does not take the request as it is: check settings.';
  const names = config.credentials?.names ?? [];
  const fields = [
    ...(config.clientId === undefined ? [] : ['client.client_id']),
    ...(names.some(isOfClient) ? ['client.client_secret'] : []),
    ...names.filter((name) => !isOfClient(name)).map((name) => `settings.${name}`),
  ];
  const suspects = fields.length > 0 ? fields.join(', ') : 'settings';
  return `The provider refuses what it authenticates with: check ${suspects}.`;
}

const failureOf = (failure: Failure): NonNullable<ConnectionReply['last_failure']> => ({
  class: failure.class,
  error: failure.code,
  status: failure.status,
  error_description: failure.description,
  fix: failure.fix,
  rule: failure.rule,
  at: iso(failure.at),
  count: failure.count,
});

/** The provider's last words, as `downstream_errors` of a problem. */
export const downstreamErrors = ({ failure }: Connection): DownstreamError[] =>
  failure === undefined
    ? []
    : [
        {
          error: failure.code,
          ...(failure.status === undefined ? {} : { status: failure.status }),
          ...(failure.description === undefined ? {} : { error_description: failure.description }),
        },
      ];

/** What points to another party that renews the same grant, as long as it is not long ago. */
function secondRefresherOf(noticed: SecondRefresher, now: EpochMs): ConnectionReply['second_refresher'] {
  const fresh = freshOf(noticed, now);
  if (fresh === undefined) return undefined;
  return {
    suspected: fresh.suspectedAt !== undefined,
    detail:
      fresh.suspectedAt === undefined
        ? 'Another party may use this grant, or a person has ended it.'
        : 'Another party seems to use this grant: find what renews it beside the broker, and end that first.',
    signs: signNames.flatMap((sign) => {
      const seen = fresh.signs[sign];
      return seen === undefined ? [] : [{ sign, last_at: iso(seen.at), times: seen.times }];
    }),
  };
}

/** Which secrets are stored beside the client's, by the names of their settings. */
function secretSettings({ credentials }: ConnectionConfig): string[] | undefined {
  const names = credentials?.names.filter((name) => !isOfClient(name)) ?? [];
  return names.length > 0 ? names : undefined;
}

/** What is known of a provider only as long as the settings fit its preset. */
interface Known {
  readonly limits: Pick<Profile, 'errorsPerHour' | 'callsPerDay' | 'grantLifetimeMs' | 'grantIdleMs'>;
  /** Where a login ends, if a person can log in. */
  readonly redirectUri?: string;
}

/**
 * Returns the description that `GET /connections/{connection}` and `PUT` answer with. Undefined members vanish in JSON.
 * Where nothing is known, since the preset is gone or asks for other settings than are stored, there are no limits to
 * tell of, and the description says so.
 */
export function describe(
  item: Connection,
  now: EpochMs,
  known: Known | undefined,
): Omit<ConnectionReply, 'application'> {
  const { config, tokens } = item;
  const { errorsPerHour, callsPerDay } = known?.limits ?? {};
  // The refresher notes it when it comes by; what it will find is known already.
  const outdated = known === undefined && item.state === 'active';
  const { state, cause } = outdated ? ({ state: 'misconfigured', cause: 'settings_outdated' } as const) : item;
  return {
    connection: item.connection,
    provider: config.provider,
    settings: config.settings,
    settings_outdated: known === undefined ? true : undefined,
    client:
      config.clientId === undefined
        ? undefined
        : {
            client_id: config.clientId,
            client_secret: config.credentials?.names.some(isOfClient) ? '[redacted]' : undefined,
            client_secret_in_use: secretInUse(item)?.inUse,
            client_secret_expires_at: iso(secretEndOf(item)),
          },
    secrets: secretSettings(config),
    renewal: config.renewal,
    margin_seconds: config.marginSeconds,
    account: config.account,
    callback: config.callback,
    allow_grant_conflict: config.allowGrantConflict,
    state: item.deletion === undefined ? state : ('deleting' as const),
    cause,
    paused_since: iso(item.paused?.at),
    paused_by: item.paused?.by,
    unproven: isUnproven(item) && !outdated ? true : undefined,
    generation: item.generation,
    renewed_at: iso(tokens?.receivedAt),
    expires_at: iso(tokens?.expiresAt),
    expires_in: tokens && Math.max(0, Math.floor((tokens.expiresAt - now) / 1_000)),
    // A look that is only for telling subscribers is no renewal.
    next_renewal_at: iso(
      item.paused !== undefined
        ? undefined
        : notesOf(item).length === 0
          ? item.dueAt
          : item.state === 'active'
            ? (item.refreshAt ?? item.dueAt)
            : undefined,
    ),
    redirect_uri: known?.redirectUri,
    values: requestValues(config, item.grant.values),
    grant_ends_at: iso(grantEndOf(item, known?.limits ?? {})?.endsAt),
    not_before: item.notBefore !== undefined && item.notBefore > now ? iso(item.notBefore) : undefined,
    retry_after:
      item.notBefore !== undefined && item.notBefore > now ? retryAfterSeconds(item.notBefore, now) : undefined,
    budget:
      errorsPerHour === undefined && callsPerDay === undefined
        ? undefined
        : {
            errors_left_this_hour:
              errorsPerHour === undefined ? undefined : Math.max(0, errorsPerHour - errorsOf(item, now).length),
            calls_left_today: callsPerDay === undefined ? undefined : Math.max(0, callsPerDay - callsOn(item, now)),
          },
    last_used_at: iso(item.lastUsed),
    created_at: iso(item.createdAt),
    last_failure: item.failure && failureOf(item.failure),
    second_refresher: item.secondRefresher && secondRefresherOf(item.secondRefresher, now),
    verdict_withheld: item.withheld && item.state === 'active' ? true : undefined,
  };
}
