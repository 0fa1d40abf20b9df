/** A wrong variant of the product, as the world that runs it sees it: what is put in place of the right thing. */
import type { DeleteWorld } from '../../shared/application/delete-connection.ts';
import type { TokenWorld } from '../../shared/application/get-token.ts';
import type { Protocol } from '../../shared/application/protocol.ts';
import type { ConnectionsWorld } from '../../shared/application/put-connection.ts';
import type { RedeemWorld } from '../../shared/application/redeem.ts';
import type { TendWorld } from '../../shared/application/tend.ts';
import type { replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { Profile } from '../../shared/domain/profile.ts';
import type { Adapters, Stores } from './stores.ts';

export interface Variant {
  readonly protocol?: Partial<Protocol>;
  readonly profile?: Partial<Profile>;
  readonly adapters?: Adapters;
  readonly replaceGrant?: typeof replaceGrant;
  /** What a refresher is given, wrapped. `world` is the simulated world, for what no port tells. */
  readonly tendWorld?: (given: TendWorld, world: Stores) => TendWorld;
  readonly tokenWorld?: (given: TokenWorld, world: Stores) => TokenWorld;
  /** What PUT and DELETE are given. */
  readonly connectionsWorld?: (given: ConnectionsWorld & DeleteWorld, world: Stores) => ConnectionsWorld & DeleteWorld;
  readonly redeemWorld?: (given: RedeemWorld, world: Stores) => RedeemWorld;
}
