import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { joseSealer } from '../../shared/adapters/sealing/jose-sealer.ts';
import type { KeySecret, ReadKey } from '../../shared/adapters/sealing/key-ring.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { VersionId } from '../../shared/domain/ids.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { SealBroken, Unavailable } from '../../shared/ports/errors.ts';
import type { SealBinding } from '../../shared/ports/sealer.ts';

const versionIds = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'] as const;
const keySecret = (i: 0 | 1): KeySecret => ({ versionId: versionIds[i], secret: new Secret(`${i}`.repeat(32)) });
const plaintext = new Secret('eyJ-an-access-token');
const binding: SealBinding = {
  connection: 'exact-nl' as ConnectionName,
  versionId: '00000000-0000-4000-8000-000000000002' as VersionId,
};

describe('a sealer', () => {
  let time: number;
  /** The secret's versions, the current one last. */
  let keys: KeySecret[];
  let reads: (string | undefined)[];
  let down: boolean;
  const clock = { now: () => time as EpochMs };
  const readKey: ReadKey = async (versionId) => {
    reads.push(versionId);
    if (down) throw new Unavailable('keys');
    return versionId === undefined ? keys.at(-1) : keys.find((key) => key.versionId === versionId);
  };
  const newSealer = () => joseSealer('access', readKey, clock);

  beforeEach(() => {
    time = 0;
    keys = [keySecret(0)];
    reads = [];
    down = false;
  });

  test.each(['eyJ-an-access-token', '', 'ünï → code', 'x'.repeat(8_000)])(
    'opens what it sealed: %.30s',
    async (text) => {
      const sealed = await newSealer().seal(new Secret(text), binding);
      expect((await newSealer().open(sealed, binding)).reveal()).toBe(text);
      if (text !== '') expect(sealed).not.toContain(text);
    },
  );

  test('never seals the same text alike', async () => {
    const sealer = newSealer();
    expect(await sealer.seal(plaintext, binding)).not.toBe(await sealer.seal(plaintext, binding));
  });

  test('writes key version, connection and token set into the protected header', async () => {
    const sealed = await newSealer().seal(plaintext, binding);
    expect(decodeProtectedHeader(sealed)).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: versionIds[0],
      conn: 'exact-nl',
      ver: '00000000-0000-4000-8000-000000000002',
    });
  });

  test.each([
    ['connection', { ...binding, connection: 'exact-be' as ConnectionName }],
    ['token set', { ...binding, versionId: '00000000-0000-4000-8000-000000000003' as VersionId }],
  ])('does not open for another %s', async (_what, other) => {
    const sealed = await newSealer().seal(plaintext, binding);
    await expect(newSealer().open(sealed, other)).rejects.toBeInstanceOf(SealBroken);
  });

  test('does not open when the header claims another binding', async () => {
    const [, ...rest] = (await newSealer().seal(plaintext, binding)).split('.');
    const other = { ...binding, connection: 'exact-be' as ConnectionName };
    const [header] = (await newSealer().seal(plaintext, other)).split('.');
    await expect(newSealer().open([header, ...rest].join('.'), other)).rejects.toBeInstanceOf(SealBroken);
  });

  test.each([0, 2, 3, 4])('does not open when part %i is changed', async (changed) => {
    const parts = (await newSealer().seal(plaintext, binding)).split('.');
    const tampered = parts.map((part, i) =>
      i === changed ? (part.startsWith('A') ? 'B' : 'A') + part.slice(1) : part,
    );
    await expect(newSealer().open(tampered.join('.'), binding)).rejects.toBeInstanceOf(SealBroken);
  });

  test.each(['', 'nonsense', 'a.b.c.d.e', '....'])('calls %j broken', async (text) => {
    await expect(newSealer().open(text, binding)).rejects.toBeInstanceOf(SealBroken);
  });

  test.each([
    ['nothing of ours', {}],
    ['no binding', { kid: versionIds[0] }],
    ['a key version that cannot be one', { kid: '../x', conn: binding.connection, ver: binding.versionId }],
  ])('asks for no key where the header has %s', async (_what, header) => {
    const foreign = await new CompactEncrypt(new Uint8Array(1))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', ...header })
      .encrypt(new Uint8Array(32));
    await expect(newSealer().open(foreign, binding)).rejects.toBeInstanceOf(SealBroken);
    expect(reads).toEqual([]);
  });

  test('says nothing of what it could not open', async () => {
    const sealed = await newSealer().seal(plaintext, binding);
    const error = await newSealer()
      .open(`${sealed}x`, binding)
      .catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ name: 'SealBroken', message: 'sealed text cannot be decrypted' });
    expect(error).not.toHaveProperty('cause');
  });

  test('the two purposes have different keys, even from the same secret', async () => {
    const sealed = await joseSealer('refresh', readKey, clock).seal(plaintext, binding);
    await expect(newSealer().open(sealed, binding)).rejects.toBeInstanceOf(SealBroken);
    expect((await joseSealer('refresh', readKey, clock).open(sealed, binding)).reveal()).toBe(plaintext.reveal());
  });

  test('after a rotation old texts still open, by the version of their key', async () => {
    const sealed = await newSealer().seal(plaintext, binding);
    keys.push(keySecret(1));
    const sealer = newSealer();
    await sealer.ready();
    expect((await sealer.open(sealed, binding)).reveal()).toBe(plaintext.reveal());
    await sealer.open(sealed, binding);
    expect(reads.slice(1)).toEqual([undefined, versionIds[0]]);
  });

  test('a text whose key is no more is broken; one whose key cannot be read is not', async () => {
    const sealed = await newSealer().seal(plaintext, binding);
    down = true;
    await expect(newSealer().open(sealed, binding)).rejects.toBeInstanceOf(Unavailable);
    down = false;
    keys = [keySecret(1)];
    await expect(newSealer().open(sealed, binding)).rejects.toBeInstanceOf(SealBroken);
  });

  test('reads once what is asked for side by side', async () => {
    const sealed = await newSealer().seal(plaintext, binding);
    reads = [];
    const sealer = newSealer();
    await Promise.all([sealer.warm(), sealer.ready(), sealer.ready()]);
    expect((await sealer.open(sealed, binding)).reveal()).toBe(plaintext.reveal());
    await sealer.warm();
    expect(reads).toEqual([undefined]);
  });

  test('is warmed without a fault where the key cannot be read, and reads it when it opens', async () => {
    const sealed = await newSealer().seal(plaintext, binding);
    const sealer = newSealer();
    down = true;
    await sealer.warm();
    down = false;
    expect((await sealer.open(sealed, binding)).reveal()).toBe(plaintext.reveal());
  });

  test('a text of a key that it does not know tells it of a rotation', async () => {
    const sealer = newSealer();
    await sealer.ready();
    keys.push(keySecret(1));
    await sealer.ready();
    expect(decodeProtectedHeader(await sealer.seal(plaintext, binding)).kid).toBe(versionIds[0]);
    await sealer.open(await newSealer().seal(plaintext, binding), binding);
    await sealer.ready();
    expect(decodeProtectedHeader(await sealer.seal(plaintext, binding)).kid).toBe(versionIds[1]);
  });

  test('once ready it seals whatever happens to the key store, and picks up a rotation after an hour', async () => {
    const sealer = newSealer();
    const kidNow = async () => decodeProtectedHeader(await sealer.seal(plaintext, binding)).kid;
    await sealer.ready();
    keys.push(keySecret(1));
    time = 3_599_999;
    await sealer.ready();
    expect(await kidNow()).toBe(versionIds[0]);
    time = 3_600_000;
    down = true;
    await sealer.ready();
    expect(await kidNow()).toBe(versionIds[0]);
    down = false;
    await sealer.ready();
    expect(await kidNow()).toBe(versionIds[1]);
    expect(reads).toHaveLength(3);
  });

  test.each([
    ['cannot be read', () => (down = true)],
    ['has no version', () => (keys = [])],
    ['is too short to be a key', () => (keys = [{ versionId: versionIds[0], secret: new Secret('x'.repeat(31)) }])],
  ])('is not ready when the key %s', async (_what, arrange) => {
    arrange();
    await expect(newSealer().ready()).rejects.toBeInstanceOf(Unavailable);
    await expect(newSealer().seal(plaintext, binding)).rejects.toBeInstanceOf(Unavailable);
  });
});
