/** The writes of deleting a connection, on every store. */

import { describe, expect, test } from 'vitest';
import type { Connection } from '../../shared/domain/connection.ts';
import {
  asTaken,
  markDeleted,
  noteGrantEnded,
  postponeDeletion,
  takeDeletion,
} from '../../shared/domain/deletion-writes.ts';
import { replaceConfig, replaceGrant } from '../../shared/domain/grant-writes.ts';
import { limits } from '../../shared/domain/limits.ts';
import { inSecret } from '../plain.ts';
import { at, now, otherGrantId, storeUnder, storeWorlds } from './worlds.ts';

const over = limits.deletionLeaseMs;

describe.each(storeWorlds)('deletions in %s', (_world, open) => {
  const { store, created, applies, refuses } = storeUnder(open);

  const deleted = async (more: Partial<Connection> = {}) => {
    const { connection } = await created(more);
    return applies(connection, markDeleted(now));
  };
  const taken = async (owner: string, more: Partial<Connection> = {}) => {
    const { connection } = await deleted(more);
    return applies(connection, takeDeletion(owner, now));
  };
  const isThere = async (item: Connection) => (await store().read(item.connection)) !== undefined;

  test('a connection is deleted once', async () => {
    const item = await deleted({
      authorization: { id: 'link', grantId: otherGrantId, configuredAt: now, expiresAt: at(60_000) },
    });
    expect(item).toMatchObject({ deletion: { since: now, notBefore: now }, dueAt: now });
    expect(item).not.toHaveProperty('authorization');
    await refuses(item.connection, markDeleted(at(1)));
  });

  test('a deletion is taken by one at a time, and by another when the time of the first is over', async () => {
    const item = await taken('first');
    expect(item).toMatchObject({ deletion: { since: now, notBefore: at(over), owner: 'first' }, dueAt: at(over) });
    await refuses(item.connection, takeDeletion('second', at(over - 1)));
    expect((await applies(item.connection, takeDeletion('second', at(over)))).deletion).toMatchObject({
      owner: 'second',
      notBefore: at(2 * over),
    });
  });

  test('what was taken by a try whose reply was lost is one’s own', async () => {
    const item = await taken('first');
    expect(await store().apply(item.connection, takeDeletion('first', now))).toEqual({ applied: true, item });
  });

  test('what is not being deleted is not taken', async () => {
    const { connection } = await created();
    await refuses(connection, takeDeletion('first', now));
  });

  test('its owner alone gives it back', async () => {
    const item = await taken('first');
    await refuses(item.connection, postponeDeletion('second', at(5)));
    const back = await applies(item.connection, postponeDeletion('first', at(5)));
    expect(back).toMatchObject({ deletion: { since: now, notBefore: at(5) }, dueAt: at(5) });
    expect(back.deletion).not.toHaveProperty('owner');
    await refuses(item.connection, postponeDeletion('first', at(6)));
    await applies(item.connection, takeDeletion('second', at(5)));
  });

  test('its owner alone notes that the grant was ended, and of this refresh token', async () => {
    const item = await taken('first');
    const ended = { kind: 'refused', code: 'http_400' } as const;
    await refuses(item.connection, noteGrantEnded(item, 'second', ended));
    await refuses(
      item.connection,
      noteGrantEnded({ ...item, grant: { ...item.grant, id: otherGrantId } }, 'first', ended),
    );
    await refuses(item.connection, noteGrantEnded({ ...item, refreshToken: inSecret(0, 'another') }, 'first', ended));
    const { refreshToken, ...without } = item;
    await refuses(item.connection, noteGrantEnded(without, 'first', ended));
    const noted = await applies(item.connection, noteGrantEnded(item, 'first', ended));
    expect(noted.deletion).toEqual({ ...item.deletion, ended: { ...ended, versionId: refreshToken?.versionId } });
    // It outlives its owner.
    const back = await applies(item.connection, postponeDeletion('first', now));
    expect((await applies(back.connection, takeDeletion('second', now))).deletion?.ended).toEqual(
      noted.deletion?.ended,
    );
  });

  test('that there was no refresh token is noted as well', async () => {
    const { refreshToken: _, ...without } = await deleted();
    const { connection } = await created();
    const item = { ...without, connection: `${connection}-without` as typeof connection };
    await store().create(item);
    const mine = await applies(item.connection, takeDeletion('first', now));
    expect(
      (await applies(item.connection, noteGrantEnded(mine, 'first', { kind: 'revoked' }))).deletion?.ended,
    ).toEqual({ kind: 'revoked' });
  });

  describe('the item is removed', () => {
    test('if it is the deletion that was taken', async () => {
      const item = await taken('first');
      expect(await store().remove(item.connection, asTaken(item, 'first'))).toBe(true);
      expect(await isThere(item)).toBe(false);
    });

    test('not by one whose time was over, when another has taken it', async () => {
      const item = await taken('first');
      await applies(item.connection, takeDeletion('second', at(over)));
      expect(await store().remove(item.connection, asTaken(item, 'first'))).toBe(false);
      expect(await isThere(item)).toBe(true);
    });

    test('not if it was put again', async () => {
      const item = await taken('first');
      await store().remove(item.connection, asTaken(item, 'first'));
      const { deletion: _, ...again } = item;
      await store().create({ ...again, grant: { ...again.grant, id: otherGrantId } });
      expect(await store().remove(item.connection, asTaken(item, 'first'))).toBe(false);
      expect(await isThere(item)).toBe(true);
    });

    test('not if it was put again and is being deleted again', async () => {
      const item = await taken('first');
      await store().remove(item.connection, asTaken(item, 'first'));
      await store().create({ ...item, deletion: { since: at(1), notBefore: at(1), owner: 'second' } });
      expect(await store().remove(item.connection, asTaken(item, 'first'))).toBe(false);
    });

    test.each([
      [
        'another grant',
        (item: Connection) =>
          replaceGrant(item, item.config, at(1), {
            id: otherGrantId,
            place: inSecret(0, item.refreshToken?.versionId ?? ''),
          }),
      ],
      ['other settings', (item: Connection) => replaceConfig(item, item.config, at(1))],
    ])('not if a PUT that was under way has brought %s', async (_what, put) => {
      const item = await taken('first');
      await applies(item.connection, put(item));
      expect(await store().remove(item.connection, asTaken(item, 'first'))).toBe(false);
      expect(await isThere(item)).toBe(true);
    });

    test('not if a renewal that was under way has brought another refresh token', async () => {
      const item = await taken('first');
      const older = { ...item, refreshToken: inSecret(0, 'older') };
      expect(await store().remove(item.connection, asTaken(older, 'first'))).toBe(false);
      expect(await isThere(item)).toBe(true);
    });
  });
});
