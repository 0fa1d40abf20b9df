/** From what an AWS client throws to what the application knows. */
import { limits } from '../../domain/limits.ts';
import { SealBroken, Unavailable } from '../../ports/errors.ts';

/**
 * Runs an operation on a store. Whatever goes wrong, a denied permission included, is an outage of ours (`Unavailable`)
 * and never a fact about a connection. Only a sealed text that does not open (`SealBroken`) is told as it is: no retry
 * mends it.
 */
export async function reportingAs<T>(store: Unavailable['store'], operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof Unavailable || error instanceof SealBroken) throw error;
    throw unavailable(store, error);
  }
}

/**
 * Returns the `Unavailable` to throw. Its cause says what went wrong and nothing that was sent or received: an AWS
 * error may quote its input, and a parser's error quotes the reply. The messages that are kept name an action, a
 * resource, a key or a limit: what an operator has to mend.
 */
export function unavailable(store: Unavailable['store'], error: unknown): Unavailable {
  return new Unavailable(store, { cause: new Error(factsOf(error)) });
}

const tellingMore = /^kms|AccessDenied|NotFound|DoesNotExist|cryptionFailure|LimitExceeded/i;

function factsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code, $metadata } = error as {
    code?: unknown;
    $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
  };
  return [
    tellingMore.test(error.name) ? `${error.name}: ${error.message.slice(0, limits.descriptionLength)}` : error.name,
    ...(typeof code === 'string' ? [code] : []),
    ...($metadata?.httpStatusCode === undefined ? [] : [`HTTP ${$metadata.httpStatusCode}`]),
    ...($metadata?.requestId === undefined ? [] : [`request ${$metadata.requestId}`]),
    ...($metadata?.attempts === undefined ? [] : [`attempts ${$metadata.attempts}`]),
  ].join(', ');
}
