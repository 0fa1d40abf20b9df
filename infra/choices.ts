/** What an operator may choose for a deployment, as types. */

/** Where the connections' own secrets are kept. */
export type SecretStore = 'secrets-manager' | 'dynamodb';

/** Whose JWTs open the token routes, where signatures are not to open them. */
export interface JwtAuthorization {
  /** As its tokens have it in `iss`, to the letter. */
  readonly issuer: string;
  /** Whom tokens may be for (`aud`): one of these. */
  readonly audience: readonly string[];
  /**
   * The claim that names what a caller may use.
   * @default both `scope` and `scp`
   */
  readonly claim?: string | undefined;
  /**
   * What stands before the name of a connection, or before `*`, in a scope.
   * @default token:
   */
  readonly scopePrefix?: string | undefined;
}

/** A host name of the operator's own for the API. */
export interface CustomDomain {
  readonly name: string;
  /** Of AWS Certificate Manager, for this name, in the Region of the stack. */
  readonly certificateArn: string;
  /**
   * What stands between the host name and the paths of the API: `broker` for `https://api.example/broker/token`.
   * @default nothing
   */
  readonly path?: string | undefined;
}

/** How much the API lets through, of all clients together. */
export interface Throttle {
  readonly requestsPerSecond: number;
  readonly burst: number;
}
