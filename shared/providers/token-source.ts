/** Where tokens come from, by grant: a token endpoint, the provider's own request, or a stored secret itself. */
import { classify } from '../domain/classify.ts';
import type { Outcome } from '../domain/outcome.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Credentials } from '../ports/credentials.ts';
import type { TokenEndpoint } from '../ports/token-endpoint.ts';
import type { TokenSource } from '../ports/token-source.ts';
import { withHeaderSecrets } from './headers.ts';
import type { Preset } from './preset.ts';
import { dialectOf } from './profile.ts';
import { resolveProvider } from './resolve.ts';

export const tokenSource = (endpoint: TokenEndpoint, clock: Clock): TokenSource => ({
  async obtain({ item: { config }, profile: { grant, callTimeoutMs } }, { refreshToken, credentials }) {
    const { preset } = resolveProvider(config);
    const requestedAt = clock.now();
    if (grant === 'static') return staticToken(preset, credentials, requestedAt);
    const answer = await endpoint.request({
      config,
      grant,
      credentials,
      ...(refreshToken && { refreshToken }),
      timeoutMs: callTimeoutMs,
    });
    const sent = [...Object.values(credentials), ...(refreshToken === undefined ? [] : [refreshToken])];
    const outcome = classify(answer, { requestedAt, receivedAt: clock.now() }, sent, dialectOf(config));
    return withHeaderSecrets(outcome, preset, credentials);
  },
});

/** A stored key as a token set. Its life is ours to say: so long may a client go without asking whether the key was replaced. */
function staticToken(preset: Preset, credentials: Credentials, now: EpochMs): Outcome {
  const accessToken = credentials[preset.accessToken ?? ''];
  if (accessToken === undefined) return { kind: 'failure', class: 'transient', code: `${preset.accessToken}_missing` };
  const { tokenType = 'Bearer', lifetimeSeconds } = preset.facts;
  const tokens = {
    accessToken,
    tokenType,
    requestedAt: now,
    receivedAt: now,
    expiresAt: plus(now, lifetimeSeconds * 1_000),
  };
  return withHeaderSecrets({ kind: 'success', tokens }, preset, credentials);
}
