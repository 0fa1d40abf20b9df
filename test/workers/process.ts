/**
 * One process of a run: so many workers that share a client, each of which calls an API again and again. It is given
 * what it needs as JSON, answers each message with what has happened so far, and ends with its parent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TokenBrokerError, tokenBroker } from '../../client/index.ts';
import type { Happened, Task } from './task.ts';

const { url, credentials, region, api, workers } = JSON.parse(process.argv[2] ?? '') as Task;
const happened: Happened = { calls: 0, failed: [], questions: [], generation: 0 };

const broker = tokenBroker({
  url,
  credentials,
  region,
  async fetch(input, init) {
    if (!String(input).startsWith(url)) return fetch(input, init);
    const { method = 'GET' } = init ?? {};
    try {
      const reply = await fetch(input, init);
      happened.questions.push(`${method} ${reply.status}`);
      return reply;
    } catch (error) {
      happened.questions.push(`${method} lost`);
      throw error;
    }
  },
  onEvent(event) {
    if (event.kind === 'token_received') happened.generation = event.generation;
  },
});

async function work(): Promise<never> {
  for (;;) {
    try {
      const reply = await broker.fetch('demo', api);
      await reply.arrayBuffer();
      if (!reply.ok) happened.failed.push(`${reply.status}`);
    } catch (error) {
      happened.failed.push(error instanceof TokenBrokerError ? error.code : String(error));
    }
    happened.calls += 1;
    await sleep(1_500 + 2_000 * Math.random());
  }
}

process.on('message', () => process.send?.(happened));
process.once('disconnect', () => process.exit());
for (let worker = 0; worker < workers; worker += 1) void work();
