/** What must hold of the suspicion that another party renews the same grant (S11). */
import { openAttempts } from '../../../shared/domain/attempts.ts';
import type { Connection } from '../../../shared/domain/connection.ts';
import type { World } from '../world.ts';
import type { Checker, Watched } from './checker.ts';

/** A party is suspected only of a grant that a stranger did use, whatever dies on our side. Holds under every fault. */
export const suspicionsAreTrue = ({ world, violate }: Watched): Checker => {
  const noted = new Set<number>();
  return {
    onWrite(name, { secondRefresher, refreshToken }) {
      if (secondRefresher?.suspectedAt === undefined || noted.has(secondRefresher.suspectedAt)) return;
      noted.add(secondRefresher.suspectedAt);
      const signs = Object.keys(secondRefresher.signs).join(', ');
      if (world.provider.endOf(world.refreshTokenAt(refreshToken)) !== 'stranger')
        violate('S11', `${name} suspects a second refresher (${signs}), and there is none`);
    },
    onEnd(item) {
      const told = world.announcements.filter(({ change }) => change === 'second_refresher_suspected');
      if (told.some(({ at }) => !noted.has(at))) violate('L3', 'a suspicion was told that no write had noted');
      if (item?.secondRefresher?.untold) violate('L3', 'the suspicion of a second refresher was never told');
    },
  };
};

/** The refresh token was sent once, and so was the one that brought it: no reply of ours was lost on the way. */
function sentOnce(world: World, refreshToken: string): boolean {
  const sent = (token: string) => world.provider.ledger.filter((call) => call.refreshToken === token);
  const bringing = world.provider.ledger.filter(({ issued }) => issued === refreshToken);
  const [brought] = bringing;
  return (
    sent(refreshToken).length === 1 &&
    brought !== undefined &&
    bringing.length === 1 &&
    sent(brought.refreshToken).length === 1
  );
}

/**
 * Where the provider says in plain words what only a stranger explains, and nothing is in doubt, a party is suspected.
 * Where people log in, a code of theirs may explain it, also one that is about to be sent.
 */
export const certainSignsAreSeen = ({ world, violate }: Watched): Checker => {
  let last: Connection | undefined;
  const isPlain = (before: Connection): boolean =>
    world.provider.redemptions.length === 0 &&
    before.authorization?.redeemer === undefined &&
    before.failure === undefined &&
    before.tokens?.contested === false &&
    openAttempts(before).length <= 1;
  return {
    onWrite(name, item) {
      const before = last;
      last = item;
      const sent = world.refreshTokenAt(item.refreshToken);
      if (name !== 'commit_failure' || before === undefined || sent === undefined || !isPlain(before)) return;
      const call = world.provider.ledger.findLast(({ refreshToken }) => refreshToken === sent);
      const refused = item.state === 'reauthorization_required' && call?.result === 'refused';
      const tooEarly = item.failure?.class === 'too_early' && call?.result === 'too_early';
      const inPlainWords = world.options.nature.words === 'exact' && (refused || tooEarly);
      const rotated = world.options.nature.rotation !== 'none';
      if (
        inPlainWords &&
        rotated &&
        sentOnce(world, sent) &&
        world.provider.endOf(sent) === 'stranger' &&
        item.secondRefresher?.suspectedAt === undefined
      )
        violate('S11', `a stranger renews the grant, and ${call?.result} did not make it suspected`);
    },
    onRemove() {
      last = undefined;
    },
  };
};
