/** Races with people who log in, who delete a connection, and who put it again. */
import { clientSecretNames } from '../../shared/domain/client-secrets.ts';
import { limits } from '../../shared/domain/limits.ts';
import { pause as pauseWrite, resume } from '../../shared/domain/schedule-writes.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { kinds, withTwoSecrets } from '../sim/natures.ts';
import { start } from '../sim/stores.ts';
import { type Race, race, renewing } from './race.ts';
import { crash, fail, pause } from './scenario.ts';

/** What no rule knows, so often that two hours lie before the next call. */
const onHold = { status: 400, body: '{"error":"account_on_hold"}', after: false };
const onHoldTimes = 12;

const busy = { status: 429, body: '', headers: { 'retry-after': '300' }, after: false };

/** The old secret is refused two minutes after the start, and no renewal finds that out before it is due. */
const secretReplaced = {
  rotation: { secrets: ['old', 'new'], newFrom: start, oldUntil: start + 120_000 },
  config: withTwoSecrets(kinds.singleUse.config),
} as const;

/** Both secrets are good for long. Of the first an operator has told that it ends then. */
const secretEnding = (endsAt: number) =>
  ({
    rotation: { secrets: ['old', 'new'], newFrom: start, oldUntil: start + 1_000_000_000 },
    config: withTwoSecrets(kinds.reusable.config, { [clientSecretNames.first]: endsAt as EpochMs }),
  }) as const;
const endsInAMonth = start + limits.secretEndsAheadMs + 60_000;

