/**
 * Asks an API for what is new, for as long as it runs: `node poller.ts exact-nl https://… 60`. Ends cleanly by SIGTERM or
 * Ctrl-C. It waits as long as the API's reply says, and outlives broker and API.
 */
import { setTimeout } from 'node:timers/promises';
import { adviceOf, TokenBrokerError, tokenBroker } from 'token-broker-client';

const [connection = 'demo', url = '', seconds = '60'] = process.argv.slice(2);
const broker = tokenBroker({ url: process.env.TOKEN_BROKER_URL ?? '' });
const { signal, abort } = stopped();

/** Asks once, and returns for how many seconds to wait before the next time. */
async function poll(): Promise<number> {
  try {
    const response = await broker.fetch(connection, url, { signal });
    const text = await response.text();
    if (response.ok) console.log(new Date().toISOString(), text.length, 'characters');
    const advice = adviceOf(response);
    if (advice) console.warn(response.status, advice.do, advice.reason);
    // Nothing that is repeated sooner would help.
    return advice?.do === 'retry' ? Math.max(advice.retryAfterSeconds, Number(seconds)) : Number(seconds);
  } catch (error) {
    if (signal.aborted) return 0;
    console.warn(`${error}`);
    const wait = error instanceof TokenBrokerError ? (error.retryAfterMs ?? 0) / 1_000 : 0;
    return Math.max(wait, Number(seconds));
  }
}

while (!signal.aborted) {
  const wait = await poll();
  await setTimeout(wait * 1_000, undefined, { signal }).catch(abort);
}

function stopped() {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return { signal: controller.signal, abort: () => controller.abort() };
}
