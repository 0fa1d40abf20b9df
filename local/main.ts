/** `npm start`: runs the broker on this machine and says what happens. */
import { parseArguments, usage } from './arguments.ts';
import { type LocalBroker, startLocalBroker } from './broker.ts';
import { connectDemo, demoConnection } from './demo/demo.ts';
import { narrate, narrateEvent, narrateRefusal } from './narrate.ts';
import { account } from './platform/account.ts';

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
  closeOnSignal(broker);
  const { url, credentials, provider, deployment } = broker;
  const connection = provider ? demoConnection : 'NAME';
  console.log(`\nThe token broker listens on ${url}`);
  if (provider) console.log(`${provider.title} listens on ${provider.url}`);
  const signed = `curl --aws-sigv4 "aws:amz:${account.region}:execute-api" --user "${credentials.accessKeyId}:${credentials.secretAccessKey}"`;
  const jwt = deployment.routes.find(({ routeKey }) => routeKey === 'GET /token/{connection}')?.authorization;
  console.log(
    typeof jwt === 'object'
      ? `\nGet an access token, with a JWT of ${jwt.issuer} for ${jwt.audience.join(' or ')} that has the scope ${scopePrefix}${connection}:\n
  curl -H "Authorization: Bearer $JWT" ${url}/token/${connection}\n\nAdminister connections:\n\n  ${signed} ${url}/connections\n`
      : `\nGet an access token:\n\n  ${signed} ${url}/token/${connection}\n`,
  );
  if (provider) await connectDemo(broker.fetch, provider);
}

function closeOnSignal(broker: LocalBroker): void {
  let closing = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The second time means now: functions end with this process.
      if (closing) process.exit(130);
      closing = true;
      console.log('\nStopping: what is under way may end first …');
      broker.close().then(
        () => process.exit(0),
        (error) => fail(`could not stop cleanly: ${error}`),
      );
    });
  }
}

function explain(error: NodeJS.ErrnoException, port: number): string {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} is in use. Stop what listens there, or give another one: npm start -- --port 0 takes any free port.`;
  return error.name === 'Error' ? error.message : (error.stack ?? String(error));
}

function fail(message: string): void {
  console.error(message);
  process.exit(1);
}
