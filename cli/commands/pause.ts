import { toEach, withNameOrProvider } from '../pausing.ts';

export const command = 'pause [name]';
export const describe =
  'Stops renewals, of one connection or of all of a provider; tokens are served until they expire';
export const builder = withNameOrProvider;

type Options = Parameters<typeof toEach>[0];

export const handler = (options: Options): Promise<void> =>
  toEach(
    options,
    (broker, name) => broker.pause(name),
    (item) => `${item.connection} is paused: it is not renewed until it is resumed.`,
  );
