/** The stage's limit on requests, as API Gateway keeps it: a bucket of tokens, which fills up again by itself. */
import type { Throttle } from '../../infra/choices.ts';

/**
 * Returns what takes a token for a request at an instant in milliseconds, or says that none is left. The bucket is full
 * at first. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
 */
export function tokenBucket({ requestsPerSecond, burst }: Throttle): (nowMs: number) => boolean {
  let [tokens, filledAtMs] = [burst, Number.NEGATIVE_INFINITY];
  return (nowMs) => {
    tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) / 1_000) * requestsPerSecond);
    filledAtMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
