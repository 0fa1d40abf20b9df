/**
 * An authorization server as the providers are (RFC 6749 §6, and their quirks): what it does with a refresh token that
 * it has seen before is the difference between them.
 */

import type { Exchange } from '../../shared/domain/exchange.ts';
import { plus } from '../../shared/domain/time.ts';
import type { TokenRequest } from '../../shared/ports/token-endpoint.ts';
import type { VirtualTime } from './time.ts';

export interface Nature {
  readonly name: string;
  /**
   * `none`: refresh tokens stay. `grace`: rotated, and the old one works for `graceMs` more. `until_successor_used`:
   * the old one works until the new one was used. `single_use`: the old one is dead. `revokes`: sending an old one
   * kills the whole family.
   */
  readonly rotation: 'none' | 'grace' | 'until_successor_used' | 'single_use' | 'revokes';
  readonly graceMs: number;
  /**
   * A second use of an old token that still works brings another successor, and kills the first. Without this, one that
   * works until its successor was used brings the same successor again.
   */
  readonly killsSibling: boolean;
  readonly lifetimeMs: number;
  /** A token younger than this is not renewed; that is checked before the refresh token is looked at. */
  readonly minTokenAgeMs: number;
  readonly expiresIn: 'number' | 'string' | 'missing';
  /** A refresh token that is not used for so long is dead; replies tell. */
  readonly lapseMs?: number;
  /** Not every reply tells. */
  readonly tellsSeldom?: true;
  /** A renewal ends the access tokens of before at once. */
  readonly endsPrevious?: true;
  /** An access token that still lives is handed out once more, each time as if its whole life lay ahead. */
  readonly sameToken?: true;
  /** As Exact Online words its errors, as RFC 6749 does, or in one of many other ways, another each time. */
  readonly words: 'rfc6749' | 'exact' | 'other';
}

/** How one call goes on its way: drawn by the simulation, or scripted. */
export interface Way {
  readonly toMs: number;
  readonly fromMs: number;
  /** The request, or the reply, never arrives. */
  readonly lost?: 'request' | 'reply';
  /** Answered instead of being processed, or after it was. */
  readonly instead?: {
    readonly status: number;
    readonly body: string | ((newest: string | undefined) => string);
    readonly headers?: Readonly<Record<string, string>>;
    readonly after: boolean;
  };
}

/** One call as the provider saw it. */
export interface Call {
  readonly sentAt: number;
  readonly environment: number;
  readonly refreshToken: string;
  /** What its client authenticates with, where that matters. */
  readonly secret?: string;
  processedAt?: number;
  /** When the caller knew, or gave up, or died. */
  endedAt?: number;
  /** The refresh token that it issued, and when its reply brings that to the caller's door; absent if it never does. */
  issued?: string;
  tellsAt?: number;
  /** The access token in its reply. */
  brought?: string | undefined;
  /** Its reply tells the end of the grant. */
  toldEnd?: true;
  /** Of the reply that its caller has. */
  status?: number;
  result?: 'rotated' | 'repeated' | 'too_early' | 'refused' | 'revoked' | 'client_refused' | 'instead';
}

/**
 * What has ended a grant for good: a refresh token or a code that was used twice, another login of the same person, us,
 * or that it was not used. Of one that a stranger has renewed, the stranger answers for whatever becomes of it.
 */
export type End = 'reuse' | 'code_reuse' | 'login' | 'revocation' | 'lapse' | 'stranger';

interface Family {
  access?: string;
  current: string;
  /** The one that brought the current one. */
  predecessor?: string;
  readonly spent: Map<string, number>;
  /** Tokens that died with a sibling. */
  readonly dead: Set<string>;
  ended?: End;
  /** A stranger has sent a refresh token of it. */
  shared?: true;
  issuedAt: number;
  usedAt: number;
}

export class Provider {
  readonly ledger: Call[] = [];
  /** Whether a client may authenticate with this at the moment. */
  takes: (secret: string | undefined) => boolean = () => true;
  protected readonly time: VirtualTime;
  readonly #nature: Nature;
  protected readonly families: Family[] = [];
  /** Access tokens that a renewal of the broker's has ended, and when. */
  readonly endedAccess = new Map<string, number>();
  /** Those that a stranger's renewal has ended. */
  readonly takenAccess = new Set<string>();
  #serial = 0;
  #refusals = 0;

  constructor(time: VirtualTime, nature: Nature) {
    this.time = time;
    this.#nature = nature;
  }

  /** A person logs in somewhere else, for an import: a new family, and its first refresh token. */
  authorize(): string {
    return this.begin(Number.NEGATIVE_INFINITY).current;
  }

