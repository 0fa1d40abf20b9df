import { describe, expect, test } from 'vitest';
import { joseSealer } from '../../shared/adapters/sealing/jose-sealer.ts';
import type { KeySecret, ReadKey } from '../../shared/adapters/sealing/key-ring.ts';
import { loginSealer } from '../../shared/adapters/sealing/login-sealer.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { VersionId } from '../../shared/domain/ids.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { Unavailable } from '../../shared/ports/errors.ts';

const clock = { now: () => 0 as EpochMs };
const versionId = '11111111-1111-4111-8111-111111111111';
const key: ReadKey = async (asked) =>
  asked === undefined || asked === versionId ? { versionId, secret: new Secret('k'.repeat(32)) } : undefined;
const state = {
  id: '22222222-2222-4222-8222-222222222222',
  connection: 'exact-nl' as ConnectionName,
  browser: '33333333-3333-4333-8333-333333333333',
};
const sealed = async (one = state, readKey = key) => (await loginSealer(readKey, clock).sealState(one)).text;

describe('a state', () => {
  test('comes back as it was, with its verifier, in another environment', async () => {
    const { text, codeVerifier } = await loginSealer(key, clock).sealState(state);
    const opened = await loginSealer(key, clock).openState(text);
    expect(opened).toMatchObject(state);
    expect(opened?.codeVerifier.reveal()).toBe(codeVerifier.reveal());
    expect(codeVerifier.reveal()).toMatch(/^[\w-]{43}$/);
  });

  test('has a verifier of its own each time', async () => {
    const states = loginSealer(key, clock);
    const [one, another] = [await states.sealState(state), await states.sealState(state)];
    expect(one.codeVerifier.reveal()).not.toBe(another.codeVerifier.reveal());
  });

  test.each(['a', 'exact-nl', 'x'.repeat(63)])('is as short for %s as for every other name', async (name) => {
    const text = await sealed({ ...state, connection: name as ConnectionName });
    expect(text).toMatch(/^[\w-]{171}$/);
    expect(await loginSealer(key, clock).openState(text)).toMatchObject({ connection: name });
  });

  test('tells nothing to those who see it in a URL', async () => {
    const bytes = Buffer.from(await sealed(), 'base64url');
    expect(bytes.toString('latin1')).not.toContain('exact-nl');
    for (const uuid of [state.id, state.browser]) expect(bytes.toString('hex')).not.toContain(uuid.slice(0, 8));
  });

  test('altered anywhere does not open', async () => {
    const text = await sealed();
    const altered = Array.from(
      text,
      (character, at) => `${text.slice(0, at)}${character === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`,
    );
    for (const one of [...altered, `${text}A`, `${text}=`, text.slice(0, -1)])
      expect(await loginSealer(key, clock).openState(one)).toBeUndefined();
  });

  test.each(['', 'x', 'a.b.c.d.e', 'x'.repeat(9_000), 'A'.repeat(171)])('is not %.20s', async (text) => {
    expect(await loginSealer(key, clock).openState(text)).toBeUndefined();
  });

  test('is no link, and a link is no state', async () => {
    const logins = loginSealer(key, clock);
    expect(await logins.openLink(await sealed())).toBeUndefined();
    const link = await logins.sealLink(state);
    expect(await logins.openState(link)).toBeUndefined();
    expect(await logins.openLink(link)).toEqual({ id: state.id, connection: state.connection });
  });

  test('of another key, or sealed for another purpose under the same key, does not open', async () => {
    const other: ReadKey = async () => ({ versionId, secret: new Secret('o'.repeat(32)) });
    expect(await loginSealer(key, clock).openState(await sealed(state, other))).toBeUndefined();
    const token = await joseSealer('access', key, clock).seal(new Secret('{}'), {
      connection: state.connection,
      versionId: versionId as VersionId,
    });
    expect(await loginSealer(key, clock).openState(token)).toBeUndefined();
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
      const environment = () => loginSealer(readKey, { now: () => time as EpochMs });
      return { reads, rotate, later, environment };
    }
    /** Of the right length, and named as if sealed with a key that there is not. */
    const forged = (name: string) => Buffer.alloc(128, name).toString('base64url');

    test('costs two reads in ten seconds, however many there are', async () => {
      const { reads, later, environment } = rotating();
      const states = environment();
      for (let i = 0; i < 50; i += 1) expect(await states.openState(forged(`a${i}`))).toBeUndefined();
      expect(reads).toEqual([undefined, 'AWSPREVIOUS']);
      later(10_000);
      expect(await states.openState(forged('b'))).toBeUndefined();
      expect(reads).toHaveLength(4);
    });

    test('costs nothing if it is the key that is in memory', async () => {
      const { reads, environment } = rotating();
      const states = environment();
      const { text } = await states.sealState(state);
      expect(await states.openState(`${text.slice(0, 9)}${'A'.repeat(162)}`)).toBeUndefined();
      expect(reads).toEqual([undefined]);
    });

    test('does not keep out who was here before the key was replaced, or has seen the new one first', async () => {
      const { rotate, later, environment } = rotating();
      const [here, there] = [environment(), environment()];
      const { text: before } = await here.sealState(state);
      rotate();
      expect(await environment().openState(before)).toMatchObject(state);
      const { text: after } = await there.sealState(state);
      await here.openState(forged('b'));
      expect(await here.openState(after)).toMatchObject(state);
      rotate();
      const { text: latest } = await environment().sealState(state);
      later(10_000);
      expect(await here.openState(latest)).toMatchObject(state);
    });
  });

  test('is not judged while its key is out of reach: that is no fact about the link', async () => {
    const text = await sealed();
    const down: ReadKey = async () => {
      throw new Unavailable('keys');
    };
    await expect(loginSealer(down, clock).openState(text)).rejects.toBeInstanceOf(Unavailable);
  });
});
