/**
 * Who may sign in at a simulated IXON: one user, with or without a second factor, and one service account; and the
 * tokens they have.
 */
import { randomInt } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { Login } from './ixon-replies.ts';

interface SignInFacts {
  readonly secondFactor: boolean;
  readonly oneTimePasswords: 'single_use' | 'reusable';
  /** So many wrong logins in a row are borne; the next one locks the account. */
  readonly wrongLoginsBorne: number;
}

type SignIn = 'good' | 'wrong' | 'second_factor_missing' | 'locked';

const letters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** A public id has 12 characters, a secret one 32. */
export const randomId = (length: 12 | 32): string =>
  Array.from({ length }, () => letters[randomInt(letters.length)]).join('');

export class User {
  readonly email = 'jo@example.com';
  readonly otpSeed = new Secret({ size: 20 }).base32;
  password = randomId(12);
  #wrong = 0;
  /** The 30 s whose one-time password was taken last. */
  #usedStep = -1;
  readonly #facts: SignInFacts;

  constructor(facts: SignInFacts) {
    this.#facts = facts;
  }

  lock(): void {
    this.#wrong = this.#facts.wrongLoginsBorne + 1;
  }

  unlock(): void {
    this.#wrong = 0;
  }

  /** `at` is the instant by which the user's device makes one-time passwords. */
  signIn({ email, otp, password }: Login, at: number): SignIn {
    if (this.#wrong > this.#facts.wrongLoginsBorne) return 'locked';
    if (this.#facts.secondFactor && otp === '') return 'second_factor_missing';
    const good =
      email === this.email && password === this.password && (!this.#facts.secondFactor || this.#take(otp, at));
    this.#wrong = good ? 0 : this.#wrong + 1;
    return good ? 'good' : 'wrong';
  }

  /** RFC 6238 §5.2: one step either way is borne. */
  #take(otp: string, at: number): boolean {
    const totp = new TOTP({ secret: this.otpSeed });
    const delta = totp.validate({ token: otp, timestamp: at, window: 1 });
    if (delta === null) return false;
    const step = totp.counter({ timestamp: at }) + delta;
    if (this.#facts.oneTimePasswords === 'single_use' && step <= this.#usedStep) return false;
    this.#usedStep = step;
    return true;
  }
}

interface IssuedToken {
  readonly publicId: string;
  readonly applicationId: string;
  /** Infinite for a service account's. */
  readonly expiresAt: number;
}

/** Tokens stand beside each other: a new one ends no other. */
export class Tokens {
  readonly #bySecret = new Map<string, IssuedToken>();

  issue(applicationId: string, expiresAt: number): IssuedToken & { readonly secretId: string } {
    const secretId = randomId(32);
    const token = { publicId: randomId(12), applicationId, expiresAt };
    this.#bySecret.set(secretId, token);
    return { ...token, secretId };
  }

  /** The token, if it is good now and for this application. */
  find(secretId: string, applicationId: string, now: number): IssuedToken | undefined {
    const token = this.#bySecret.get(secretId);
    return token !== undefined && token.applicationId === applicationId && now < token.expiresAt ? token : undefined;
  }

  end(secretId: string): void {
    this.#bySecret.delete(secretId);
  }

  /** Ends those that would end by themselves. */
  endThoseOfUsers(): void {
    for (const [secretId, { expiresAt }] of this.#bySecret)
      if (expiresAt < Number.POSITIVE_INFINITY) this.#bySecret.delete(secretId);
  }
}
