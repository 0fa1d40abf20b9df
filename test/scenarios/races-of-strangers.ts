/** Races with a party that renews the same grant beside the broker, and such as only look like it. */
import { type Race, race, renewing } from './race.ts';
import { crash, type Scenario } from './scenario.ts';

/** A program that was left running renews with the refresh token that the table has. */
async function renewedElsewhere(s: Scenario): Promise<void> {
  const refreshToken = s.refreshTokenAt((await s.item()).refreshToken) ?? '';
  if (s.provider.renewElsewhere(refreshToken).refreshToken === undefined) throw new Error('the stranger was refused');
}

/** The first renewal is made, and stays in the ledger: the checkers want to know what brought the refresh token. */
async function connected(s: Scenario): Promise<void> {
  await s.authorize();
  s.send();
  await s.pass(5);
}

const told = (s: Scenario) => s.announcements.filter(({ change }) => change === 'second_refresher_suspected');

export const racesOfStrangers: readonly Race[] = [
  race('a stranger renews a moment before the broker', 'exactSingleUse', {}, async (s, { violate }) => {
    await connected(s);
    await s.pass(568);
    await renewedElsewhere(s);
    await s.untilDue();
    s.send();
    await s.pass(60);
    if (told(s).length !== 1) violate('L3', `the suspicion was told ${told(s).length} times`);
  }),
  race('a stranger has used the refresh token long before the broker', 'exactSingleUse', {}, async (s, { violate }) => {
    await connected(s);
    await s.pass(568);
    await renewedElsewhere(s);
    await s.pass(600);
    s.send();
    await s.pass(10);
    // The verdict comes first; the next look tells the other.
    s.send();
    await s.pass(10);
    if ((await s.item()).cause !== 'refresh_token_reused') violate('S11', 'the provider’s words are not the cause');
    if (told(s).length !== 1) violate('L3', `the suspicion was told ${told(s).length} times`);
  }),
  race(
    'a refresher dies with the reply, and the provider calls the refresh token used',
    'exactSingleUse',
    { strikes: [['after', 'provider.request', 2, crash]] },
    async (s, { violate }) => {
      await renewing(s);
      await s.pass(1_500);
      s.send();
      await s.pass(100);
      if ((await s.item()).cause !== 'refresh_in_doubt') violate('S6', 'a loss of ours is labelled otherwise');
    },
  ),
];
