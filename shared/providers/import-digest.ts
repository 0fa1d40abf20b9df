/** What is remembered of a refresh token that was imported: enough to know it when it comes again, and nothing else. */
import { createHash } from 'node:crypto';
import type { Secret } from '../domain/secret.ts';

/** SHA-256, base64url, of the connection's name and the token: equal tokens in two connections do not look equal. */
export const importDigestOf = (connection: string, refreshToken: Secret): string =>
  createHash('sha256')
    .update(JSON.stringify([connection, refreshToken.reveal()]))
    .digest('base64url');
