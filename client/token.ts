/** An access token as the broker gave it, hidden from logs. Pure. */
import type { BrokerToken } from './api.ts';

/** The members of the broker's reply, as `GET /token/{connection}` writes them. */
export interface TokenBody {
  readonly connection: string;
  readonly access_token: string;
  readonly token_type: string;
  /** Seconds from the reply. */
  readonly expires_in: number;
  readonly expires_at: string;
  readonly refresh_after: string;
  readonly generation: number;
  readonly scope?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly endpoint?: string;
  readonly values?: Readonly<Record<string, string>>;
  readonly warning?: string;
}

/**
 * The time between `refresh_after` and the end. Both are the broker's times, so that it is right where the clock of
 * this machine is not.
 */
export const marginMsOf = (body: TokenBody): number => Date.parse(body.expires_at) - Date.parse(body.refresh_after);

/** What makes a record print nothing of itself in Node.js, Bun and Deno; `fetch` and a spread see its members alone. */
const hidden = Object.fromEntries(
  ['nodejs.util.inspect.custom', 'Deno.customInspect'].map((name) => [Symbol.for(name), () => '[headers: redacted]']),
);

export class HiddenToken implements BrokerToken {
  declare readonly connection: string;
  declare readonly generation: number;
  declare readonly expiresAt: number;
  declare readonly tokenType: string;
  declare readonly scope: string | undefined;
  declare readonly endpoint: string | undefined;
  declare readonly values: Readonly<Record<string, string>>;
  declare readonly warning: string | undefined;
  readonly #body: TokenBody;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(body: TokenBody, expiresAt: number) {
    const { connection, generation, token_type: tokenType, scope, endpoint, values = {}, warning } = body;
    Object.assign(this, { connection, generation, expiresAt, tokenType, scope, endpoint, values, warning });
    this.#body = body;
    this.#headers = Object.freeze(Object.assign(Object.create(hidden), body.headers));
  }

  get accessToken(): string {
    return this.#body.access_token;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#headers;
  }
}
