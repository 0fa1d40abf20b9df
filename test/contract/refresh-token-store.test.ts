import {
  DeleteSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { credentials, refreshTokens, secretRemoval } from '../../shared/adapters/secrets/connection-secrets.ts';
import { secretsManagerVersions } from '../../shared/adapters/secrets/secrets-manager-versions.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Destinations } from '../../shared/domain/destinations.ts';
import type { Slot, VersionId } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import type { BareRefreshToken, Received, TokenSet } from '../../shared/domain/token-set.ts';
import type { Credentials } from '../../shared/ports/credentials.ts';
import { Misdirected, Unavailable } from '../../shared/ports/errors.ts';
import type { SecretVersions } from '../../shared/ports/secret-versions.ts';
import { memoryVersions } from '../memory/memory-secrets.ts';
import { slotOf, versionIdOf } from '../plain.ts';
import { prefix, type SecretWorld, secretsManagerWorld, secretWorlds } from './secret-worlds.ts';
import { localClient } from './worlds.ts';

const grantId = '00000000-0000-4000-8000';
const version = (fence: number): string => versionIdOf(grantId, fence);

const tokenSet = (refreshToken: string | undefined, more: Partial<TokenSet> = {}): TokenSet => ({
  accessToken: new Secret('access'),
  ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
  tokenType: 'Bearer',
  requestedAt: 1 as EpochMs,
  receivedAt: 2 as EpochMs,
  expiresAt: 3 as EpochMs,
  ...more,
});

const bare = (refreshToken: string): BareRefreshToken => ({
  refreshToken: new Secret(refreshToken),
  requestedAt: 1 as EpochMs,
  receivedAt: 1 as EpochMs,
  expiresAt: 1 as EpochMs,
});

const here: Destinations = {
  token_endpoint: 'https://id.example/token',
  revocation_endpoint: 'https://id.example/revoke',
};

/** The store, with every secret for these destinations. */
function aimed(versions: SecretVersions, destinations = here) {
  const store = refreshTokens(versions);
  type Place = Parameters<typeof store.lookUp>;
  return {
    lookUp: store.lookUp,
    read: (...place: Place) => store.read(...place, destinations),
    persist: (...[name, slot, id, tokens]: [...Place, Received]) => store.persist(name, slot, id, tokens, destinations),
    storeRefreshToken: (...[name, slot, id, token, isFirst]: [...Place, Secret, boolean?]) =>
      store.storeRefreshToken(name, slot, id, token, destinations, isFirst),
  };
}

let made = 0;
const newName = (): ConnectionName => {
  made += 1;
  return `connection-${made}` as ConnectionName;
};

describe.each(secretWorlds)('refresh tokens in $title', ({ open, missing }) => {
  if (missing) return test.skip('moto is not installed (pip install "moto[server]")', () => {});
  let world: SecretWorld;
  beforeAll(async () => {
    world = await open();
  });
  afterAll(() => world.close());
  const store = () => aimed(world.versions);

  test.each<[string, Received]>([
    ['with scope and refresh token', tokenSet('refresh', { scope: 'read write' })],
    ['without either', tokenSet(undefined)],
    [
      'with what goes with its access token',
      tokenSet('refresh', { companions: { secrets: { key: new Secret('k') }, endpoint: 'https://a.example/' } }),
    ],
    ['of a refresh token that came with an error', bare('refresh')],
  ])('a token set %s is found as it was persisted', async (_which, tokens) => {
    const name = newName();
    expect(await store().persist(name, slotOf(0), version(2) as VersionId, tokens)).toBe(true);
    const found = await store().lookUp(name, slotOf(0), version(2) as VersionId);
    if (found.kind !== 'found') throw new Error(found.kind);
    const plain = ({ accessToken, refreshToken, companions, ...rest }: Received) => ({
      ...rest,
      access: accessToken?.reveal(),
      refresh: refreshToken?.reveal(),
      endpoint: companions?.endpoint,
      key: companions?.secrets?.key?.reveal(),
    });
    expect(plain(found.tokens)).toEqual(plain(tokens));
  });

  test('a refresh token is read by its version, also when newer ones follow', async () => {
    const name = newName();
    await store().persist(name, slotOf(1), version(2) as VersionId, tokenSet('old'));
    await store().persist(name, slotOf(1), version(3) as VersionId, tokenSet('middle'));
    await store().persist(name, slotOf(1), version(4) as VersionId, tokenSet('new'));
    expect((await store().read(name, slotOf(1), version(2) as VersionId))?.reveal()).toBe('old');
    expect((await store().read(name, slotOf(1), version(3) as VersionId))?.reveal()).toBe('middle');
  });

  test('slots and connections do not share versions', async () => {
    const name = newName();
    await store().persist(name, slotOf(0), version(2) as VersionId, tokenSet('refresh'));
    await store().persist(name, slotOf(1), version(3) as VersionId, tokenSet('other'));
    expect(await store().read(name, slotOf(1), version(2) as VersionId)).toBeUndefined();
    expect(await store().read(newName(), 0 as Slot, version(2) as VersionId)).toBeUndefined();
  });

  test('what was never stored is absent, whether or not the slot has a secret', async () => {
    const name = newName();
    expect(await store().lookUp(name, slotOf(0), version(2) as VersionId)).toEqual({ kind: 'absent' });
    await store().persist(name, slotOf(0), version(2) as VersionId, tokenSet('refresh'));
    expect(await store().lookUp(name, slotOf(0), version(3) as VersionId)).toEqual({ kind: 'absent' });
  });

  test('persisting the same again succeeds, something else under the same version does not and changes nothing', async () => {
    const name = newName();
    expect(await store().persist(name, slotOf(0), version(2) as VersionId, tokenSet('refresh'))).toBe(true);
    expect(await store().persist(name, slotOf(0), version(2) as VersionId, tokenSet('refresh'))).toBe(true);
    expect(await store().persist(name, slotOf(0), version(2) as VersionId, tokenSet('other'))).toBe(false);
    expect((await store().read(name, slotOf(0), version(2) as VersionId))?.reveal()).toBe('refresh');
  });

  test('of many first writers of a slot all succeed with the same, one with something of its own', async () => {
    const [same, own] = [newName(), newName()];
    const writers = Array.from({ length: 10 }, (_, i) => i);
    expect(
      await Promise.all(
        writers.map(() => store().persist(same, slotOf(0), version(2) as VersionId, tokenSet('refresh'))),
      ),
    ).toEqual(writers.map(() => true));
    const done = await Promise.all(
      writers.map((i) => store().persist(own, slotOf(0), version(2) as VersionId, tokenSet(`refresh-${i}`))),
    );
    expect(done.filter(Boolean)).toHaveLength(1);
    expect((await store().read(own, slotOf(0), version(2) as VersionId))?.reveal()).toBe(
      `refresh-${done.indexOf(true)}`,
    );
  });

  test('an imported refresh token is read, but is no token set to adopt', async () => {
    const name = newName();
    expect(await store().storeRefreshToken(name, slotOf(0), version(1) as VersionId, new Secret('imported'))).toBe(
      true,
    );
    expect((await store().read(name, slotOf(0), version(1) as VersionId))?.reveal()).toBe('imported');
    expect(await store().lookUp(name, slotOf(0), version(1) as VersionId)).toEqual({ kind: 'absent' });
  });

  test.each([
    '',
    'refresh-token-as-plain-text',
    '{"refresh_token":1}',
    '{"access_token":"a"}',
    '{"access_token":"a","refresh_token":"r","expires_at":"1"}',
  ])('content that the broker does not write is unreadable, not absent: %s', async (text) => {
    const name = newName();
    // Secrets Manager takes no empty text.
    await world.versions.write(`${name}/refresh-0`, version(2), text === '' ? ' ' : text);
    expect(await store().lookUp(name, slotOf(0), version(2) as VersionId)).toEqual({ kind: 'unreadable' });
  });

  test.each([
    ['token set', { access_token: 'a', token_type: 'Bearer', requested_at: 1, received_at: 2, expires_at: 3 }, 'found'],
    ['refresh token that came with an error', { requested_at: 1, received_at: 1, expires_at: 1 }, 'found'],
    ['import', {}, 'absent'],
  ])('a member that a newer release adds to a %s is ignored', async (_, members, kind) => {
    const name = newName();
    const text = JSON.stringify({ for: here, refresh_token: 'r', ...members, added: 1 });
    await world.versions.write(`${name}/refresh-0`, version(2), text);
    expect(await store().lookUp(name, slotOf(0), version(2) as VersionId)).toMatchObject({ kind });
    expect((await store().read(name, slotOf(0), version(2) as VersionId))?.reveal()).toBe('r');
  });

  test('a member that a newer release adds to credentials is ignored', async () => {
    const name = newName();
    const text = JSON.stringify({ for: here, secrets: { client_secret: 'client' }, added: 1 });
    await world.versions.write(`${name}/client`, version(9), text);
    const read = await credentials(world.versions).read(name, version(9), here);
    expect(read?.client_secret?.reveal()).toBe('client');
  });

  test.each([
    ['token set', { access_token: 'a' }],
    ['refresh token that came with an error', { requested_at: 1 }],
  ])('what is left of a %s is neither the other one nor an import', async (_, members) => {
    const name = newName();
    const text = JSON.stringify({ for: here, refresh_token: 'r', ...members });
    await world.versions.write(`${name}/refresh-0`, version(2), text);
    expect(await store().lookUp(name, slotOf(0), version(2) as VersionId)).toEqual({ kind: 'unreadable' });
  });

  test('reading content without a refresh token is an outage of ours, not a missing version', async () => {
    const name = newName();
    await store().persist(name, slotOf(0), version(2) as VersionId, tokenSet(undefined));
    await expect(store().read(name, slotOf(0), version(2) as VersionId)).rejects.toBeInstanceOf(Unavailable);
  });

  test('a slot that was deleted with its connection can be used by the next one of that name', async () => {
    const name = newName();
    const slots = 2;
    await store().persist(name, slotOf(0), version(2) as VersionId, tokenSet('refresh'));
    await credentials(world.versions).store(name, version(9), { client_secret: new Secret('client') }, here);
    await secretRemoval(world.versions).remove(name, slots, () => true);
    await secretRemoval(world.versions).remove(name, slots, () => true);
    expect(await store().lookUp(name, slotOf(0), version(3) as VersionId)).toEqual({ kind: 'absent' });
    await secretRemoval(world.versions).remove(name, slots, () => true);
    expect(await store().persist(name, slotOf(0), version(4) as VersionId, tokenSet('next'))).toBe(true);
    expect((await store().read(name, slotOf(0), version(4) as VersionId))?.reveal()).toBe('next');
  });

  test('a secret that is expected not to be there is created, written where it is, and restored where it was deleted', async () => {
    const name = newName();
    const write = (fence: number, text = `refresh ${fence}`) =>
      store().storeRefreshToken(name, slotOf(0), version(fence) as VersionId, new Secret(text), true);
    expect(await write(2)).toBe(true);
    expect(await write(2)).toBe(true);
    expect(await write(3)).toBe(true);
    await secretRemoval(world.versions).remove(name, 1, () => true);
    expect(await write(4)).toBe(true);
    expect((await store().read(name, slotOf(0), version(4) as VersionId))?.reveal()).toBe('refresh 4');
    expect(await write(4, 'another')).toBe(false);
  });

  describe('the secrets of a connection that is deleted', () => {
    const counting = (each: (name: string) => Promise<void>): SecretVersions => ({ ...memoryVersions(), remove: each });

    test('are its credentials and its slots, a few at a time', async () => {
      const [names, running]: [string[], { now: number; most: number }] = [[], { now: 0, most: 0 }];
      const versions = counting(async (name) => {
        names.push(name);
        running.now += 1;
        running.most = Math.max(running.most, running.now);
        await new Promise(setImmediate);
        running.now -= 1;
      });
      expect(await secretRemoval(versions).remove('a' as ConnectionName, 9, () => true)).toBe(true);
      expect(names.sort()).toEqual(['a/client', ...Array.from({ length: 9 }, (_, slot) => `a/refresh-${slot}`)]);
      expect(running.most).toBe(limits.secretsAtOnce);
    });

    test('are left alone from when they may no longer be deleted', async () => {
      let asked = 0;
      const names: string[] = [];
      const removal = secretRemoval(counting(async (name) => void names.push(name)));
      expect(await removal.remove('a' as ConnectionName, 9, () => ++asked <= 6)).toBe(false);
      expect(names).toHaveLength(6);
      expect(await removal.remove('a' as ConnectionName, 9, () => false)).toBe(false);
      expect(names).toHaveLength(6);
    });

    test('are left alone once one could not be deleted, and none is under way when that is told', async () => {
      let running = 0;
      const names: string[] = [];
      const versions = counting(async (name) => {
        names.push(name);
        if (name.endsWith('refresh-1')) throw new Unavailable('secrets');
        running += 1;
        for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
        running -= 1;
      });
      await expect(secretRemoval(versions).remove('a' as ConnectionName, 40, () => true)).rejects.toBeInstanceOf(
        Unavailable,
      );
      expect(running).toBe(0);
      expect(names).toHaveLength(limits.secretsAtOnce);
    });
  });

  describe('a secret is handed out for its own destinations only', () => {
    const elsewhere = { ...here, token_endpoint: 'https://evil.example/token?key=hunter2' };
    const { revocation_endpoint: _, ...fewer } = here;
    const stored = async (by = here) => {
      const name = newName();
      const token = new Secret('refresh');
      await aimed(world.versions, by).storeRefreshToken(name, slotOf(0), version(1) as VersionId, token);
      await aimed(world.versions, by).persist(name, slotOf(0), version(2) as VersionId, tokenSet('refresh'));
      await credentials(world.versions).store(name, version(1), { client_secret: token }, by);
      return (destinations: Destinations) =>
        Promise.allSettled([
          aimed(world.versions, destinations).read(name, slotOf(0), version(1) as VersionId),
          aimed(world.versions, destinations).read(name, slotOf(0), version(2) as VersionId),
          credentials(world.versions).read(name, version(1), destinations),
        ]);
    };

    test.each<[string, Destinations, Destinations]>([
      ['another token endpoint', here, elsewhere],
      ['another revocation endpoint', here, { ...here, revocation_endpoint: 'https://evil.example/revoke' }],
      ['a revocation endpoint where there was none', fewer, here],
    ])('not for %s', async (_what, by, asked) => {
      for (const result of await (await stored(by))(asked)) {
        if (result.status === 'fulfilled') throw new Error('it was handed out');
        expect(result.reason).toBeInstanceOf(Misdirected);
        expect(result.reason.message).toMatch(
          /the settings name https:\S+ as \w+_endpoint, and the secrets are stored /,
        );
        expect(result.reason.message).not.toContain('hunter2');
      }
    });

    test('also for fewer', async () => {
      for (const result of await (await stored())(fewer)) expect(result).toMatchObject({ status: 'fulfilled' });
    });
  });

  test('credentials are read by their version, all of them', async () => {
    const name = newName();
    const store = credentials(world.versions);
    const keep = (fence: number, secrets: Credentials) => store.store(name, version(fence), secrets, here);
    const given = (client_secret: string, password: string) => ({
      client_secret: new Secret(client_secret),
      password: new Secret(password),
    });
    await keep(1, given('first', 'a'));
    await keep(2, given('second', 'b'));
    await keep(2, given('second', 'b'));
    const read = async (fence: number) => {
      const found = await store.read(name, version(fence), here);
      return found && Object.fromEntries(Object.entries(found).map(([key, secret]) => [key, secret.reveal()]));
    };
    expect(await read(1)).toEqual({ client_secret: 'first', password: 'a' });
    expect(await read(2)).toEqual({ client_secret: 'second', password: 'b' });
    expect(await read(3)).toBeUndefined();
    await expect(keep(2, given('third', 'b'))).rejects.toBeInstanceOf(Unavailable);
  });
});

describe('Secrets Manager alone', () => {
  let world: Awaited<ReturnType<typeof secretsManagerWorld>>;
  beforeAll(async () => {
    world = await secretsManagerWorld();
  });
  afterEach(() => {
    world.faults.down = false;
  });
  afterAll(() => world.close());
  const store = () => aimed(world.versions);

  test('out of reach, nothing is absent: a look-up is unreadable, the rest unavailable', async () => {
    world.faults.down = true;
    const name = newName();
    expect(await store().lookUp(name, slotOf(0), version(2) as VersionId)).toEqual({ kind: 'unreadable' });
    await expect(store().read(name, slotOf(0), version(2) as VersionId)).rejects.toBeInstanceOf(Unavailable);
    await expect(store().persist(name, slotOf(0), version(2) as VersionId, tokenSet('refresh'))).rejects.toBeInstanceOf(
      Unavailable,
    );
  });

  test('a slot that is full for the day is unavailable, so that the token is kept elsewhere', async () => {
    const name = newName();
    for (let fence = 1; fence <= 100; fence += 1)
      await store().persist(name, slotOf(0), version(fence) as VersionId, tokenSet('refresh'));
    await expect(
      store().persist(name, slotOf(0), version(101) as VersionId, tokenSet('refresh')),
    ).rejects.toBeInstanceOf(Unavailable);
    expect(await store().persist(name, slotOf(0), version(100) as VersionId, tokenSet('refresh'))).toBe(true);
  });

  test('the names and texts are those of docs/storage.md', async () => {
    const name = newName();
    await store().persist(name, slotOf(3), version(2) as VersionId, tokenSet('refresh', { scope: 'read' }));
    const { SecretString } = await world.client.send(
      new GetSecretValueCommand({ SecretId: `broker/${name}/refresh-3`, VersionId: version(2) }),
    );
    expect(SecretString).toBe(
      `{"for":${JSON.stringify(here)},"access_token":"access","refresh_token":"refresh","token_type":"Bearer","scope":"read","requested_at":1,"received_at":2,"expires_at":3}`,
    );
  });

  test('a slot that others create and delete meanwhile is stored into all the same', async () => {
    const details = { message: 'injected', $metadata: {} };
    const faults = [
      new ResourceNotFoundException(details),
      new ResourceExistsException(details),
      new InvalidRequestException(details),
    ];
    const commands: string[] = [];
    const client = new SecretsManagerClient(localClient(world.url));
    client.middlewareStack.add(
      (next, context) => async (args) => {
        commands.push(String(context.commandName));
        const fault = faults.shift();
        if (fault !== undefined) throw fault;
        return next(args);
      },
      { step: 'initialize' },
    );
    const name = newName();
    await store().persist(name, slotOf(0), version(2) as VersionId, tokenSet('before'));
    expect(
      await aimed(secretsManagerVersions(client, prefix)).persist(
        name,
        slotOf(0),
        version(3) as VersionId,
        tokenSet('refresh'),
      ),
    ).toBe(true);
    expect(commands).toEqual([
      'PutSecretValueCommand',
      'CreateSecretCommand',
      'PutSecretValueCommand',
      'RestoreSecretCommand',
      'PutSecretValueCommand',
    ]);
    expect((await store().read(name, slotOf(0), version(3) as VersionId))?.reveal()).toBe('refresh');
    client.destroy();
  });

  test('a secret deleted between two puts is restored', async () => {
    const name = newName();
    const SecretId = `broker/${name}/refresh-0`;
    await store().persist(name, slotOf(0), version(2) as VersionId, tokenSet('refresh'));
    await world.client.send(new DeleteSecretCommand({ SecretId }));
    await expect(
      world.client.send(new PutSecretValueCommand({ SecretId, SecretString: 'x', ClientRequestToken: version(3) })),
    ).rejects.toThrow('deletion');
    expect(await store().persist(name, slotOf(0), version(3) as VersionId, tokenSet('next'))).toBe(true);
    expect((await store().lookUp(name, slotOf(0), version(2) as VersionId)).kind).toBe('found');
  });
});
