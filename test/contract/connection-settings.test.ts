import { describe, expect, test } from 'vitest';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { abandonGrant, create, replaceConfig, replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { Fence, GrantId } from '../../shared/domain/ids.ts';
import { tokenSetOf } from '../domain/fixtures.ts';
import { inSecret } from '../plain.ts';
import { at, failureOf, now, otherGrantId, storeUnder, storeWorlds } from './worlds.ts';

describe('a new connection', () => {
  const place = inSecret(0, 'imported');
  const config = { provider: 'exact-online', settings: {} };
  const name = 'new' as ConnectionName;

  test.each(['always', 'while_used'] as const)('is due at once if it has a grant, renewed %s', (renewal) => {
    const item = create(name, { ...config, renewal }, '0', now, 'active', { id: otherGrantId, place });
    expect(item).toMatchObject({ dueAt: now, configuredAt: now, createdAt: now, state: 'active', refreshToken: place });
    expect(item).not.toHaveProperty('cause');
  });

  test('is not due before it is authorized', () => {
    const item = create(name, { ...config, renewal: 'always' }, '0', now, 'reauthorization_required', {
      id: otherGrantId,
      place: undefined,
    });
    expect(item).toMatchObject({ state: 'reauthorization_required', cause: 'not_authorized_yet' });
    expect(item).not.toHaveProperty('dueAt');
    expect(item).not.toHaveProperty('refreshToken');
  });
});

describe.each(storeWorlds)('settings and grants in %s', (_world, open) => {
  const { store, created, applies, refuses, held } = storeUnder(open);
  const place = inSecret(0, 'v');
  const imported = { id: '00000000-0000-4000-8000', at: now, importDigest: 'old' };

  test('new settings keep the grant and try a misconfigured connection again', async () => {
    const item = await created({
      state: 'misconfigured',
      cause: 'invalid_client',
      notBefore: at(1),
      refreshAt: at(50),
    });
    const config = { ...item.config, settings: { nested: { list: ['a', 1, true, null] } }, marginSeconds: 60 };
    await refuses(item.connection, replaceConfig({ ...item, fence: 2 as Fence }, config, at(2)));
    await refuses(item.connection, replaceConfig({ ...item, configuredAt: at(-1) }, config, at(2)));
    const after = await applies(item.connection, replaceConfig(item, config, at(2)));
    const { cause, notBefore, ...kept } = item;
    expect(after).toEqual({
      ...kept,
      config,
      configuredAt: at(2),
      state: 'active',
      dueAt: at(2),
      announcement: { change: 'recovered', at: at(2) },
      changed: { at: at(2), paths: ['margin_seconds', 'settings.nested', 'settings.token_endpoint'] },
    });
    // What was not told yet is not forgotten over what comes next.
    const again = await applies(item.connection, replaceConfig(after, { ...config, renewal: 'while_used' }, at(3)));
    expect(again.changed).toEqual({
      at: at(3),
      paths: ['margin_seconds', 'renewal', 'settings.nested', 'settings.token_endpoint'],
    });
  });

  test('a new grant clears all that the old one left; again it is known as one’s own', async () => {
    const seen = await held({
      notBefore: at(1),
      suspect: failureOf(1).failure,
      spare: inSecret(1, 'overtaken'),
      grant: imported,
    });
    const { item } = seen;
    const write = replaceGrant(item, item.config, at(3), { id: otherGrantId, place });
    await refuses(
      item.connection,
      replaceGrant({ ...item, fence: 1 as Fence }, item.config, at(3), {
        id: '22222222-0000-4000-8000' as GrantId,
        place,
      }),
    );
    await refuses(
      item.connection,
      replaceGrant({ ...item, configuredAt: at(-1) }, item.config, at(3), {
        id: '33333333-0000-4000-8000' as GrantId,
        place,
      }),
    );
    const after = await applies(item.connection, write);
    expect(after).toEqual({
      connection: item.connection,
      config: item.config,
      createdAt: item.createdAt,
      configuredAt: at(3),
      dueShard: item.dueShard,
      state: 'active',
      grant: { id: otherGrantId, at: at(3) },
      generation: 0,
      fence: 3,
      committedFence: 3,
      attempts: {},
      calls: item.calls,
      slots: item.slots,
      dueAt: at(3),
      announcement: { change: 'authorized', at: at(3) },
      refreshToken: place,
    });
    expect(await store().apply(item.connection, write)).toEqual({ applied: true, item: after });
  });

  test('a grant that is abandoned leaves nothing of itself but what was spent; the connection waits for another', async () => {
    const marks = {
      suspect: failureOf(1).failure,
      spare: inSecret(1, 'overtaken'),
      grant: imported,
      notBefore: at(1),
    };
    const { attempts } = (await held()).item;
    const item = await created({
      ...marks,
      attempts,
      state: 'reauthorization_required',
      cause: 'refresh_in_doubt',
      tokens: tokenSetOf(),
    });
    const config = { ...item.config, clientId: 'other' };
    const write = abandonGrant(item, config, at(3), otherGrantId);
    const after = await applies(item.connection, write);
    expect(after).toEqual({
      connection: item.connection,
      config,
      createdAt: item.createdAt,
      configuredAt: at(3),
      // That the settings were replaced is told.
      changed: { at: at(3), paths: ['client.client_id'] },
      dueAt: at(3),
      dueShard: item.dueShard,
      state: 'reauthorization_required',
      cause: 'not_authorized_yet',
      grant: { id: otherGrantId, at: at(3) },
      generation: 0,
      fence: 2,
      committedFence: 2,
      attempts: {},
      calls: item.calls,
      slots: item.slots,
    });
    expect(await store().apply(item.connection, write)).toEqual({ applied: true, item: after });
  });

  test('an import leaves its digest in the place of the one before', async () => {
    const { item } = await held({ grant: imported });
    const after = await applies(
      item.connection,
      replaceGrant(item, item.config, at(3), { id: otherGrantId, place, importDigest: 'new' }),
    );
    expect(after).toMatchObject({ grant: { importDigest: 'new' } });
  });
});
