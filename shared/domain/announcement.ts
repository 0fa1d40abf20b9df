/** A change of a connection that subscribers are told of. */

import type { ConnectionName } from './connection-name.ts';
import type { Cause } from './failure.ts';
import type { Sign } from './signs.ts';
import type { EpochMs } from './time.ts';

/** A change of a connection that people or programs may want to know of. It holds no secret. */
export interface Announcement {
  /** The same for a repeated announcement of the same change. */
  readonly id: string;
  readonly change:
    | 'authorized'
    | 'reauthorization_required'
    | 'misconfigured'
    | 'recovered'
    | 'reauthorization_due'
    | 'client_secret_ends_soon'
    | 'refusals_withheld'
    | 'second_refresher_suspected'
    | 'settings_changed'
    | 'deleted';
  readonly connection: ConnectionName;
  readonly provider: string;
  /** Why the connection is not active. */
  readonly cause?: Cause;
  readonly at: EpochMs;
  /** Of `reauthorization_due`: when the provider ends the grant unless a person authorizes again. */
  readonly grantEndsAt?: EpochMs;
  /** Of `client_secret_ends_soon`: when the client's secret ends, as an operator told it. */
  readonly secretEndsAt?: EpochMs;
  /** Of `refusals_withheld`: the connections of the application that its provider refused until then. */
  readonly connections?: readonly ConnectionName[];
  /** Of `second_refresher_suspected`: what points to another party. */
  readonly signs?: readonly Sign[];
  /** Of `settings_changed`: what was put anew, by its place in the body of the PUT. */
  readonly changed?: readonly string[];
  /** Of `deleted`: whether the grant was ended at the provider. */
  readonly revoked?: boolean;
}
