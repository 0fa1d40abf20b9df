/** The port `ConnectionRequests`, answered from the presets. */
import type { ConnectionRequests } from '../ports/connection-requests.ts';
import { completeRequest } from './complete-request.ts';
import { type ParseOptions, parseConnectionRequest } from './parse-request.ts';

export const connectionRequests = (options: ParseOptions): ConnectionRequests => ({
  parse: (body) => parseConnectionRequest(body, options),
  complete: (request, metadata) => completeRequest(request, metadata, options),
});
