/** Tokens from an OAuth token endpoint: one request, read in the provider's dialect. */
import { classify } from '../domain/classify.ts';
import type { Clock, TokenEndpoint, TokenSource } from '../ports/index.ts';
import { dialectOf } from './profile.ts';

export const oauthTokenSource = (endpoint: TokenEndpoint, clock: Clock): TokenSource => ({
  async obtain({ item: { config }, profile }, { refreshToken, clientSecret }) {
    const requestedAt = clock.now();
    const answer = await endpoint.request({
      config,
      grant: profile.grant,
      ...(refreshToken && { refreshToken }),
      ...(clientSecret && { clientSecret }),
      timeoutMs: profile.callTimeoutMs,
    });
    const sent = [refreshToken, clientSecret].filter((secret) => secret !== undefined);
    return classify(answer, { requestedAt, receivedAt: clock.now() }, sent, dialectOf(config));
  },
});
