/** What a client is told to do. */
interface Explained {
  /** Why, in words. */
  readonly reason: string;
  /** Where this was read. */
  readonly source: string;
  /** The provider's error code, if it has one. */
  readonly error?: string;
  /** The provider's own words, with anything secret-looking removed. */
  readonly description?: string;
}

/** What to do now. */
export type Advice = Explained &
  (
    | {
        /**
         * `proceed`: it is no failure. `report_token`: `POST /token/{connection}/rejections`, then repeat with the
         * token that comes back. `reauthorize`: a person has to authorize the connection again, or put its credentials.
         * `correct_request`: the same request would fail again.
         */
        readonly do: 'proceed' | 'report_token' | 'reauthorize' | 'correct_request';
      }
    | {
        /** Repeat the request, not sooner than this: milliseconds since 1970. */
        readonly do: 'retry';
        readonly retryAt: number;
        readonly retryAfterSeconds: number;
        /** It may have taken effect: repeat it only in a way that cannot do it twice. */
        readonly mayHaveActed: boolean;
      }
  );
