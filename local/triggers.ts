/**
 * What can be made to go wrong at the provider that runs beside the local broker, by `token-broker trigger` and by the
 * page. Guarded by a key that only the owner of the data directory can read.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { DemoProvider } from './demo/demo.ts';
import { type Endpoint, listen } from './platform/loopback.ts';
import type { Weather, WeatherKind } from './simulators/weather.ts';

/** What each does, for people. */
export const triggers = {
  revoke: 'Revoke every grant',
  down: 'Be down for a minute',
  slow: 'Answer slowly for a minute',
  losing: 'Lose replies for a minute',
} as const satisfies Readonly<Record<'revoke' | WeatherKind, string>>;

type TriggerKind = keyof typeof triggers;

export const isTrigger = (text: string): text is TriggerKind => Object.hasOwn(triggers, text);

const weatherMs = 60_000;

/** Serves `POST /{kind}` with the key as a bearer token. */
export function startTriggers(provider: DemoProvider, weather: Weather, key: string): Promise<Endpoint> {
  const server = createServer((request, response) => {
    const kind = request.url?.slice(1) ?? '';
    const answer = (status: number, said: string): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ said }));
    if (!same(request.headers.authorization ?? '', `Bearer ${key}`)) return answer(403, 'The key is another.');
    if (request.method !== 'POST' || !isTrigger(kind)) return answer(404, 'There is no such trigger.');
    if (kind === 'revoke' && provider.revokeGrants === undefined)
      return answer(409, `${provider.title} has no grants to revoke.`);
    if (kind === 'revoke') provider.revokeGrants?.();
    else weather.set(kind, weatherMs);
    answer(200, `${triggers[kind]}: from now on.`);
  });
  return listen(server);
}

function same(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
