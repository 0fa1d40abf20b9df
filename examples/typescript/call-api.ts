/**
 * Calls an API with the token of a connection, and prints its reply: `node call-api.ts exact-nl https://…`.
 *
 * Takes TOKEN_BROKER_URL (the output `ApiUrl` of the deployment, or what `npm start` prints) and AWS credentials from the
 * environment.
 */
import { adviceOf, TokenBrokerError, tokenBroker } from 'token-broker-client';

const [connection = 'demo', url = ''] = process.argv.slice(2);

try {
  const broker = tokenBroker({ url: process.env.TOKEN_BROKER_URL ?? '' });
  const response = await broker.fetch(connection, url);
  console.log(response.status, await response.text());
  if (!response.ok) console.error(adviceOf(response)?.reason);
} catch (error) {
  if (!(error instanceof TokenBrokerError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
