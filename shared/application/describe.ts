/** A connection's status for people: everything that helps, nothing secret. */
import { callsOn, errorsOf } from '../domain/budget.ts';
import { retryAfterSeconds } from '../domain/timing.ts';
import type { Connection, ConnectionConfig, EpochMs, Failure, Profile } from '../domain/types.ts';

const iso = (instant: EpochMs | undefined): string | undefined => (instant === undefined ? undefined : new Date(instant).toISOString());

const failureOf = (failure: Failure) => ({
  class: failure.class,
  error: failure.code,
  status: failure.status,
  error_description: failure.description,
  at: iso(failure.at),
  count: failure.count,
});

/** The provider's last words, as `downstream_errors` of a problem. */
export const downstreamErrors = ({ failure }: Connection) =>
  failure === undefined
    ? []
    : [
        {
          error: failure.code,
          ...(failure.status === undefined ? {} : { status: failure.status }),
          ...(failure.description === undefined ? {} : { error_description: failure.description }),
        },
      ];

/** Which secrets are stored beside the client's, by the names of their settings. */
function secretSettings({ credentials }: ConnectionConfig): readonly string[] | undefined {
  const names = credentials?.names.filter((name) => name !== 'client_secret') ?? [];
  return names.length > 0 ? names : undefined;
}

/** Returns the description that `GET /connections/{connection}` and `PUT` answer with. Undefined members vanish in JSON. */
export function describe(item: Connection, now: EpochMs, { errorsPerHour, callsPerDay }: Pick<Profile, 'errorsPerHour' | 'callsPerDay'>) {
  const { config } = item;
  return {
    connection: item.connection,
    provider: config.provider,
    settings: config.settings,
    client:
      config.clientId === undefined
        ? undefined
        : { client_id: config.clientId, client_secret: config.credentials?.names.includes('client_secret') ? '[redacted]' : undefined },
    secrets: secretSettings(config),
    renewal: config.renewal,
    margin_seconds: config.marginSeconds,
    state: item.deletion === undefined ? item.state : 'deleting',
    cause: item.cause,
    generation: item.generation,
    expires_at: iso(item.expiresAt),
    expires_in: item.expiresAt === undefined ? undefined : Math.max(0, Math.floor((item.expiresAt - now) / 1_000)),
    next_renewal_at: iso(item.dueAt),
    not_before: item.notBefore !== undefined && item.notBefore > now ? iso(item.notBefore) : undefined,
    retry_after: item.notBefore !== undefined && item.notBefore > now ? retryAfterSeconds(item.notBefore, now) : undefined,
    budget: {
      errors_left_this_hour: errorsPerHour === undefined ? undefined : Math.max(0, errorsPerHour - errorsOf(item, now).length),
      calls_left_today: callsPerDay === undefined ? undefined : Math.max(0, callsPerDay - callsOn(item, now)),
    },
    last_used_at: iso(item.lastUsed),
    created_at: iso(item.createdAt),
    last_failure: item.failure && failureOf(item.failure),
  };
}
