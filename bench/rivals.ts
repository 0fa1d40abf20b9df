/**
 * What would be used instead, at one provider whose refresh tokens work once and whose grant dies of reuse: processes
 * that refresh for themselves, and one process with a library and a single flight.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allowInsecureRequests, ClientSecretPost, Configuration, refreshTokenGrant } from 'openid-client';
import { startLocalBroker } from '../local/broker.ts';
import { type Figures, startRun } from '../local/experiment/run.ts';
import { recordEveryMs, scenarios, speed } from '../local/experiment/scenarios.ts';
import { callApi } from '../local/experiment/sender.ts';
import { startClock } from '../local/simulators/clock.ts';
import { startExactOnline } from '../local/simulators/exact-online.ts';
import { chartOf, tableOf } from './figures.ts';
import type { Part } from './parts.ts';

const workers = 10;
const lifetimes = 2;
const lifetimeMs = 600_000 / speed;
const compared = scenarios.filter(({ facts }) => facts.reuseRevokes === true);

/** All workers in one process, which renews when the first of them finds the token old. */
async function oneProcess(): Promise<
  Pick<Figures, 'callsALifetime' | 'records' | 'notDelivered'> & { readonly lost: number }
> {
  const clock = startClock(speed);
  const exact = await startExactOnline({ clock, facts: compared[0]?.facts ?? {} });
  const { clientId, clientSecret } = exact.client;
  const server = { issuer: exact.url, token_endpoint: exact.tokenEndpoint };
  const configuration = new Configuration(server, clientId, clientSecret, ClientSecretPost(clientSecret));
  allowInsecureRequests(configuration);
  let { accessToken, refreshToken } = exact.authorize();
  let expiresAt = Date.now() + lifetimeMs;
  let renewing: Promise<void> | undefined;
  const renew = async (): Promise<void> => {
    const tokens = await refreshTokenGrant(configuration, refreshToken);
    accessToken = tokens.access_token;
    refreshToken = tokens.refresh_token ?? refreshToken;
    expiresAt = Date.now() + (tokens.expiresIn() ?? 0) * 1_000;
  };
  const token = async (): Promise<string> => {
    if (Date.now() >= expiresAt - lifetimeMs / 24) {
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      await renewing;
    }
    return accessToken;
  };
  const counted = { records: 0, notDelivered: 0 };
  const from = Date.now() + lifetimeMs / 2;
  const calls = () => exact.ledger.filter(({ path }) => exact.tokenEndpoint.endsWith(path)).length;
  const work = async (): Promise<void> => {
    await sleep((recordEveryMs / speed) * Math.random());
    while (Date.now() < from + lifetimes * lifetimeMs) {
      const delivered = await token()
        .then((one) => callApi(exact, one))
        .then(
          (status) => status === 200,
          () => false,
        );
      counted.records += 1;
      if (!delivered) counted.notDelivered += 1;
      await sleep(recordEveryMs / speed);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const figures = {
    callsALifetime: calls() / (lifetimes + 0.5),
    ...counted,
    lost: exact.accepts(refreshToken) ? 0 : 1,
  };
  await exact.close();
  return figures;
}

export const rivals: Part = async ({ directory }) => {
  const broker = await startLocalBroker({
    port: 0,
    directory: join(directory, 'rivals'),
    provider: 'none',
    assembly: join(directory, 'cdk.out'),
  });
  const runs = await Promise.all(
    compared.map((scenario) => startRun(scenario, workers, { directory, broker: broker.fetch, lifetimes })),
  );
  const single = oneProcess();
  const lost = await Promise.all(runs.map(({ ended }) => ended));
  const rows = runs.map((run, i) => ({
    title: run.scenario.title.split(';')[0] ?? '',
    ...run.figures(),
    lost: lost[i] ?? 0,
  }));
  const all = [...rows, { title: 'One process with openid-client and a single flight', ...(await single) }];
  for (const run of runs) await run.close();
  await broker.close();
  return {
    text: tableOf(
      [`${workers} workers, ${lifetimes} lifetimes`, 'token calls a lifetime', 'records not delivered', 'grants lost'],
      all.map(({ title, callsALifetime, records, notDelivered, lost: grants }) => [
        title,
        callsALifetime.toFixed(1),
        `${notDelivered} of ${records}`,
        String(grants),
      ]),
    ),
    charts: {
      'rivals.svg': chartOf(
        'Records not delivered, of a hundred',
        all.map(({ title, records, notDelivered }) => ({
          label: title,
          value: (100 * notDelivered) / records,
          ours: title.startsWith('The broker'),
        })),
      ),
    },
  };
};