  /** Whether this refresh token would still be accepted. */
  alive(refreshToken: string): boolean {
    const family = this.familyOf(refreshToken);
    return (
      family !== undefined &&
      this.#endOf(family) === undefined &&
      !family.dead.has(refreshToken) &&
      (family.current === refreshToken || this.#stillWorks(family, refreshToken))
    );
  }

  /** What has ended the grant that this refresh token belongs to, if anything has. */
  endOf(refreshToken: string | undefined): End | undefined {
    const family = refreshToken === undefined ? undefined : this.familyOf(refreshToken);
    return family?.shared ? 'stranger' : family && this.#endOf(family);
  }

  /**
   * A party that is no part of the broker renews the grant with this refresh token. Returns the one to go on with, if
   * any, and whether it was only too early.
   */
  renewElsewhere(refreshToken: string): { readonly refreshToken?: string; readonly tooEarly: boolean } {
    const family = this.familyOf(refreshToken);
    if (family === undefined) return { tooEarly: false };
    const before = family.access;
    const call: Call = { sentAt: this.time.now(), environment: -1, refreshToken, secret: 'old' };
    const answer = this.#process(call, refreshToken);
    if (before !== undefined && this.endedAccess.get(before) === this.time.now() && call.brought !== undefined) {
      this.endedAccess.delete(before);
      this.takenAccess.add(before);
    }
    const tooEarly = call.result === 'too_early';
    // A client that was refused has not used the grant.
    if (!tooEarly && call.result !== 'client_refused') family.shared = true;
    const renewed = answer.kind === 'reply' && answer.status === 200;
    return { tooEarly, ...(renewed && { refreshToken: call.issued ?? refreshToken }) };
  }

  /** When the grant that this refresh token belongs to was last used. */
  usedAt(refreshToken: string): number | undefined {
    return this.familyOf(refreshToken)?.usedAt;
  }

  #endOf(family: Family): End | undefined {
    if (this.time.now() - family.usedAt > (this.#nature.lapseMs ?? Number.POSITIVE_INFINITY)) family.ended ??= 'lapse';
    return family.ended;
  }

  /** The newest refresh token of the family that this one belongs to. */
  newest(refreshToken: string): string | undefined {
    return this.familyOf(refreshToken)?.current;
  }

  /** Processes a call on its way, and answers unless an end of the way swallows it. Resolves never if it does. */
  async call(call: Call, request: TokenRequest, way: Way): Promise<Exchange> {
    await this.time.sleep(way.toMs);
    if (way.lost === 'request') return new Promise(() => {});
    call.processedAt = this.time.now();
    const { instead } = way;
    const reply =
      instead !== undefined && !instead.after ? undefined : this.#process(call, request.refreshToken?.reveal() ?? '');
    if (instead !== undefined) call.result ??= 'instead';
    const told = instead === undefined || typeof instead.body !== 'string';
    if (call.issued !== undefined && told && way.lost !== 'reply') call.tellsAt = plus(this.time.now(), way.fromMs);
    await this.time.sleep(way.fromMs);
    if (way.lost === 'reply') return new Promise(() => {});
    if (instead !== undefined) {
      const issued = call.result === 'rotated' || call.result === 'repeated';
      const newest = issued ? this.newest(call.refreshToken) : undefined;
      const body = typeof instead.body === 'string' ? instead.body : instead.body(newest);
      return { kind: 'reply', status: instead.status, headers: instead.headers ?? {}, body };
    }
    return reply ?? new Promise(() => {});
  }

  #process(call: Call, refreshToken: string): Exchange {
    const now = this.time.now();
    if (!this.takes(call.secret)) {
      call.result = 'client_refused';
      return clientRefused;
    }
    const family = this.familyOf(refreshToken);
    if (family === undefined || this.#endOf(family) !== undefined || family.dead.has(refreshToken))
      return this.#refuse(call, 'refused');
    // Age first: a provider that checks it does so before it looks at the refresh token.
    if (now - family.issuedAt < this.#nature.minTokenAgeMs) {
      call.result = 'too_early';
      return reply(400, { error: 'access_denied', error_description: 'Rate limit exceeded: access_token not expired' });
    }
    const old = family.current !== refreshToken;
    if (old && !this.#stillWorks(family, refreshToken)) {
      if (this.#nature.rotation === 'revokes') family.ended = 'reuse';
      return this.#refuse(call, this.#nature.rotation === 'revokes' ? 'revoked' : 'refused');
    }
    call.result = old ? 'repeated' : 'rotated';
    family.issuedAt = now;
    family.usedAt = now;
    const sameAgain = old && this.#nature.rotation === 'until_successor_used' && !this.#nature.killsSibling;
    if (sameAgain) call.issued = family.current;
    else if (this.#nature.rotation !== 'none') {
      if (old && this.#nature.killsSibling) family.dead.add(family.current);
      if (!family.spent.has(refreshToken)) family.spent.set(refreshToken, now);
      if (old && !this.#nature.killsSibling) family.spent.set(family.current, now);
      family.predecessor = refreshToken;
      family.current = this.#token('refresh');
      call.issued = family.current;
    }
    const tokens = this.tokens(family);
    call.brought = tokens.access_token;
    if ('refresh_token_expires_in' in tokens) call.toldEnd = true;
    return reply(200, tokens);
  }

  /** An old one. */
  #stillWorks(family: Family, refreshToken: string): boolean {
    if (this.#nature.rotation === 'until_successor_used') return family.predecessor === refreshToken;
    const spentAt = family.spent.get(refreshToken);
    return (
      this.#nature.rotation === 'grace' && spentAt !== undefined && this.time.now() - spentAt <= this.#nature.graceMs
    );
  }

  protected begin(issuedAt: number): Family {
    const usedAt = this.time.now();
    const family: Family = { current: this.#token('refresh'), spent: new Map(), dead: new Set(), issuedAt, usedAt };
    this.families.push(family);
    return family;
  }

  /**
   * The members of a reply that brings this family's newest tokens; the refresh token only where the reply to a refresh
   * has one.
   */
  protected tokens(family: Family) {
    const { lifetimeMs, lapseMs, tellsSeldom, sameToken } = this.#nature;
    const seconds = lifetimeMs / 1_000;
    const expiry = { number: { expires_in: seconds }, string: { expires_in: String(seconds) }, missing: {} }[
      this.#nature.expiresIn
    ];
    const refresh = this.#nature.rotation === 'none' ? {} : { refresh_token: family.current };
    if (this.#nature.endsPrevious && family.access !== undefined) this.endedAccess.set(family.access, this.time.now());
    const again = sameToken && family.access !== undefined && trueExpiryOf(family.access) > this.time.now();
    if (!again) family.access = `${this.#token('access')}@${this.time.now() + lifetimeMs}`;
    return {
      access_token: family.access,
      token_type: 'bearer',
      ...(lapseMs !== undefined &&
        (!tellsSeldom || this.#serial % 3 === 0) && { refresh_token_expires_in: lapseMs / 1_000 }),
      ...expiry,
      ...refresh,
    };
  }

  #refuse(call: Call, result: 'refused' | 'revoked'): Exchange {
    call.result = result;
    if (this.#nature.words === 'exact')
      return reply(401, { error: 'unauthorized_client', error_description: 'Old refresh token used.' });
    if (this.#nature.words === 'other') {
      this.#refusals += 1;
      return refusals[this.#refusals % refusals.length] ?? refusals[0];
    }
    return reply(400, { error: 'invalid_grant' });
  }

  protected familyOf(refreshToken: string): Family | undefined {
    return this.families.find(
      (family) => family.current === refreshToken || family.spent.has(refreshToken) || family.dead.has(refreshToken),
    );
  }

  #token(kind: 'access' | 'refresh'): string {
    this.#serial += 1;
    return `${kind}-${this.#serial}`;
  }
}

export const reply = (status: number, body: unknown): Exchange => ({
  kind: 'reply',
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** RFC 6749 §5.2. */
export const clientRefused = reply(401, { error: 'invalid_client' });

/** When the access token in this text really expires, by the provider's own clock. */
export const trueExpiryOf = (accessToken: string): number => Number(accessToken.split('@')[1]);

/** How servers say that a refresh token is dead: GitHub, Slack, Fitbit, Keycloak, UAA, Entra and their like. */
const refusals: readonly [Exchange, ...Exchange[]] = [
  reply(200, { error: 'bad_refresh_token', error_description: 'The refresh token passed is incorrect or expired.' }),
  reply(200, { ok: false, error: 'invalid_refresh_token' }),
  reply(401, { errors: [{ errorType: 'invalid_grant', message: 'Refresh token invalid' }] }),
  reply(400, { error: { type: 'invalid_grant' } }),
  reply(401, { error_code: 'INVALID_GRANT' }),
  reply(400, { error: 'invalid_request', error_description: 'The refresh token is invalid or has expired.' }),
  reply(400, { error: 'login_required' }),
];
