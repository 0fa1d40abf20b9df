/** What clients get beside clients that wait for a provider which does not answer: counts, of the local broker. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocalBroker } from '../local/broker.ts';
import { startSlowProvider, waitingClients } from '../test/end-to-end/waiting-clients.ts';
import { tableOf } from './figures.ts';
import type { Part } from './parts.ts';

export const waiting: Part = async ({ directory }) => {
  const provider = await startSlowProvider();
  const broker = await startLocalBroker({
    port: 0,
    directory: join(directory, 'waiting'),
    provider: 'none',
    assembly: join(directory, 'cdk.out'),
  });
  const { connect, get, atOnce, sideBySide } = waitingClients(broker, provider.tokenEndpoint);
  const put = async (connection: string, answersAfterMs: number | 'never'): Promise<void> => {
    if ((await connect(connection, answersAfterMs)) !== 201) throw new Error(`${connection} could not be put`);
  };
  const called = async (connection: string): Promise<void> => {
    for (let tries = 0; provider.callsOf(connection) === 0; tries += 1) {
      if (tries === 300) throw new Error(`the provider was not called for ${connection} within thirty seconds`);
      await sleep(100);
    }
  };
  const row = (title: string, outcomes: readonly string[]): readonly string[] => {
    const served = outcomes.filter((outcome) => outcome === 'served').length;
    const later = outcomes.filter((outcome) => outcome === 'later').length;
    return [title, ...[served, later, outcomes.length - served - later].map(String)];
  };

  await put('healthy', 0);
  await get('healthy', 10);
  await put('quick', 500);
  const quick = await atOnce(200, 'quick', 10);
  await put('hanging', 'never');
  await called('hanging');
  const hanging = await atOnce(200, 'hanging', 10);
  await put('bad', 'never');
  await called('bad');
  const { waiting: waited, beside } = await sideBySide('bad', 'healthy');
  await broker.close();
  provider.close();
  return {
    text: tableOf(
      ['clients', 'served', '503 with `Retry-After`', 'anything else'],
      [
        row('200 at once, a renewal of half a second', quick),
        row('200 at once, a renewal that hangs', hanging),
        row('24 that wait for one that hangs', waited),
        row('one of a healthy connection beside these 24, again and again', beside),
      ],
    ),
  };
};
