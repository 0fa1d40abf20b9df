/** What a program sees of the client: its types, without the machinery. */
import type { Credentials } from './credentials.ts';
import type { BrokerEvent } from './events.ts';

/**
 * An access token, to be used as long as `expiresAt` is ahead. What is secret is behind getters: neither
 * `console.log` nor `JSON.stringify` of a token shows it.
 */
export interface BrokerToken {
  readonly connection: string;
  /** Grows by one with each renewal. */
  readonly generation: number;
  /** Milliseconds since 1970, by the clock of this machine. */
  readonly expiresAt: number;
  readonly tokenType: string;
  readonly scope: string | undefined;
  /** Where the API is, where the provider tells that with the token. */
  readonly endpoint: string | undefined;
  /** What came with the grant: `realmId` and the like. */
  readonly values: Readonly<Record<string, string>>;
  /** Why the last renewal failed, or what threatens the next one. */
  readonly warning: string | undefined;
  readonly accessToken: string;
  /** What is to be sent to the API, whatever its kind: `Authorization`, `X-ACCOUNT-KEY` … */
  readonly headers: Readonly<Record<string, string>>;
}

export interface TokenBrokerOptions {
  /** The output `ApiUrl` of the deployment, or what `npm start` prints. */
  readonly url: string | URL;
  /** @default the key pair in the environment, read at each use */
  readonly credentials?: Credentials;
  /**
   * The Region of the deployment, that requests are signed for.
   * @default what the host name tells, else `AWS_REGION`
   */
  readonly region?: string;
  /**
   * How long a call may take, in milliseconds, all of its repetitions included.
   * @default 30 s
   */
  readonly timeoutMs?: number;
  /** Hears what happens. What it throws is dropped. */
  readonly onEvent?: (event: BrokerEvent) => void;
  /**
   * Is given each question to the broker: a promise that never rejects. For platforms that drop what a call has begun
   * when the call ends, and so would drop the questions in the background: `waitUntil` of `cloudflare:workers`.
   */
  readonly waitUntil?: (question: Promise<unknown>) => void;
  /** @default the platform's, for the broker and for APIs */
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  /** Ends the wait of this caller, and of no other one. */
  readonly signal?: AbortSignal;
  /** @default that of the broker */
  readonly timeoutMs?: number;
}

export interface TokenOptions extends CallOptions {
  /**
   * The life that the token must have, in whole seconds, 5 to 3,600.
   * @default 10 s, or half of the life of a token that is shorter
   */
  readonly minTtl?: number;
}

/** A body, or what makes one for each time it is sent: of a stream, or of a token that is part of it. */
export type ApiBody = RequestInit['body'] | ((token: BrokerToken) => NonNullable<RequestInit['body']>);

export interface ApiInit extends Omit<RequestInit, 'body'> {
  readonly body?: ApiBody;
  /**
   * Whose API it is, by the name of its preset (`exact-online`): its own rules tell what a reply asks for.
   * @default the rules of HTTP alone
   */
  readonly provider?: string;
}

export interface ApiCallInit extends ApiInit {
  /** As for `token`. */
  readonly minTtl?: number;
}

export interface Rejection {
  readonly generation: number;
  /** Of the API's reply. */
  readonly status?: number;
  /** The API's own words. The broker logs them, without what looks like a secret. */
  readonly detail?: string;
}

export interface TokenBroker {
  /**
   * Resolves to an access token: the one that is kept, which takes no request, or one that the broker gives. Rejects
   * with `TokenBrokerError`, or with the signal's reason.
   */
  token(connection: string, options?: TokenOptions): Promise<BrokerToken>;
  /**
   * `fetch` with the token's headers. `input` may be relative to the endpoint that came with the token, and name its
   * values as `{realmId}`. Where the API refuses the token, it is reported once, and the request repeated once with the
   * newer one; a body that can be read only once is not sent again, unless a function makes it. The reply is the API's,
   * whatever its status, and `adviceOf` tells what it asks for. Redirects are not followed unless `init` says so.
   * Rejects as `token` and as `fetch` do.
   */
  fetch(connection: string, input: string | URL | Request, init?: ApiCallInit): Promise<Response>;
  /** Reports a token that the provider refused, and resolves to a newer one. Rejects as `token` does. */
  reject(connection: string, rejection: Rejection, options?: CallOptions): Promise<BrokerToken>;
}
