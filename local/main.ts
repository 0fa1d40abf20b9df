/** `npm start`: runs the broker on this machine and says what happens. */
import { parseArguments, usage } from './arguments.ts';
import { type LocalBroker, startLocalBroker } from './broker.ts';
import { connectDemo } from './demo/demo.ts';
import { narrate, narrateEvent, narrateRefusal } from './narrate.ts';
import { servePage } from './page/server.ts';
import { pageBrokerOf, pageSource } from './page/source.ts';
import { welcomeTo } from './welcome.ts';

const given = parseArguments(process.argv.slice(2));
if (given === 'help') process.stdout.write(usage);
else if ('faults' in given) fail(given.faults.join('\n'));
else {
  const calls = { total: 0, errors: 0 };
  startLocalBroker({
    ...given,
    onSynthesis: () =>
      console.log('Synthesizing the template and bundling the functions; the next start will not have to …'),
    onTokenCall({ status }) {
      calls.total += 1;
      if (status >= 400) calls.errors += 1;
    },
    onRefusal: (refusal) => console.log(narrateRefusal(refusal, new Date())),
    onEvent: (event) => console.log(narrateEvent(event, new Date())),
    onLog(functionName, line) {
      const said = narrate(functionName, line, new Date());
      if (said === undefined) return;
      const ledger = said.includes(': renewed')
        ? `  (token calls at the provider: ${calls.total}, errors: ${calls.errors})`
        : '';
      console.log(said + ledger);
    },
  })
    .then((broker) => welcome(broker, given.jwt?.scopePrefix))
    .catch((error) => fail(explain(error, given.port)));
}

async function welcome(broker: LocalBroker, scopePrefix = 'token:'): Promise<void> {
  const page = await servePage(pageSource(pageBrokerOf(broker), { everyMs: 2_000, provider: broker.triggers }));
  closeOnSignal(async () => {
    await page.close();
    await broker.close();
  });
  console.log(welcomeTo({ ...broker, page: page.url }, scopePrefix));
  const { provider } = broker;
  if (provider) await connectDemo(broker.fetch, provider);
}

function closeOnSignal(close: () => Promise<void>): void {
  let closing = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The second time means now: functions end with this process.
      if (closing) process.exit(130);
      closing = true;
      console.log('\nStopping: what is under way may end first …');
      close().then(
        () => process.exit(0),
        (error) => fail(`could not stop cleanly: ${error}`),
      );
    });
  }
}

function explain(error: NodeJS.ErrnoException, port: number): string {
  if (error.code === 'EADDRINUSE')
    return (
      `Port ${port} is in use. ` +
      'Stop what listens there, or give another one: npm start -- --port 0 takes any free port.'
    );
  return error.name === 'Error' ? error.message : (error.stack ?? String(error));
}

function fail(message: string): void {
  console.error(message);
  process.exit(1);
}
