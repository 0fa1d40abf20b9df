/** What it takes to be a `--provider`: one file for each, and a line in `index.ts`. */
import type { DatabaseSync } from 'node:sqlite';
import type { Grant } from '../simulators/grants.ts';
import type { TokenCall } from '../simulators/oidc/authorization-server.ts';
import type { Entry } from '../simulators/simulator.ts';
import type { Weather } from '../simulators/weather.ts';

export interface DemoProviderKind {
  /** What it is, for `--help`. */
  readonly about: string;
  start(options: DemoOptions): Promise<DemoProvider>;
}

export interface DemoOptions {
  readonly database: DatabaseSync;
  /** Where it may keep what the next start needs. */
  readonly directory: string;
  /** Where the browser is sent back to after a login. */
  readonly redirectUri: string;
  readonly onTokenCall?: (call: TokenCall) => void;
  /** How it does at the moment. */
  readonly weather?: Weather;
}

/** A grant, as the provider lists it for the person who gave it. */
export interface DemoGrant {
  readonly id: string;
  readonly user: string;
  /** When it was given, or last renewed, as ISO 8601. */
  readonly since: string;
  readonly alive: boolean;
}

/** A simulator's grant, as it is listed. */
export const demoGrantOf = ({ id, user, issuedAt, state }: Readonly<Grant>): DemoGrant => ({
  id,
  user,
  since: new Date(issuedAt).toISOString(),
  alive: state === 'alive',
});

/** What a person does with a new secret. */
export const newSecret = (name: string, secret: string): string =>
  `${name} is another from now on: ${secret}. The broker is refused until the connections are put with it.`;

/** A provider to connect the newcomer's connection to. */
export interface DemoProvider {
  readonly url: string;
  /** What listens there, as the beginning of a sentence. */
  readonly title: string;
  /** What a GET with its access token shows, where there is an API. */
  readonly apiUrl?: string;
  /** What `PUT /connections/{connection}` says of it, besides the refresh token. */
  readonly connection: {
    readonly provider: string;
    readonly settings: Readonly<Record<string, string | number>>;
    readonly client?: { readonly client_id: string; readonly client_secret?: string };
  };
  /**
   * Makes a grant and its first refresh token, as if a person had just consented. Absent where there are no refresh
   * tokens.
   */
  issueRefreshToken?(): Promise<string>;
  /** Who has granted access, newest first. Absent where there are no grants. */
  grants?(): readonly DemoGrant[];
  /** Ends every grant, or one, as a person or the provider may. Absent where nothing can be ended. */
  revokeGrants?(id?: string): void;
  /** Replaces what the broker authenticates with, and says by what: the old one is refused. */
  rotateSecret?(): string;
  close(): Promise<void>;
}

/** Returns what hears a simulator's calls and tells `onTokenCall` of those to the token endpoint. */
export function tellingOf({ onTokenCall }: DemoOptions, tokenPath: string, grantType: string): (entry: Entry) => void {
  return ({ at, path, status, error }) => {
    if (path === tokenPath)
      onTokenCall?.({ at: new Date(at), grantType, status, ...(error !== undefined && { error }) });
  };
}
