/** The writes of a login, on every store. */

import { describe, expect, test } from 'vitest';
import {
  authorized,
  offerAuthorization,
  redeemAuthorization,
  settleAuthorization,
  withdrawAuthorization,
} from '../../shared/domain/authorization-writes.ts';
import { callsOn, errorsOf } from '../../shared/domain/budget.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { inSecret } from '../plain.ts';
import { at, now, otherGrantId, seenOf, storeUnder, storeWorlds } from './worlds.ts';

const spent = (item: Connection, when: EpochMs) => ({
  errors: errorsOf(item, when).length,
  calls: callsOn(item, when),
});

describe.each(storeWorlds)('logins in %s', (_world, open) => {
  const { created, applies, refuses } = storeUnder(open);

  const linkOf = ({ grant, configuredAt }: Connection, id = 'link') => ({
    id,
    grantId: grant.id,
    configuredAt,
    expiresAt: at(600_000),
  });
  const offered = async (more: Partial<Connection> = {}) => {
    const item = await created(more);
    return applies(item.connection, offerAuthorization(linkOf(item)));
  };
  const redeemed = (item: Connection, when: EpochMs, id = 'link') =>
    applies(item.connection, redeemAuthorization(item, linkOf(item, id), `redeemer at ${when}`, when));
  // Ids of logins are UUIDs: no character of theirs may get in the way.
  const another = '0b7c2d7e-8f0a-4f5e-9a53-6f1c1f0f8e11';
  const again = (item: Connection) => applies(item.connection, offerAuthorization(linkOf(item, another)));

  test('a code is redeemed once', async () => {
    const item = await offered();
    await redeemed(item, now);
    await refuses(item.connection, redeemAuthorization(item, linkOf(item), 'another', now));
  });

  test('the call that a code takes is counted before it is made, as an error until it is known to be none', async () => {
    const item = await offered();
    const sent = await redeemed(item, now);
    expect(spent(sent, now)).toEqual({ errors: 1, calls: spent(item, now).calls + 1 });
    const tokens = { tokenType: 'Bearer', requestedAt: at(1), receivedAt: at(2), expiresAt: at(600_000) };
    const grant = {
      grantId: otherGrantId,
      place: inSecret(0, 'v'),
      first: { tokens, sealedAccessToken: 'sealed' },
      authorization: { ...linkOf(item), redeemer: 'redeemer' },
    };
    // Other settings were put since: the login would write the old ones over them.
    await refuses(item.connection, authorized(seenOf({ ...sent, configuredAt: at(-1) }), grant, at(3)));
    const done = await applies(item.connection, authorized(seenOf(sent), grant, at(3)));
    expect(spent(done, now)).toEqual({ errors: 0, calls: spent(item, now).calls + 1 });
  });

  test('codes that fail one after the other are errors of their own', async () => {
    const first = await redeemed(await offered(), now);
    const second = await redeemed(await again(first), at(1_000), another);
    expect(spent(second, at(1_000))).toEqual({ errors: 2, calls: 2 });
  });

  test('on another day calls are counted from one', async () => {
    const item = await offered({ calls: { day: 20_000, count: 150, failing: {}, codes: {} } });
    expect(spent(await redeemed(item, now), now).calls).toBe(1);
  });

  test('what came of a code is noted by the callback that sent it', async () => {
    const sent = await redeemed(await offered(), now);
    await refuses(sent.connection, settleAuthorization('another', { kind: 'no_answer' }));
    const outcome = { kind: 'refused', code: 'invalid_grant' } as const;
    const settled = await applies(sent.connection, settleAuthorization(`redeemer at ${now}`, outcome));
    expect(settled.authorization).toMatchObject({ id: 'link', outcome });
  });

  test('a link that is withdrawn cannot be redeemed, and a connection that is being deleted has none', async () => {
    const item = await offered();
    expect(await applies(item.connection, withdrawAuthorization())).not.toHaveProperty('authorization');
    await refuses(item.connection, redeemAuthorization(item, linkOf(item), 'redeemer', now));
    const { connection } = await offered({ deletion: { since: now, notBefore: now } });
    await refuses(connection, withdrawAuthorization());
  });
});
