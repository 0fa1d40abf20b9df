/** What must hold of a connection that was deleted, and of one that is put again under its name (S10). */

import { openAttempts } from '../../../shared/domain/attempts.ts';
import type { Connection } from '../../../shared/domain/connection.ts';
import type { World } from '../world.ts';
import { bounded, type Checker, isConnected, loginBy, type Watched } from './checker.ts';

/**
 * A client that asks once DELETE was answered gets no token, nor one from a memory. A frozen environment may have read
 * the item before.
 */
export const deletedConnectionsServeNothing = ({ world, rates, violate }: Watched): Checker => {
  const answeredAt = new Map<number, number>();
  let marked: Connection | undefined;
  return {
    onWrite(_, item) {
      if (item.deletion !== undefined) marked = item;
    },
    onDeleted() {
      if (marked !== undefined && !answeredAt.has(marked.createdAt)) answeredAt.set(marked.createdAt, world.time.now());
    },
    onAnswer(answer, _minTtlMs, askedAt) {
      if (answer.kind !== 'token' || rates.pause > 0) return;
      const since = answeredAt.get(answer.item.createdAt);
      if (since !== undefined && askedAt >= since)
        violate('S10', `a token was served to a client that asked ${askedAt - since} ms after DELETE was answered`);
    },
  };
};

/**
 * Only an item that a DELETE has marked is removed, and not while a request for it is on its way: the reply would hold
 * the token to revoke.
 */
export const removalsAreRight = ({ world, rates, violate }: Watched): Checker => {
  let gone = false;
  return {
    onRemove(item) {
      gone = true;
      if (item.deletion === undefined) violate('S10', 'a connection was removed that nobody had deleted');
      const busy = world.provider.ledger.find(
        (call) => call.endedAt === undefined && ofConnection(world, item, call.refreshToken),
      );
      if (busy !== undefined && bounded(rates))
        violate('S10', `the item was removed while environment ${busy.environment} had a request in flight`);
    },
    onWrite(name) {
      if (gone && name !== 'create') violate('S10', `${name} brought back a connection that was gone`);
      gone = false;
    },
    onCall(call) {
      if (gone && bounded(rates))
        violate('S10', `environment ${call.environment} sent ${call.refreshToken}, though the connection is gone`);
    },
    onEnd(item) {
      if (item === undefined && !gone) violate('S10', 'the connection vanished');
    },
  };
};

const ofConnection = (world: World, item: Connection, refreshToken: string): boolean =>
  world.provider.sameGrant(refreshToken, world.refreshTokenAt(item.refreshToken));

/**
 * A connection put again under a name has nothing of the one before: neither its grant, nor the grant of a login that
 * was begun for it.
 */
export const formerGrantsStayOut = ({ world, violate }: Watched): Checker => {
  const former: string[] = [];
  let here: string[] = [];
  let place: Connection['refreshToken'];
  let createdAt = Number.NEGATIVE_INFINITY;
  return {
    onWrite(name, item) {
      if (name === 'create') createdAt = world.time.now();
      const refreshToken = item.refreshToken === place ? undefined : world.refreshTokenAt(item.refreshToken);
      place = item.refreshToken;
      if (refreshToken === undefined) return;
      here.push(refreshToken);
      const again = former.find((one) => world.provider.sameGrant(one, refreshToken));
      if (again !== undefined)
        violate('S10', `${name} took up ${refreshToken}, a grant of the connection that had the name before`);
      const login = world.provider.redemptions.find(({ issued }) => issued === refreshToken);
      if (login !== undefined && login.sentAt < createdAt)
        violate('S10', `${name} took up ${refreshToken}, whose login was for the connection before`);
    },
    onRemove() {
      former.push(...here.slice(-1));
      here = [];
    },
  };
};

/**
 * The log says "revoked" only if no token that the broker had of the grant is in force any more; else it says that the
 * grant was not revoked. A grant that a stranger renews is out of the broker's hands: a provider answers "revoked" of a
 * refresh token that it has ended itself, too (RFC 7009 §2.2). It may have ended the committed one by a replay of which
 * nothing came back; then a used one is in force for what is left of its grace.
 */
export const grantsAreRevoked = ({ world, violate }: Watched): Checker => {
  let had: string[] = [];
  let unsure = false;
  const inGraceAlone = (one: string): boolean => unsure && world.provider.newest(one) !== one;
  return {
    onRemove(item) {
      const stored = [...world.secrets]
        .filter(([name]) => name.includes(`/${item.grant.id}-`))
        .map(([, { refreshToken }]) => refreshToken?.reveal());
      had = [world.refreshTokenAt(item.refreshToken), ...stored].filter((one) => one !== undefined);
      unsure = openAttempts(item).length > 0;
    },
    onLog(event, fields) {
      if (event !== 'connection_deleted' || fields.revoked !== true) return;
      const alive = had.find(
        (one) => world.provider.alive(one) && world.provider.endOf(one) !== 'stranger' && !inGraceAlone(one),
      );
      if (alive !== undefined) violate('S10', `the log says that the grant was revoked, but ${alive} is in force`);
    },
  };
};

/** Once a login that replaced a grant was answered, a client that asks gets nothing of the former one. */
export const replacedGrantsServeNothing = ({ world, rates, violate }: Watched): Checker => {
  /** In the order in which they came, by their ids; each with the refresh token that it began with. */
  const grants = new Map<string, string | undefined>();
  const replacedAt = new Map<string, number>();
  return {
    onWrite(_, { grant, refreshToken }) {
      if (!grants.has(grant.id)) grants.set(grant.id, world.refreshTokenAt(refreshToken));
    },
    onLogin(told, environment, link) {
      if (!isConnected(told)) return;
      const brought = loginBy(world, environment, link)?.issued;
      for (const [id, refreshToken] of grants) {
        if (brought === undefined || refreshToken === brought) return;
        if (!replacedAt.has(id)) replacedAt.set(id, world.time.now());
      }
    },
    onAnswer(answer, _minTtlMs, askedAt) {
      // What a frozen environment read before is old when it thaws.
      if (answer.kind !== 'token' || rates.pause > 0) return;
      const since = replacedAt.get(answer.item.grant.id);
      if (since !== undefined && askedAt >= since)
        violate('S10', `a token of a former grant was served ${askedAt - since} ms after the login was answered`);
    },
  };
};
