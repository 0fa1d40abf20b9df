import type { Argv } from 'yargs';
import { triggers } from '../../local/triggers.ts';
import { begin, withTarget } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { show } from '../screen.ts';
import { triggerOf } from '../trigger.ts';

export const command = 'trigger <kind>';
export const describe = 'Makes the provider beside a local broker go wrong, to see what the broker does';
export const builder = (argv: Argv) =>
  withTarget(argv).positional('kind', {
    choices: Object.keys(triggers),
    demandOption: true,
    describe: Object.entries(triggers)
      .map(([kind, title]) => `${kind}: ${title.toLowerCase()}`)
      .join('; '),
  });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const { target, screen } = await begin(options);
  const trigger = triggerOf(target);
  if (trigger === undefined)
    throw new CommandFailure('There is no provider beside this broker: start it with npm start -- --provider NAME.');
  const answer = await trigger.pull(options.kind);
  show(screen, answer, [answer.said]);
}
