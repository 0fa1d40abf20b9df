/**
 * A Lambda function that calls an API for each message of a queue. Its role takes part in no renewal: all that it needs
 * is `broker.grantGetToken(worker, 'exact-nl')`.
 */
import { adviceOf, tokenBroker } from 'token-broker-client';

// Outside the handler: the token is kept from one invocation to the next.
const broker = tokenBroker({
  url: process.env.TOKEN_BROKER_URL ?? '',
  onEvent: (event) => console.log(JSON.stringify(event)),
});

interface Batch {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[];
}

interface Failures {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** What fails comes back with the queue's own delay; what the API will never take is left to the dead-letter queue. */
export async function handler({ Records }: Batch): Promise<Failures> {
  const failed: { itemIdentifier: string }[] = [];
  for (const { messageId, body } of Records) {
    const { url, payload } = JSON.parse(body);
    try {
      const response = await broker.fetch(process.env.CONNECTION ?? 'demo', url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(payload),
        // So that the function is not ended in the middle of a call.
        signal: AbortSignal.timeout(20_000),
      });
      if (response.ok) continue;
      console.warn(`${messageId}: ${response.status} ${adviceOf(response)?.reason}`);
    } catch (error) {
      console.warn(`${messageId}: ${error}`);
    }
    failed.push({ itemIdentifier: messageId });
  }
  return { batchItemFailures: failed };
}
