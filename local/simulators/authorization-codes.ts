/**
 * The login page of a simulated authorization server, and the codes that come of it (RFC 6749 §4.1). A browser that
 * opens the page has answered it.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Call, Reply } from './simulator.ts';

interface CodeFacts {
  readonly clientId: string;
  /** How long a code is good. Each works once. */
  readonly codeSeconds: number;
}

/** Who sits in front of the browser, and what they answer. */
export interface Person {
  readonly user: string;
  readonly answer: 'allow' | 'deny';
}

interface Redeemed {
  readonly user: string;
  readonly scope: readonly string[];
}

interface Code extends Redeemed {
  readonly redirectUri: string;
  /** S256 (RFC 7636 §4.2), where the client sent one. */
  readonly challenge: string | undefined;
  readonly until: number;
}

export class AuthorizationCodes {
  readonly #facts: CodeFacts;
  readonly #codes = new Map<string, Code>();
  person: Person = { user: 'owner', answer: 'allow' };

  constructor(facts: CodeFacts) {
    this.#facts = facts;
  }

  /** The answer to the browser that opens the page: back to the client, or a page about what is wrong with the link. */
  open({ method, query, at }: Call): Reply {
    const redirectUri = query.get('redirect_uri') ?? '';
    const target = URL.parse(redirectUri);
    if (method !== 'GET' || target === null || query.get('client_id') !== this.#facts.clientId)
      return { status: 400, body: 'Unknown client or redirect URI.' };
    const back = (parameters: Readonly<Record<string, string>>): Reply => {
      for (const [name, value] of Object.entries({ ...parameters, state: query.get('state') ?? '' }))
        target.searchParams.set(name, value);
      return { status: 302, headers: { location: target.href } };
    };
    const challenge = query.get('code_challenge') ?? undefined;
    const method256 = query.get('code_challenge_method') === 'S256';
    if (query.get('response_type') !== 'code' || (challenge !== undefined && !method256))
      return back({ error: 'invalid_request' });
    if (this.person.answer === 'deny')
      return back({ error: 'access_denied', error_description: 'The user denied access.' });
    const code = randomBytes(24).toString('base64url');
    const scope = (query.get('scope') ?? '').split(' ');
    this.#codes.set(code, {
      user: this.person.user,
      scope,
      redirectUri,
      challenge,
      until: at + this.#facts.codeSeconds * 1_000,
    });
    return back({ code });
  }

  /**
   * What a code stands for, once; undefined if it was used before, is too old, is of another client, or was never
   * given.
   */
  redeem({ form, at }: Call): Redeemed | undefined {
    const text = form.get('code') ?? '';
    const code = this.#codes.get(text);
    this.#codes.delete(text);
    if (code === undefined || at >= code.until || form.get('redirect_uri') !== code.redirectUri) return undefined;
    const verifier = form.get('code_verifier') ?? '';
    const proven =
      code.challenge === undefined || createHash('sha256').update(verifier).digest('base64url') === code.challenge;
    return proven ? code : undefined;
  }
}
