/** The paths of the client that a program walks, on whatever platform it runs: only Web APIs here, as in the client. */
import { adviceOf, TokenBrokerError, tokenBroker } from 'token-broker-client';

const failureOf = (promise) =>
  promise.then(
    () => 'no failure',
    (error) => (error instanceof TokenBrokerError ? `${error.code}: ${error.message}` : `${error.stack}`),
  );

/** `api` refuses the first token; at `closed` there is no server. */
export async function walk({ url, credentials, region, api, closed }) {
  const sent = [];
  const count = (input, init) => {
    sent.push(`${init?.method ?? 'GET'} ${new URL(input).pathname}`);
    return fetch(input, init);
  };
  const brokerWith = (more) => tokenBroker({ url, credentials, region, fetch: count, ...more });
  const broker = brokerWith();
  const tokens = await Promise.all(Array.from({ length: 50 }, () => broker.token('demo')));
  const [token] = tokens;
  const ofTokens = sent.splice(0);
  const reply = await broker.fetch('demo', `${api}/orders`, { method: 'POST', body: 'once more' });
  const ofReply = sent.splice(0);
  const missing = await broker.fetch('demo', `${api}/missing`, { provider: 'exact-online' });
  const { inspect = String } = globalThis.Deno ?? globalThis.Bun ?? {};
  return {
    differentTokens: new Set(tokens.map(({ accessToken }) => accessToken)).size,
    token: token.accessToken,
    shown: `${inspect(token)} ${inspect({ headers: token.headers })} ${JSON.stringify(token)}`,
    ofTokens,
    reply: [reply.status, await reply.text()],
    ofReply,
    advice: [missing.status, adviceOf(missing)?.do],
    failures: {
      missing: await failureOf(broker.token('missing')),
      stranger: await failureOf(brokerWith({ credentials: { ...credentials, secretAccessKey: 'x' } }).token('demo')),
      noKeys: await failureOf(brokerWith({ credentials: undefined }).token('demo')),
      noRegion: await failureOf(brokerWith({ region: undefined }).token('demo')),
      closed: await failureOf(brokerWith({ url: closed, timeoutMs: 500 }).token('demo')),
    },
  };
}
