import type { Argv } from 'yargs';
import { begin, withTarget } from '../command.ts';
import { CommandFailure, exitCodes, wrongInput } from '../failure.ts';
import { type Screen, show } from '../screen.ts';
import { connectCanary } from '../verify/canary.ts';
import type { Check } from '../verify/check.ts';
import { checksOf } from '../verify/checks.ts';
import { gather } from '../verify/gather.ts';

export const command = 'verify';
export const describe = 'Checks a deployed broker from outside, promise by promise: for after a deployment';
export const builder = (argv: Argv) =>
  withTarget(argv).option('canary', {
    type: 'boolean',
    default: false,
    describe: 'First connect the canary that was chosen for the deployment, anew; delete canary ends that',
  });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  if (options.stack === undefined) throw wrongInput('--stack: name the deployed broker by its stack.');
  const { target, screen } = await begin(options);
  if (target.kind !== 'deployed') throw wrongInput('--stack: names a broker that is deployed.');
  if (options.canary) await connectCanary(target, options.stack);
  const checks = checksOf(await gather(target, options.stack, Date.now()));
  show(
    screen,
    checks,
    checks.map((check) => lineOf(check, screen)),
  );
  const failed = checks.filter(({ passed }) => !passed).length;
  if (failed > 0) throw new CommandFailure(`${failed} of ${checks.length} checks failed.`, exitCodes.needsAttention);
}

const lineOf = ({ what, passed, seen }: Check, screen: Screen): string =>
  `${passed ? screen.styled('green', 'pass') : screen.styled('red', 'FAIL')}  ${what} (${seen})`;
