/** The grants of a simulated authorization server: families of refresh tokens, and the access tokens they brought. */
import { randomBytes } from 'node:crypto';

interface GrantFacts {
  readonly lifetimeMs: number;
  /** `single_use`: a renewal brings a new one and the old one is dead. `reusable`: old ones go on working. */
  readonly refreshTokens: 'single_use' | 'reusable';
  /** Sending a dead refresh token kills the whole family (RFC 9700 §4.14.2). */
  readonly reuseRevokes: boolean;
  readonly refreshTokenIdleMs: number;
  /** What a renewal does to the access token that is not expired yet. */
  readonly accessTokenAfterRenewal: 'lives' | 'dies';
  /** What a second authorization of the same user does to the first. */
  readonly secondAuthorization: 'replaces' | 'adds';
}

export interface Grant {
  readonly id: string;
  readonly user: string;
  current: string;
  /** `replaced`: by a later authorization of the same user. */
  state: 'alive' | 'revoked' | 'replaced';
  /** When the newest access token was issued. */
  issuedAt: number;
  accessToken: string;
}

export interface TokenSet {
  readonly accessToken: string;
  readonly refreshToken: string;
}

const random = (): string => randomBytes(24).toString('base64url');

export class Grants {
  readonly #facts: GrantFacts;
  readonly #byRefreshToken = new Map<string, Grant>();
  readonly #accessTokens = new Map<string, { readonly user: string; expiresAt: number }>();

  constructor(facts: GrantFacts) {
    this.#facts = facts;
  }

  /** A person logs in: a new family, with its first tokens. */
  authorize(user: string, now: number): TokenSet {
    if (this.#facts.secondAuthorization === 'replaces') {
      for (const grant of this.#byRefreshToken.values())
        if (grant.user === user && grant.state === 'alive') grant.state = 'replaced';
    }
    return this.renew(
      { id: randomBytes(6).toString('hex'), user, current: '', state: 'alive', issuedAt: now, accessToken: '' },
      now,
    );
  }

  find(refreshToken: string): Grant | undefined {
    return this.#byRefreshToken.get(refreshToken);
  }

  /** Whether this is a used one of a grant where each works once. */
  isDead(grant: Grant, refreshToken: string): boolean {
    return this.#facts.refreshTokens === 'single_use' && grant.current !== refreshToken;
  }

  /** Notes that a dead refresh token was sent. */
  reused(grant: Grant): void {
    if (this.#facts.reuseRevokes) grant.state = 'revoked';
  }

  /** When the refresh token lapses for want of use. */
  lapsesAt(grant: Grant): number {
    return grant.issuedAt + this.#facts.refreshTokenIdleMs;
  }

  /** Whether a renewal with this refresh token could still succeed, now or later. */
  accepts(refreshToken: string, now: number): boolean {
    const grant = this.find(refreshToken);
    return (
      grant !== undefined && grant.state === 'alive' && !this.isDead(grant, refreshToken) && now < this.lapsesAt(grant)
    );
  }

  /** Issues the next tokens. Who shall renew them has checked everything. */
  renew(grant: Grant, now: number): TokenSet {
    const before = this.#accessTokens.get(grant.accessToken);
    if (before !== undefined && this.#facts.accessTokenAfterRenewal === 'dies')
      before.expiresAt = Math.min(before.expiresAt, now);
    grant.accessToken = random();
    grant.issuedAt = now;
    this.#accessTokens.set(grant.accessToken, { user: grant.user, expiresAt: now + this.#facts.lifetimeMs });
    return { accessToken: grant.accessToken, refreshToken: this.rotate(grant) };
  }

  /** Replaces the refresh token alone. */
  rotate(grant: Grant): string {
    grant.current = random();
    this.#byRefreshToken.set(grant.current, grant);
    return grant.current;
  }

  /** Ends every grant of this user, and the access tokens that they brought. */
  revokeAll(user: string, now: number): void {
    for (const grant of this.#byRefreshToken.values()) if (grant.user === user) grant.state = 'revoked';
    for (const token of this.#accessTokens.values())
      if (token.user === user) token.expiresAt = Math.min(token.expiresAt, now);
  }

  /** Every grant there was, newest first. */
  all(): readonly Readonly<Grant>[] {
    return [...new Set(this.#byRefreshToken.values())].sort((a, b) => b.issuedAt - a.issuedAt);
  }

  /** Ends one grant, or every one, and the access tokens that they brought. */
  revoke(id: string | undefined, now: number): void {
    for (const grant of this.all())
      if (id === undefined || grant.id === id) {
        (grant as Grant).state = 'revoked';
        const token = this.#accessTokens.get(grant.accessToken);
        if (token !== undefined) token.expiresAt = Math.min(token.expiresAt, now);
      }
  }

  /** Whose access token this is or was, and whether it is good now. */
  holderOf(
    accessToken: string | undefined,
    now: number,
  ): { readonly user: string; readonly good: boolean } | undefined {
    const found = accessToken === undefined ? undefined : this.#accessTokens.get(accessToken);
    return found && { user: found.user, good: now < found.expiresAt };
  }
}