export const racesOfPeople: readonly Race[] = [
  race(
    'a client secret ends in a month, and is told of once',
    'reusable',
    { options: secretEnding(endsInAMonth) },
    async (s, { violate }) => {
      await s.connected();
      await s.pass(50);
      s.send();
      await s.pass(5);
      const told = () => s.announcements.filter(({ change }) => change === 'client_secret_ends_soon');
      if (told().length > 0) violate('L3', 'the end of a client secret was told too early');
      for (let look = 0; look < 3; look += 1) {
        await s.pass(20);
        s.send();
        await s.pass(5);
      }
      const ends = told().map(({ secretEndsAt }) => secretEndsAt);
      if (ends.length !== 1 || ends[0] !== endsInAMonth) violate('L3', `the end was told ${ends.length} times`);
    },
  ),
  race(
    'a client secret has ended by what an operator told, and is good',
    'reusable',
    { options: secretEnding(start - 60_000) },
    async (s, { ask, violate }) => {
      const { generation, refreshAt = s.time.now() } = await s.connected();
      await s.time.runUntil(refreshAt);
      s.send();
      await s.pass(5);
      if ((await s.item()).generation === generation) violate('L1', 'a date that decides nothing has stopped renewals');
      if ((await ask()) !== 'token') violate('L1', 'there is no token');
    },
  ),
  race(
    'paused for an hour, asked and reported meanwhile, and resumed',
    'exactSingleUse',
    {},
    async (s, { ask, violate }) => {
      const { tokens, generation } = await s.connected();
      s.startPlanner();
      await s.apply(pauseWrite(await s.item(), 'operator', s.time.now()));
      s.send();
      for (let minute = 0; minute < 60; minute += 1) {
        await s.pass(60);
        const living = (tokens?.expiresAt ?? 0) - s.time.now() >= 10_000;
        const answer = await ask();
        if (answer !== (living ? 'token' : 'paused')) violate('S4', `a client of a paused connection got ${answer}`);
        if (minute === 20) await s.time.runUntilSettled(s.reject(generation, 0));
        if (minute % 7 === 0) s.send();
      }
      await s.pass(30);
      const { dueAt } = await s.item();
      if (dueAt !== undefined) violate('L1', 'the planner goes on looking at a paused connection');
      await s.apply(resume(await s.item(), s.time.now()));
      await s.pass(70);
      if ((await ask()) !== 'token') violate('L1', 'a connection that was resumed is not renewed');
    },
  ),
  race(
    'paused between a look and the acquire',
    'singleUse',
    { strikes: [['before', 'table.acquire', 2, pause(3)]] },
    async (s, { ask, violate }) => {
      await renewing(s);
      await s.pass(1);
      await s.apply(pauseWrite(await s.item(), 'operator', s.time.now()));
      await s.pass(60);
      await s.apply(resume(await s.item(), s.time.now()));
      s.send();
      await s.pass(5);
      if ((await ask()) !== 'token') violate('L1', 'a connection that was resumed is not renewed');
    },
  ),
  race('paused after a lost reply', 'reusable', { ways: [{}, { lost: 'reply' }] }, async (s, { ask, violate }) => {
    await renewing(s);
    await s.pass(62);
    await s.time.runUntilSettled(s.pauseOrResume(true));
    await s.pass(60);
    s.send();
    await s.pass(60);
    await s.time.runUntilSettled(s.pauseOrResume(false));
    await s.pass(60);
    if ((await ask()) !== 'token') violate('L1', 'a connection that was resumed is not renewed');
  }),
  race('paused and resumed during a call', 'reusable', { ways: [{}, { fromMs: 40_000 }] }, async (s) => {
    await renewing(s);
    await s.pass(1);
    await s.time.runUntilSettled(s.pauseOrResume(true));
    await s.pass(1);
    await s.time.runUntilSettled(s.pauseOrResume(false));
    await s.pass(60);
  }),
  race(
    'told when to come back, paused, and resumed before',
    'singleUse',
    { ways: [{}, { instead: busy }] },
    async (s, { ask, violate }) => {
      await renewing(s);
      s.startPlanner();
      await s.pass(2);
      await s.time.runUntilSettled(s.pauseOrResume(true));
      await s.pass(10);
      await s.time.runUntilSettled(s.pauseOrResume(false));
      await s.pass(350);
      if ((await ask()) !== 'token') violate('L1', 'a connection that was resumed is not renewed');
    },
  ),
  race(
    'resumed while a refresher lets it rest, and the message is lost',
    'singleUse',
    {
      strikes: [
        ['before', 'table.rest', 1, pause(3)],
        // The second is that of the pause.
        ['before', 'queue.send', 3, fail],
      ],
    },
    async (s) => {
      await s.connected();
      await s.time.runUntilSettled(s.pauseOrResume(true));
      await s.pass(1);
      await s.time.runUntilSettled(s.pauseOrResume(false));
      await s.pass(5);
    },
  ),
  race(
    'refused for hours by a name that no rule knows, and resumed',
    'singleUse',
    { ways: [{}, ...Array.from({ length: onHoldTimes }, () => ({ instead: onHold }))] },
    async (s, { ask, violate }) => {
      await renewing(s);
      s.startPlanner();
      const begun = s.time.now();
      for (let minute = 0; minute < 480 && s.provider.ledger.length < onHoldTimes; minute += 1) await s.pass(60);
      const hours = (s.time.now() - begun) / 3_600_000;
      if (hours < 2) violate('S8', `what a provider refuses alike was asked for ${onHoldTimes} times in ${hours} h`);
      await s.time.runUntilSettled(s.pauseOrResume(true));
      await s.pass(60);
      await s.time.runUntilSettled(s.pauseOrResume(false));
      await s.pass(60);
      if ((await ask()) !== 'token') violate('L1', 'a connection that was resumed is not renewed');
    },
  ),
  race('a login whose answer is slow, and a newer one', 'singleUse', { codeWays: [{ fromMs: 20_000 }] }, async (s) => {
    await s.connected();
    await s.logIn();
    await s.pass(5);
    await s.logIn();
    await s.pass(30);
  }),
  race(
    'two logins commit at the same time',
    'singleUse',
    { strikes: [['before', 'table.authorized', 1, pause(3)]] },
    async (s) => {
      await s.connected();
      await s.logIn();
      await s.pass(1);
      await s.logIn();
      await s.pass(10);
    },
  ),
  race('the answer to a code is lost', 'singleUse', { codeWays: [{ lost: 'reply' }] }, async (s, { ask, violate }) => {
    await s.connected();
    await s.logIn();
    await s.pass(150);
    if ((await ask()) !== 'token') violate('S9', 'a login that failed took the grant with it that was there');
  }),
  race('logged in while environments remember the token before', 'singleUse', {}, async (s, { ask }) => {
    await s.connected();
    const state = await s.time.runUntilSettled(s.offerLogin());
    const back = () => void s.callback(state ?? '', 'code');
    for (let tenth = 0; tenth < 30; tenth += 1) {
      await ask();
      await s.pass(0.1);
      // The second is a reload: it is told what came of the first.
      if (tenth === 5 || tenth === 6) back();
    }
  }),
  race(
    'logged in with an orphan left',
    'singleUse',
    { strikes: [['after', 'secrets.persist', 2, crash]] },
    async (s) => {
      await renewing(s);
      await s.pass(5);
      await s.logIn();
      await s.pass(5);
      await s.untilDue();
      s.send();
      await s.pass(30);
    },
  ),
  race(
    'paused and resumed during a renewal, and the event bus is out of reach',
    'singleUse',
    { ways: [{}, { fromMs: 10_000 }], strikes: [['before', 'events.announce', [2, 3], fail]] },
    async (s, { violate }) => {
      await renewing(s);
      s.startPlanner();
      await s.pass(1);
      await s.apply(pauseWrite(await s.item(), 'operator', s.time.now()));
      await s.apply(resume(await s.item(), s.time.now()));
      await s.pass(200);
      if ((await s.item()).changed !== undefined) violate('L3', 'a change waits for the next renewal to be told');
    },
  ),
  race(
    'put again while a login for the former connection is under way',
    'singleUse',
    { codeWays: [{ fromMs: 20_000 }] },
    async (s) => {
      await s.connected();
      await s.logIn();
      await s.pass(1);
      await s.deleted();
      await s.pass(5);
      await s.putAgain();
      await s.pass(30);
    },
  ),
  race(
    'put again while a slower removal is under way',
    'singleUse',
    { revocationWays: [{ fromMs: 30_000 }] },
    async (s, { ask }) => {
      await s.connected();
      await s.deleted();
      await s.pass(1);
      s.send();
      await s.pass(1);
      await s.putAgain();
      await s.pass(5);
      await ask();
      await s.pass(40);
    },
  ),
  race(
    'deleted while a link is made',
    'singleUse',
    { strikes: [['before', 'table.offer_authorization', 1, pause(5)]] },
    async (s) => {
      await s.connected();
      void s.offerLogin();
      await s.pass(0.1);
      await s.deleted();
      await s.pass(30);
    },
  ),
  race('deleted while environments remember the token', 'singleUse', {}, async (s, { ask }) => {
    await s.connected();
    for (let tenth = 0; tenth < 30; tenth += 1) {
      await ask();
      await s.pass(0.1);
      if (tenth === 5) void s.delete();
    }
  }),
  race('deleted while a refresh is in flight', 'singleUse', { ways: [{}, { fromMs: 30_000 }] }, async (s) => {
    await renewing(s);
    await s.pass(1);
    await s.deleted();
    await s.pass(120);
  }),
  race(
    'deleted, and the grant revoked, while a refresher that is about to call is frozen',
    'singleUse',
    {
      strikes: [
        ['before', 'provider.request', 2, pause(40)],
        ['after', 'table.note_grant_ended', 1, fail],
      ],
    },
    async (s) => {
      await renewing(s);
      await s.pass(1);
      await s.deleted();
      await s.pass(20);
      s.send();
      await s.pass(120);
    },
  ),
  race('deleted with an orphan left', 'singleUse', { strikes: [['after', 'secrets.persist', 2, crash]] }, async (s) => {
    await renewing(s);
    await s.pass(5);
    await s.deleted();
    await s.pass(120);
  }),
  race('deleted after its client secret was replaced', 'singleUse', { options: secretReplaced }, async (s) => {
    await s.connected();
    await s.pass(180);
    await s.deleted();
    await s.pass(30);
  }),
  race(
    'a login is committed while its connection is removed',
    'singleUse',
    { strikes: [['before', 'table.authorized', 1, pause(2)]], revocationWays: [{ fromMs: 3_000 }] },
    async (s) => {
      await s.connected();
      s.startPlanner();
      await s.logIn();
      await s.pass(0.1);
      await s.deleted();
      await s.pass(180);
    },
  ),
];
