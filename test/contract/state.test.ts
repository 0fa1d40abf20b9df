import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { joseSealer } from '../../shared/adapters/sealing/jose-sealer.ts';
import { joseState } from '../../shared/adapters/sealing/jose-state.ts';
import type { KeySecret, ReadKey } from '../../shared/adapters/sealing/key-ring.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { GrantId, VersionId } from '../../shared/domain/ids.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { Unavailable } from '../../shared/ports/errors.ts';
import type { AuthorizationState } from '../../shared/ports/state-sealer.ts';

const clock = { now: () => 0 as EpochMs };
const versionId = '11111111-1111-4111-8111-111111111111';
const key: ReadKey = async (asked) =>
  asked === undefined || asked === versionId ? { versionId, secret: new Secret('k'.repeat(32)) } : undefined;
const state: AuthorizationState = {
  id: 'an-id',
  connection: 'exact-nl' as ConnectionName,
  grantId: '00000000-0000-4000-8000' as GrantId,
  configuredAt: 5 as EpochMs,
  redirectUri: 'https://broker.example/oauth/callback',
  codeVerifier: new Secret('a-verifier-that-nobody-may-see'),
  expiresAt: 600_000 as EpochMs,
};

describe('a state', () => {
  test('comes back as it was, in another environment', async () => {
    const opened = await joseState(key, clock).open(await joseState(key, clock).seal(state));
    expect(opened).toEqual(state);
    expect(opened?.codeVerifier.reveal()).toBe('a-verifier-that-nobody-may-see');
  });

  test('tells nothing but the key’s version to whoever sees it in a URL', async () => {
    const text = await joseState(key, clock).seal(state);
    expect(decodeProtectedHeader(text)).toEqual({ alg: 'dir', enc: 'A256GCM', kid: versionId });
    expect(Buffer.from(text, 'base64url').toString()).not.toContain('exact-nl');
    // It goes into a query, and some providers cut long ones.
    expect(text.length).toBeLessThan(800);
  });

  test('altered anywhere does not open', async () => {
    const text = await joseState(key, clock).seal(state);
    const altered = Array.from(
      text,
      (character, at) => `${text.slice(0, at)}${character === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`,
    );
    // The last character of a part has bits that mean nothing; altering those changes nothing.
    const opened = (await Promise.all(altered.map((one) => joseState(key, clock).open(one)))).filter(
      (one) => one !== undefined,
    );
    expect(altered.length - opened.length).toBeGreaterThanOrEqual(altered.length - 3);
    for (const one of opened) expect(one).toEqual(state);
  });

  test.each(['', 'x', 'a.b.c.d.e', 'x'.repeat(9_000), '....'])('is not %.20s', async (text) => {
    expect(await joseState(key, clock).open(text)).toBeUndefined();
  });

  test('of another key, or sealed for another purpose under the same key, does not open', async () => {
    const other: ReadKey = async () => ({ versionId, secret: new Secret('o'.repeat(32)) });
    expect(await joseState(key, clock).open(await joseState(other, clock).seal(state))).toBeUndefined();
    const token = await joseSealer('access', key, clock).seal(new Secret('{}'), {
      connection: state.connection,
      versionId: versionId as VersionId,
    });
    expect(await joseState(key, clock).open(token)).toBeUndefined();
  });

  describe('that names a key of its own choice', () => {
    const ids = [
      '11111111-1111-4111-8111-111111111111',
      '22222222-2222-4222-8222-222222222222',
      '33333333-3333-4333-8333-333333333333',
    ] as const;
    /** A key that is replaced, what is asked of it, and the states of an environment that knew each of its versions. */
    function rotating() {
      const reads: (string | undefined)[] = [];
      let [time, versions] = [0, 1];
      const secretOf = (at: number): Promise<KeySecret | undefined> => {
        const versionId = ids[at];
        return Promise.resolve(
          versionId === undefined ? undefined : { versionId, secret: new Secret(`${at}`.repeat(32)) },
        );
      };
      const readKey: ReadKey = (asked) => {
        reads.push(asked);
        if (asked === undefined) return secretOf(versions - 1);
        return secretOf(asked === 'AWSPREVIOUS' ? versions - 2 : ids.indexOf(asked as (typeof ids)[number]));
      };
      const rotate = (): void => {
        versions += 1;
      };
      const later = (ms: number): void => {
        time += ms;
      };
      const environment = () => joseState(readKey, { now: () => time as EpochMs });
      return { reads, rotate, later, environment };
    }
    const forged = async (kid: string) => {
      const sealed = new CompactEncrypt(new TextEncoder().encode('{}')).setProtectedHeader({
        alg: 'dir',
        enc: 'A256GCM',
        kid,
      });
      return sealed.encrypt(new Uint8Array(32));
    };

    test('costs two reads in ten seconds, however many there are', async () => {
      const { reads, later, environment } = rotating();
      const states = environment();
      for (let i = 0; i < 50; i += 1) expect(await states.open(await forged(`${i}`.padStart(36, 'a')))).toBeUndefined();
      expect(reads).toEqual([undefined, 'AWSPREVIOUS']);
      later(10_000);
      expect(await states.open(await forged('b'.repeat(36)))).toBeUndefined();
      expect(reads).toHaveLength(4);
    });

    test('costs nothing if it is the key that is in memory', async () => {
      const { reads, environment } = rotating();
      const states = environment();
      await states.seal(state);
      expect(await states.open(await forged(ids[0]))).toBeUndefined();
      expect(reads).toEqual([undefined]);
    });

    test('does not keep out who was here before the key was replaced, or has seen the new one first', async () => {
      const { rotate, later, environment } = rotating();
      const [here, there] = [environment(), environment()];
      const before = await here.seal(state);
      rotate();
      expect(await environment().open(before)).toEqual(state);
      const after = await there.seal(state);
      await here.open(await forged('b'.repeat(36)));
      expect(await here.open(after)).toEqual(state);
      rotate();
      const latest = await environment().seal(state);
      later(10_000);
      expect(await here.open(latest)).toEqual(state);
    });
  });

  test('is not judged while its key is out of reach: that is no fact about the link', async () => {
    const text = await joseState(key, clock).seal(state);
    const down: ReadKey = async () => {
      throw new Unavailable('keys');
    };
    await expect(joseState(down, clock).open(text)).rejects.toBeInstanceOf(Unavailable);
  });
});
