import type { Argv } from 'yargs';
import { begin, withTarget } from '../command.ts';
import { findingsOf } from '../doctor/findings.ts';
import { gather } from '../doctor/gather.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import { show } from '../screen.ts';

export const command = 'doctor';
export const describe = 'Looks for what goes wrong in practice, and says what to do about it';
export const builder = (argv: Argv) => withTarget(argv);

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const { target, screen } = await begin(options);
  const findings = findingsOf(await gather(target, Date.now()));
  show(
    screen,
    findings,
    findings.length === 0
      ? [`${screen.styled('green', 'healthy')}  ${target.broker.url}`]
      : findings.flatMap(({ level, what, fix }) => [
          `${level === 'fault' ? screen.styled('red', 'fault  ') : screen.styled('yellow', 'warning')}  ${what}`,
          `         ${fix}`,
        ]),
  );
  const faults = findings.filter(({ level }) => level === 'fault').length;
  if (faults > 0)
    throw new CommandFailure(
      faults === 1 ? 'There is a fault.' : `There are ${faults} faults.`,
      exitCodes.needsAttention,
    );
}
