/**
 * The provider's side: what a person there sees of it, and what can be made to go wrong, by `token-broker trigger` and
 * by the page. Guarded by a key that only the owner of the data directory can read.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { DemoGrant, DemoProvider } from './demo/demo.ts';
import { type Endpoint, listen } from './platform/loopback.ts';
import type { Weather, WeatherKind } from './simulators/weather.ts';

/** What each does, for people. */
export const triggers = {
  revoke: 'Revoke every grant',
  rotate: 'Rotate the secret',
  down: 'Be down for a minute',
  slow: 'Answer slowly for a minute',
  losing: 'Lose replies for a minute',
  well: 'Be well again',
} as const satisfies Readonly<Record<'revoke' | 'rotate' | 'well' | WeatherKind, string>>;

type TriggerKind = keyof typeof triggers;

export const isTrigger = (text: string): text is TriggerKind => Object.hasOwn(triggers, text);

/** What the provider tells a person who may look at it. */
export interface ProviderSide {
  readonly title: string;
  /** What can be done here, with a few words on each. */
  readonly kinds: Partial<Readonly<Record<TriggerKind, string>>>;
  /** How it does, and for how many milliseconds yet; absent where all is well. */
  readonly weather?: { readonly kind: WeatherKind; readonly forMs: number };
  /** Who has granted access. Absent where the provider knows no grants. */
  readonly grants?: readonly DemoGrant[];
}

const weatherMs = 60_000;

/** The provider's side, for programs in this process. */
export interface Triggers {
  look(): Promise<ProviderSide>;
  /** Rejects with an error whose message is for people, where the provider cannot do that. */
  pull(kind: string, grant?: string): Promise<{ readonly said: string }>;
}

export function triggersOf(provider: DemoProvider, weather: Weather): Triggers {
  return {
    look: async () => sideOf(provider, weather),
    async pull(kind, grant) {
      if (!isTrigger(kind)) throw new Error('There is no such trigger.');
      if (kindsOf(provider)[kind] === undefined)
        throw new Error(`${provider.title} cannot do that: ${triggers[kind]}.`);
      return { said: done(kind, provider, weather, grant) };
    },
  };
}

/** Serves `GET /` and `POST /{kind}`, of one grant with `?grant=ID`, with the key as a bearer token. */
export function serveTriggers({ look, pull }: Triggers, key: string): Promise<Endpoint> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://triggers');
    const answer = (status: number, value: unknown): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (!same(request.headers.authorization ?? '', `Bearer ${key}`))
      return answer(403, { said: 'The key is another.' });
    if (request.method !== 'POST') return void look().then((side) => answer(200, side));
    pull(pathname.slice(1), searchParams.get('grant') ?? undefined).then(
      (said) => answer(200, said),
      (error: Error) => answer(409, { said: error.message }),
    );
  });
  return listen(server);
}

const sideOf = (provider: DemoProvider, weather: Weather): ProviderSide => {
  const [now, grants] = [weather.now(), provider.grants?.()];
  return {
    title: provider.title,
    kinds: kindsOf(provider),
    ...(now !== undefined && { weather: now }),
    ...(grants !== undefined && { grants }),
  };
};

const kindsOf = ({ revokeGrants, rotateSecret }: DemoProvider): ProviderSide['kinds'] => {
  const { revoke, rotate, ...always } = triggers;
  return { ...(revokeGrants && { revoke }), ...(rotateSecret && { rotate }), ...always };
};

/** Does it, and says so. */
function done(kind: TriggerKind, provider: DemoProvider, weather: Weather, grant: string | undefined): string {
  switch (kind) {
    case 'revoke':
      provider.revokeGrants?.(grant);
      return grant === undefined ? 'Every grant is revoked.' : 'The grant is revoked.';
    case 'rotate':
      return provider.rotateSecret?.() ?? '';
    case 'well':
      weather.clear();
      return 'It is well again.';
    default:
      weather.set(kind, weatherMs);
      return `${triggers[kind]}: from now on.`;
  }
}

function same(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
