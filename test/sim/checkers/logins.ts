/** What must hold of logins: codes, links, and the grants that they bring (S9). */
import type { Connection } from '../../../shared/domain/connection.ts';
import type { World } from '../world.ts';
import { type Checker, isConnected, loginBy, type Watched } from './checker.ts';

/**
 * A second use of a code is an error, and may end what the first one brought (RFC 6749 §10.5). Holds under every
 * fault.
 */
export const codesAreSentOnce = ({ violate }: Watched): Checker => {
  const codes = new Set<string>();
  const links = new Set<string>();
  return {
    onRedeem({ code, link, environment }) {
      if (codes.has(code)) violate('S9', `environment ${environment} sent ${code} once more`);
      else if (links.has(link))
        violate('S9', `environment ${environment} sent ${code}, but another code was sent for its link`);
      codes.add(code);
      links.add(link);
    },
  };
};

/** Writes that bring another grant; a refresher never does. */
const byPeople: ReadonlySet<string> = new Set(['create', 'replace_grant', 'authorized']);

/** The login that brought the grant which this refresh token belongs to; undefined for an import. */
const loginOf = (world: World, refreshToken: string | undefined) =>
  world.provider.redemptions.find(
    ({ issued }) => issued !== undefined && world.provider.sameGrant(issued, refreshToken),
  );

/**
 * The newest grant stays: the grant whose code was sent last, or that was imported since. A login that a person was
 * told is connected gives way only to a newer grant, or to a deletion. Holds under every fault.
 */
export const newestLoginStays = ({ world, violate }: Watched): Checker => {
  let last: Connection | undefined;
  let refreshToken: string | undefined;
  let begunAt = Number.NEGATIVE_INFINITY;
  return {
    onWrite(name, item) {
      const isNew = item.grant.id !== last?.grant.id;
      if (!isNew && item.refreshToken === last?.refreshToken) return;
      const before = refreshToken;
      last = item;
      refreshToken = world.refreshTokenAt(item.refreshToken);
      if (!byPeople.has(name) && before !== undefined && !world.provider.sameGrant(before, refreshToken))
        violate('S9', `${name} put ${refreshToken} in the place of ${before}, which is of another grant`);
      if (!isNew) return;
      const login = loginOf(world, refreshToken);
      const since = login?.sentAt ?? world.time.now();
      if (since < begunAt)
        violate(
          'S9',
          `${name} put a grant whose code was sent ${begunAt - since} ms earlier in the place of a newer one`,
        );
      begunAt = since;
    },
    onRemove() {
      last = undefined;
      refreshToken = undefined;
    },
    onLogin(told, environment, link) {
      if (!isConnected(told) || world.current === undefined || world.current.deletion !== undefined) return;
      const login = loginBy(world, environment, link);
      if (login?.issued === undefined)
        return violate(
          'S9',
          `environment ${environment} told a person "connected", though no code had brought anything`,
        );
      const kept = world.provider.sameGrant(login.issued, world.refreshTokenAt(world.current.refreshToken));
      if (!kept && login.sentAt >= begunAt)
        violate('S9', `a person was told "connected", but ${login.issued} is not what the table has`);
    },
  };
};

/**
 * A function that has a login's token set in hand, with the table and the secrets in reach, keeps it: the refresh token
 * is not dropped.
 */
export const receivedLoginsAreKept = ({ world, rates, violate }: Watched): Checker => ({
  onLogin(told, environment) {
    if (isConnected(told) || told.kind === 'changed_meanwhile') return;
    const login = world.provider.redemptions.find((one) => one.environment === environment);
    if (login?.tellsAt === undefined || login.endedAt === undefined || login.tellsAt > login.endedAt || rates.pause > 0)
      return;
    violate('S9', `the code brought ${login.issued}, but a person was told "${told.kind}"`);
  },
});
