/** Races with replies that are lost: the client of the store sends the same again, which is to be known as its own. */
import { type Race, race, renewing } from './race.ts';
import { fail, pause, resend } from './scenario.ts';

export const racesOfReplies: readonly Race[] = [
  race(
    'reply to the acquire lost, and it is sent again',
    'revoking',
    { strikes: [['after', 'table.acquire', 2, resend]] },
    async (s, { violate }) => {
      await renewing(s);
      await s.pass(10);
      if ((await s.item()).generation !== 2)
        violate('L2', 'the lease was held by the refresher that waited for its end');
    },
  ),
  race(
    'reply to the commit lost, and it is sent again',
    'singleUse',
    { strikes: [['after', 'table.commit_success', 2, resend]] },
    async (s, { violate }) => {
      await renewing(s);
      await s.pass(10);
      if (s.log.some(([, what]) => what === 'refresh_overtaken'))
        violate('L3', 'a renewal that was committed is told to be overtaken by another one, which there was not');
    },
  ),
  race(
    'reply to the write of a probe lost, and it is sent again',
    'reusable',
    {
      ways: [{}, { lost: 'request' }],
      strikes: [['after', 'table.replace_breaker', 3, resend]],
      options: { neighbours: true },
    },
    async (s, { violate }) => {
      await renewing(s);
      await s.pass(100);
      if ((await s.item()).generation !== 2)
        violate('L2', 'the application waited for a probe that its prober did not know to be its own');
    },
  ),
  race(
    'reply to the mark that a client asks lost, and it is sent again',
    'singleUse',
    { strikes: [['after', 'table.ask', 1, resend]] },
    async (s, { violate }) => {
      await s.connected();
      await s.pass(700);
      if ((await s.ask(10_000, 3_000)).kind !== 'token')
        violate('L2', 'no message follows a mark that a client has set');
    },
  ),
  race(
    'reply to the write before a code lost, and it is sent again',
    'singleUse',
    { strikes: [['after', 'table.redeem_authorization', 1, resend]] },
    async (s, { violate }) => {
      await s.connected();
      await s.logIn();
      await s.pass(30);
      if (!s.log.some(([, what]) => what === 'code sent'))
        violate('S9', 'a person was told that the link was used, though no code was sent');
    },
  ),
  race(
    'reply to the taking of a deletion lost, and it is sent again',
    'singleUse',
    { strikes: [['after', 'table.take_deletion', 1, resend]] },
    async (s, { violate }) => {
      await s.connected();
      s.startPlanner();
      await s.deleted();
      await s.pass(30);
      if (s.current !== undefined) violate('L1', 'a deletion waits for the refresher that has taken it');
    },
  ),
  race(
    'reply to the removal lost, and it is sent again',
    'exactSingleUse',
    { strikes: [['after', 'table.remove', 2, resend]] },
    async (s, { violate }) => {
      await s.connected();
      s.startPlanner();
      for (let times = 0; times < 2; times += 1) {
        await s.deleted();
        await s.pass(10);
        if (times === 0) await s.putAgain();
      }
      if (s.log.filter(([, what]) => what === 'connection_deleted').length !== 2)
        violate('L3', 'a connection was removed, and the broker says that its removal is postponed');
    },
  ),
  race(
    'reply to an event lost, and it is sent again',
    'singleUse',
    { strikes: [['after', 'events.announce', 1, resend]] },
    async (s, { violate }) => {
      await s.connected();
      const ids = s.announcements.map(({ id }) => id);
      if (ids.length !== 2 || new Set(ids).size !== 1)
        violate('L3', `one change was told ${ids.length} times, by ${new Set(ids).size} ids`);
    },
  ),
  race(
    'reply to a message lost, and it is sent again',
    'singleUse',
    { strikes: [['after', 'queue.send', 1, resend]] },
    async (s, { violate }) => {
      await s.connected();
      await s.pass(30);
      if (s.provider.ledger.length > 0) violate('S8', 'a message that came twice had the provider called twice');
    },
  ),
  race(
    'a holder that has seen no token waits while an older one commits the same token',
    'sameToken',
    {
      strikes: [['before', 'table.commit_success', 1, pause(25)]],
      ways: [{}, { fromMs: 10_000 }],
    },
    async (s, { ask }) => {
      await s.authorize();
      s.send();
      await s.pass(606);
      await ask();
    },
  ),
  race(
    'deleted during a renewal, and every message is lost',
    'singleUse',
    { ways: [{}, { fromMs: 10_000 }], strikes: [['before', 'queue.send', [1, 99], fail]] },
    async (s, { violate }) => {
      await renewing(s);
      s.startPlanner();
      await s.pass(1);
      await s.deleted();
      await s.pass(200);
      if (s.current !== undefined) violate('L1', 'a connection that was deleted waits for its next renewal');
    },
  ),
];
