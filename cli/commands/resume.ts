import { toEach, withNameOrProvider } from '../pausing.ts';

export const command = 'resume [name]';
export const describe = 'Has renewals go on';
export const builder = withNameOrProvider;

type Options = Parameters<typeof toEach>[0];

export const handler = (options: Options): Promise<void> =>
  toEach(
    options,
    (broker, name) => broker.resume(name),
    (item) => `${item.connection} is renewed again.`,
  );
