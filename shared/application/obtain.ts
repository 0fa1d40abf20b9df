/** Where tokens come from, by grant: one call to the token endpoint, or a stored secret itself. */
import type { Seen } from '../domain/connection.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { LoadedSecrets } from './load-secrets.ts';
import { outcomeOf, storedOutcome } from './outcome-of.ts';
import { type RefreshWorld, rulesOf } from './refresh-world.ts';

/** Makes at most one call and returns what it came to. Never throws for what the network or the provider does. */
export async function obtain(
  world: Pick<RefreshWorld, 'clock' | 'providers' | 'tokenEndpoint' | 'telemetry'>,
  { item, profile: { grant, callTimeoutMs } }: Seen,
  { refreshToken, credentials }: LoadedSecrets,
): Promise<Outcome> {
  const { clock, telemetry, tokenEndpoint } = world;
  const rules = rulesOf(world, item);
  const requestedAt = clock.now();
  if (grant === 'static') return storedOutcome(rules, rules.storedToken ?? '', credentials, requestedAt);
  const exchange = await tokenEndpoint.request({
    config: item.config,
    grant,
    credentials,
    ...(refreshToken && { refreshToken }),
    timeoutMs: callTimeoutMs,
  });
  if (exchange.kind === 'reply' || exchange.kind === 'lost') telemetry.count('ProviderCalled', 1, item.config.provider);
  const others = refreshToken === undefined ? [] : [refreshToken];
  return outcomeOf(rules, exchange, { requestedAt, receivedAt: clock.now() }, { credentials, others });
}
