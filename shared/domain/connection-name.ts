import type { Brand } from './brand.ts';

/** A connection's name: `[a-z0-9]` and inner hyphens, 1 to 63 characters. Parsed once, at the border. */
export type ConnectionName = Brand<string, 'ConnectionName'>;

/** A name stands in paths, names of secrets and IAM policies: no slash, no star, nothing that means something there. */
export const connectionNamePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Returns the name if the text is one: 1 to 63 of a–z, 0–9 and inner hyphens. */
export const parseConnectionName = (text: string): ConnectionName | undefined =>
  connectionNamePattern.test(text) ? (text as ConnectionName) : undefined;

/** Keys of items that are no connections begin with it; no connection's name does. */
export const notAConnection = '#';
