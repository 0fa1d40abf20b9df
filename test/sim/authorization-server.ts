/**
 * The rest of an authorization server: it takes codes (RFC 6749 §4.1) and lets grants be revoked (RFC 7009). How strict
 * it is about a second use of a code, and whether one login ends another, is not the same everywhere.
 */

import type { Exchange } from '../../shared/domain/exchange.ts';
import { plus } from '../../shared/domain/time.ts';
import { clientRefused, type End, Provider, reply, type Way } from './provider.ts';

/** What the authorization server does beside renewing: drawn by the simulation, or scripted. */
export interface Customs {
  /** One grant for each person and application: a login ends those before it. */
  readonly exclusive: boolean;
  /** A second use of a code ends what the first one brought (RFC 6749 §10.5). */
  readonly codeReuseRevokes: boolean;
  readonly revocable: boolean;
}

/** One code on its way, as the provider saw it. */
export interface Redemption {
  readonly code: string;
  /** The code verifier: another one for each link. */
  readonly link: string;
  readonly environment: number;
  /** What its client authenticates with, where that matters. */
  readonly secret?: string;
  sentAt: number;
  processedAt?: number;
  /** When its caller knew, or gave up, or died. */
  endedAt?: number;
  /**
   * The refresh token that it brought, and when its reply brings that to the caller's door; absent if it never does.
   */
  issued?: string;
  tellsAt?: number;
}

export class AuthorizationServer extends Provider {
  readonly redemptions: Redemption[] = [];
  customs: Customs = { exclusive: false, codeReuseRevokes: true, revocable: true };
  readonly #used = new Map<string, string>();
  #codes = 0;

  /** A person has logged in: the code that the browser brings back. */
  newCode(): string {
    this.#codes += 1;
    return `code-${this.#codes}`;
  }

  /** Processes a code on its way; resolves never if an end of the way swallows it. */
  async redeem(redemption: Redemption, way: Way): Promise<Exchange> {
    await this.time.sleep(way.toMs);
    if (way.lost === 'request') return new Promise(() => {});
    redemption.processedAt = this.time.now();
    const { instead } = way;
    const answer = instead !== undefined && !instead.after ? undefined : this.#take(redemption);
    if (redemption.issued !== undefined && instead === undefined && way.lost !== 'reply')
      redemption.tellsAt = plus(this.time.now(), way.fromMs);
    await this.time.sleep(way.fromMs);
    if (way.lost === 'reply') return new Promise(() => {});
    if (instead === undefined) return answer ?? new Promise(() => {});
    const body = typeof instead.body === 'string' ? instead.body : instead.body(undefined);
    return { kind: 'reply', status: instead.status, headers: instead.headers ?? {}, body };
  }

  #take(redemption: Redemption): Exchange {
    if (!this.takes(redemption.secret)) return clientRefused;
    const before = this.#used.get(redemption.code);
    if (before !== undefined) {
      if (this.customs.codeReuseRevokes) this.#end(before, 'code_reuse');
      return reply(400, { error: 'invalid_grant' });
    }
    if (this.customs.exclusive) for (const family of this.families) family.ended ??= 'login';
    const family = this.begin(this.time.now());
    this.#used.set(redemption.code, family.current);
    redemption.issued = family.current;
    // Also where a refresh token stays the same for good, this is how it comes.
    return reply(200, { ...this.tokens(family), refresh_token: family.current });
  }

  /**
   * RFC 7009 §2.2: a token that is not in force is answered with 200 as well, and nothing happens; 200 is never said of
   * one that stays in force.
   */
  async revoke(refreshToken: string, secret: string | undefined, way: Way): Promise<Exchange> {
    await this.time.sleep(way.toMs);
    if (way.lost === 'request') return new Promise(() => {});
    const instead = way.instead?.status === 200 ? undefined : way.instead;
    const taken = this.takes(secret);
    if (taken && (instead === undefined || instead.after) && this.alive(refreshToken))
      this.#end(refreshToken, 'revocation');
    await this.time.sleep(way.fromMs);
    if (way.lost === 'reply') return new Promise(() => {});
    if (instead !== undefined) return { kind: 'reply', status: instead.status, headers: {}, body: '' };
    return taken ? reply(200, {}) : clientRefused;
  }

  #end(refreshToken: string, end: End): void {
    const family = this.familyOf(refreshToken);
    if (family !== undefined) family.ended ??= end;
  }

  /** Whether both belong to one grant. */
  sameGrant(one: string | undefined, other: string | undefined): boolean {
    const family = this.familyOf(one ?? '');
    return family !== undefined && family === this.familyOf(other ?? '');
  }
}
