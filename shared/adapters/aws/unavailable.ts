/** From what an AWS client throws to what the application knows. */
import { Unavailable } from '../../ports/errors.ts';

/**
 * Returns the `Unavailable` to throw. Its cause says what went wrong and nothing that was sent or received: an AWS error may
 * quote its input, and a parser's error quotes the reply. The one message that is kept names an IAM action and a resource.
 */
export function unavailable(store: ConstructorParameters<typeof Unavailable>[0], error: unknown): Unavailable {
  return new Unavailable(store, { cause: new Error(factsOf(error)) });
}

function factsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code, $metadata } = error as {
    code?: unknown;
    $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
  };
  return [
    error.name === 'AccessDeniedException' ? `${error.name}: ${error.message}` : error.name,
    ...(typeof code === 'string' ? [code] : []),
    ...($metadata?.httpStatusCode === undefined ? [] : [`HTTP ${$metadata.httpStatusCode}`]),
    ...($metadata?.requestId === undefined ? [] : [`request ${$metadata.requestId}`]),
    ...($metadata?.attempts === undefined ? [] : [`attempts ${$metadata.attempts}`]),
  ].join(', ');
}
