/** All that a page can have to say. */
export type Message =
  | 'connect'
  | 'connected'
  | 'connected_unproven'
  | 'already_connected'
  | 'denied'
  | 'unknown_link'
  | 'link_expired'
  | 'link_used'
  | 'link_over'
  | 'not_possible'
  | 'another_browser'
  | 'another_connection'
  | 'another_issuer'
  | 'another_region'
  | 'malformed'
  | 'refused'
  | 'refused_without_state'
  | 'no_answer'
  | 'no_refresh_token'
  | 'changed_meanwhile'
  | 'unavailable'
  | 'failed';

/** What to do about an error code of the provider's. */
export type Advice = 'scope' | 'application' | 'redirect_uri' | 'later' | 'other';

interface Words {
  readonly title: string;
  readonly what: string;
  readonly next: string;
}

export interface Texts {
  readonly messages: Readonly<Record<Message, Words>>;
  readonly advice: Readonly<Record<Advice, string>>;
  readonly facts: Readonly<Record<'provider' | 'connection' | 'account' | 'askedBy' | 'goodUntil', string>>;
  /** The way to the provider. */
  readonly go: string;
}
