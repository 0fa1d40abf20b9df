/** A connection of a file as `import` takes it. */
import { wrongInput } from '../failure.ts';
import { entriesOf } from '../import-file.ts';
import type { Source } from './source.ts';

/** Throws a failure where the file cannot be read, or has no such connection, or no refresh token with it. */
export function fileSource(file: string, connection: string): Source {
  const entry = entriesOf(file).find((one) => one.connection === connection);
  if (entry === undefined) throw wrongInput(`${file}: it has no connection ${connection}.`);
  const { refresh_token: refreshToken, ...body } = entry.body;
  if (typeof refreshToken !== 'string')
    throw wrongInput(`${file}, ${entry.place}: refresh_token is missing, so there is no grant to move in.`);
  const title = `${file}, ${entry.place}`;
  return {
    title,
    look: async () => {},
    read: async () => ({ kind: 'found', refreshToken, body }),
    before: ['every program that renews with the refresh token in this file'],
    after: [`${file}: delete it; its refresh token may be of no use any more, but its client secret is`],
  };
}
