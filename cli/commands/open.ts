import { once } from 'node:events';
import type { Argv } from 'yargs';
import { servePage } from '../../local/page/server.ts';
import { pageSource } from '../../local/page/source.ts';
import { begin, withTarget } from '../command.ts';
import { wrongInput } from '../failure.ts';
import { stoppable } from '../interrupt.ts';
import { reasonOf } from '../text-file.ts';
import { triggerOf } from '../trigger.ts';

export const command = 'open';
export const describe = 'Serves the page with every connection on this machine, until Ctrl-C';
export const builder = (argv: Argv) =>
  withTarget(argv)
    .option('browser', { type: 'boolean', default: true, describe: 'Open the browser' })
    .option('port', { type: 'number', default: 0, describe: 'Where it listens, on 127.0.0.1 only' });

/** A look is at most three calls of the list, and one for each application that fails. */
const lookEveryMs = { local: 2_000, deployed: 10_000 } as const;

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const { target, broker, screen } = await begin(options);
  const everyMs = target.kind === 'local' ? lookEveryMs.local : lookEveryMs.deployed;
  const source = pageSource(broker, { everyMs, provider: triggerOf(target) });
  const page = await servePage(source, options.port).catch((error) => {
    throw wrongInput(`--port: ${options.port} cannot be listened on: ${reasonOf(error)}.`);
  });
  const stop = stoppable();
  screen.out(screen.json ? JSON.stringify({ url: page.url }) : page.url);
  if (options.browser && screen.interactive)
    await import('open').then(({ default: open }) => open(page.url)).catch(() => undefined);
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  stop.release();
  await page.close();
}
