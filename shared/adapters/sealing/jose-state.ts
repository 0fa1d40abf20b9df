/**
 * The `state` of authorization requests: compact JWE (RFC 7516) under a key of its own. A reader of the URL learns
 * nothing from it.
 */
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt } from 'jose';
import * as v from 'valibot';
import { parseConnectionName } from '../../domain/connection-name.ts';
import type { GrantId } from '../../domain/ids.ts';
import { Secret } from '../../domain/secret.ts';
import type { EpochMs } from '../../domain/time.ts';
import type { Clock } from '../../ports/clock.ts';
import { Unavailable } from '../../ports/errors.ts';
import type { StateSealer } from '../../ports/state-sealer.ts';
import { keyRing, kidPattern, type ReadKey } from './key-ring.ts';

const Header = v.object({ kid: v.pipe(v.string(), v.regex(kidPattern)) });
const instant = v.pipe(
  v.number(),
  v.safeInteger(),
  v.transform((ms) => ms as EpochMs),
);
const Payload = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    jti: v.string(),
    connection: v.string(),
    grant: v.string(),
    configured: instant,
    redirect_uri: v.string(),
    verifier: v.string(),
    expires: instant,
  }),
);

export function joseState(readKey: ReadKey, clock: Pick<Clock, 'now'>): StateSealer {
  const keys = keyRing('state', readKey, clock);

  async function keyFor(header: CompactJWEHeaderParameters | undefined): Promise<Uint8Array> {
    const key = await keys.recent(v.parse(Header, header).kid);
    if (key === undefined) throw new Error('there is no such key');
    return key.bytes;
  }

  return {
    async seal({ id, connection, grantId, configuredAt, redirectUri, codeVerifier, expiresAt }) {
      await keys.ready();
      const { kid, bytes } = await keys.current();
      const payload = {
        jti: id,
        connection,
        grant: grantId,
        configured: configuredAt,
        redirect_uri: redirectUri,
        verifier: codeVerifier.reveal(),
        expires: expiresAt,
      };
      return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(payload)))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid })
        .encrypt(bytes);
    },

    async open(text) {
      try {
        const { plaintext } = await compactDecrypt(text, keyFor, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        const payload = v.parse(Payload, new TextDecoder().decode(plaintext));
        const connection = parseConnectionName(payload.connection);
        if (connection === undefined) return undefined;
        return {
          id: payload.jti,
          connection,
          grantId: payload.grant as GrantId,
          configuredAt: payload.configured,
          redirectUri: payload.redirect_uri,
          codeVerifier: new Secret(payload.verifier),
          expiresAt: payload.expires,
        };
      } catch (error) {
        if (error instanceof Unavailable) throw error;
        return undefined;
      }
    },
  };
}
