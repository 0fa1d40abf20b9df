/**
 * The two texts of a login that browsers carry: the link that a person opens, and the `state` of the authorization
 * request.
 */
import type { ConnectionName } from '../domain/connection-name.ts';
import type { Secret } from '../domain/secret.ts';

/** What a link names. */
export interface LoginLink {
  /** Of the authorization that was asked for: a UUID. */
  readonly id: string;
  readonly connection: ConnectionName;
}

/** What a `state` names. It is good in one browser only. */
export interface LoginState extends LoginLink {
  /** The value of the cookie that the page before the login set in the browser: a UUID. */
  readonly browser: string;
}

/** Texts of one length, whatever they name. Each method throws `Unavailable` if the key cannot be read. */
export interface LoginSealer {
  sealLink(link: LoginLink): Promise<string>;
  /** Returns undefined for a text that is no link which was sealed here. The caller sees whether it is still good. */
  openLink(text: string): Promise<LoginLink | undefined>;
  /** Returns the state, and the PKCE verifier (RFC 7636) that belongs to it. */
  sealState(state: LoginState): Promise<{ readonly text: string; readonly codeVerifier: Secret }>;
  openState(text: string): Promise<(LoginState & { readonly codeVerifier: Secret }) | undefined>;
}
