/**
 * A worker that looks after its tokens by itself, as most do: it reads the store again before it refreshes, and there
 * is no lock.
 */
import { readFile, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import type { ExactOnline } from '../simulators/exact-online.ts';
import { callApi, type Sender } from './sender.ts';

const Tokens = v.object({
  accessToken: v.string(),
  refreshToken: v.string(),
  /** Milliseconds since 1970-01-01T00:00Z. */
  expiresAt: v.number(),
});
export type Tokens = v.InferOutput<typeof Tokens>;

export interface TokenStore {
  /** Rejects if what is there cannot be read, for instance because it is half written. */
  read(): Promise<Tokens>;
  write(tokens: Tokens): Promise<void>;
}

export function ownStore(first: Tokens): TokenStore {
  let kept = first;
  return {
    read: async () => kept,
    write: async (tokens) => {
      kept = tokens;
    },
  };
}

export const fileStore = (path: string): TokenStore => ({
  read: async () => v.parse(Tokens, JSON.parse(await readFile(path, 'utf8'))),
  write: (tokens) => writeFile(path, JSON.stringify(tokens)),
});

const Reply = v.object({
  access_token: v.string(),
  refresh_token: v.string(),
  expires_in: v.pipe(v.union([v.string(), v.number()]), v.transform(Number)),
});

export interface Manners {
  /** How long before its expiry a token is renewed; without it, after a 401 only. */
  readonly aheadMs?: number;
  /** How long it leaves the token endpoint alone after a failure; twice as long after each further one. */
  readonly backOffMs: number;
}

export function independentSender(
  exact: ExactOnline,
  store: TokenStore,
  first: Tokens,
  { aheadMs, backOffMs }: Manners,
): Sender {
  let tokens = first;
  let grantIsDead = false;
  let failures = 0;
  let notBefore = 0;

  /** Returns whether there is another token now. */
  async function renew(): Promise<boolean> {
    const stored = await store.read();
    if (stored.accessToken !== tokens.accessToken) {
      tokens = stored;
      return true;
    }
    if (Date.now() < notBefore) return false;
    const { clientId, clientSecret } = exact.client;
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: stored.refreshToken,
      client_id: clientId,
      client_secret: clientSecret,
    });
    const response = await fetch(exact.tokenEndpoint, { method: 'POST', body });
    const text = await response.text();
    // To ask again would be to make errors for nothing: a person has to log in.
    grantIsDead = text.includes('invalid_grant');
    if (!response.ok) {
      notBefore = Date.now() + backOffMs * 2 ** failures;
      failures += 1;
      return false;
    }
    failures = 0;
    const { access_token, refresh_token, expires_in } = v.parse(Reply, JSON.parse(text));
    tokens = { accessToken: access_token, refreshToken: refresh_token, expiresAt: Date.now() + expires_in * 1_000 };
    await store.write(tokens);
    return true;
  }

  return async () => {
    if (grantIsDead) return false;
    if (aheadMs !== undefined && Date.now() >= tokens.expiresAt - aheadMs) await renew();
    // Who watches the expiry makes no error that can be foreseen.
    if (aheadMs !== undefined && Date.now() >= tokens.expiresAt) return false;
    const status = await callApi(exact, tokens.accessToken);
    if (status !== 401) return status === 200;
    return !grantIsDead && (await renew()) && (await callApi(exact, tokens.accessToken)) === 200;
  };
}
