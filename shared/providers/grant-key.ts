/** Which connections would share one grant, where a provider knows only one for each user and application. */
import { createHash } from 'node:crypto';
import type { ConnectionConfig } from '../domain/connection.ts';
import { type GrantKey, untoldGrant } from '../ports/grant-claims.ts';
import type { Presets } from './by-name.ts';
import { knownPresets } from './presets/index.ts';
import { identityOf, resolvedOrNone } from './resolve.ts';
import { presetNamed } from './values.ts';

/**
 * Returns the same key for connections of the same provider application and account, whatever the letter case of that;
 * undefined where grants are not exclusive, or the connection was put with `allow_grant_conflict`. Who logs in is not
 * known to the broker: an account that is not given counts as one and the same. `untoldGrant` where the settings do not
 * fit their preset any more.
 */
export function grantKeyOf(config: ConnectionConfig, presets: Presets = knownPresets): GrantKey | undefined {
  const exclusive = presetNamed(config.provider, presets)?.facts.exclusivePer !== undefined;
  if (!exclusive || config.allowGrantConflict === true) return undefined;
  if (resolvedOrNone(config, presets) === undefined) return untoldGrant;
  const account = config.account?.normalize('NFC').toLowerCase() ?? null;
  // A client id alone may be longer than a key.
  const hash = createHash('sha256')
    .update(JSON.stringify([identityOf(config, presets), account]))
    .digest('base64url');
  return `#grant#${config.provider}#${hash}`;
}
