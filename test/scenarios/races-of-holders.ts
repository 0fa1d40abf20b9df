/** Races among refreshers: one is frozen or killed, and another takes over. */
import { kinds } from '../sim/natures.ts';
import { longPauses, type Race, race, renewing } from './race.ts';
import { crash, fail, pause } from './scenario.ts';

const busy = { instead: { status: 503, body: 'busy', after: false } };
const refused = { instead: { status: 400, body: '{"error":"invalid_grant"}', after: false } };

/** Of the clocks of environments that start from now on. */
let skewMs = 0;

export const racesOfHolders: readonly Race[] = [
  race(
    'two doubts in a row',
    'revoking',
    {
      strikes: [
        ['after', 'secrets.persist', 2, crash],
        ['before', 'secrets.look_up', 1, crash],
      ],
    },
    async (s) => {
      await renewing(s);
      await s.pass(200);
    },
  ),
  race(
    'released by one who holds nothing any more',
    'reusable',
    { strikes: [['after', 'secrets.read', 2, pause(20)]], ways: [{}, { toMs: 10_000 }] },
    async (s) => {
      await renewing(s);
      await s.pass(40);
    },
  ),
  race(
    'late commit between the look-up and the replay',
    'halfHourOfGrace',
    {
      strikes: [
        ['before', 'secrets.persist', 2, fail],
        ['before', 'table.commit_success', 2, pause(20)],
        ['after', 'secrets.look_up', 1, pause(5)],
      ],
    },
    async (s) => {
      await renewing(s);
      await s.pass(60);
    },
  ),
  race(
    'commit between a look and the acquire',
    'exactSingleUse',
    {
      strikes: [
        ['before', 'table.commit_success', 2, pause(20)],
        ['after', 'table.read', 4, pause(4)],
      ],
    },
    async (s, { violate }) => {
      await renewing(s);
      await s.pass(60);
      if (s.results().length > 1) violate('S8', 'a token set was renewed as soon as it was committed');
    },
  ),
  race(
    'killed after a heartbeat',
    'reusable',
    { strikes: [['after', 'table.renew_lease', 1, crash]], ways: [{}, { toMs: 50_000 }] },
    async (s, { ask }) => {
      await s.connected();
      await ask();
      await s.untilDue();
      s.send();
      await s.pass(26);
      await ask();
    },
  ),
  race(
    'woken by a message, with a clock that is behind',
    'reusable',
    { strikes: [['before', 'keys.ready', 2, crash]], options: { skewMs: () => skewMs } },
    async (s, { ask }) => {
      skewMs = 0;
      await s.connected();
      await ask();
      await s.untilDue();
      skewMs = 1_000;
      s.send();
      await s.pass(2);
      skewMs = -1_000;
      await s.pass(24);
      await ask();
    },
  ),
  race(
    'the earlier holder answers after the provider called the grant dead',
    'minuteOfGrace',
    { strikes: [['before', 'secrets.persist', 2, pause(50)]], ways: [{}, {}, refused] },
    async (s) => {
      await renewing(s);
      await s.pass(120);
    },
  ),
  race(
    'a late request replaces the successor that was committed',
    'keptForSuccessors',
    { strikes: [['before', 'table.renew_lease', 1, crash]], ways: [{}, { toMs: 30_000 }] },
    async (s, { violate }) => {
      await renewing(s);
      await s.pass(60);
      await s.untilDue();
      s.send();
      await s.pass(120);
      if (!(await s.grantKept())) violate('S5', 'the grant is lost, though the provider keeps what was used last');
    },
  ),
  race(
    'paused before the commit of a sealed refresh token',
    'revoking',
    {
      strikes: [
        ['before', 'secrets.persist', 2, fail],
        ['before', 'table.commit_success', 2, pause(20)],
      ],
    },
    async (s) => {
      await renewing(s);
      await s.pass(200);
    },
  ),
  race(
    'paused before persist at a revoking provider',
    'revoking',
    { strikes: [['before', 'secrets.persist', 2, pause(40)]] },
    async (s) => {
      await renewing(s);
      await s.pass(120);
    },
  ),
  race(
    'a success that lost its commit',
    'graceKillsSibling',
    {
      strikes: [
        ['before', 'provider.request', 2, pause(60)],
        ['before', 'secrets.persist', 3, fail],
      ],
    },
    async (s) => {
      await renewing(s);
      await s.pass(90);
      await s.untilDue();
      s.send();
      await s.pass(30);
    },
    longPauses,
  ),
  race(
    'two successes are overtaken, and the newest is not the last to say so',
    'minuteOfGrace',
    {
      strikes: [
        ['before', 'provider.request', 2, pause(50)],
        ['after', 'provider.request', 2, pause(60)],
      ],
    },
    async (s) => {
      await renewing(s);
      await s.pass(120);
      await s.untilDue();
      s.send();
      await s.pass(200);
    },
    longPauses,
  ),
  race(
    'the holder of an overtaken success dies before it can say so',
    'graceKillsSibling',
    {
      strikes: [
        ['before', 'provider.request', 2, pause(60)],
        ['after', 'table.commit_success', 4, crash],
      ],
    },
    async (s) => {
      await renewing(s);
      await s.pass(90);
      await s.untilDue();
      s.send();
      await s.pass(60);
    },
    longPauses,
  ),
  race(
    'a spare is noted while the provider calls the grant dead',
    'graceKillsSibling',
    {
      strikes: [
        ['before', 'provider.request', 2, pause(51)],
        ['before', 'secrets.persist', 3, fail],
      ],
      ways: [{}, {}, { toMs: 5_000 }],
      options: { nature: { ...kinds.graceKillsSibling.nature, lifetimeMs: 60_000 } },
    },
    async (s) => {
      await renewing(s);
      await s.pass(30);
      await s.untilDue();
      s.send();
      await s.pass(30);
    },
    longPauses,
  ),
  race(
    'the sibling of a replayed token dies',
    'graceKillsSibling',
    { strikes: [['before', 'table.renew_lease', 1, crash]], ways: [{}, { toMs: 40_000 }] },
    async (s) => {
      await renewing(s);
      await s.pass(50);
      await s.untilDue();
      s.send();
      await s.pass(30);
    },
  ),
  race(
    'a new refresh token comes with an error, and an older success commits late',
    'graceKillsSibling',
    {
      strikes: [
        ['before', 'secrets.persist', 2, fail],
        ['before', 'table.commit_success', 2, pause(25)],
      ],
      ways: [
        {},
        {},
        {
          instead: {
            status: 503,
            body: (newest) => JSON.stringify({ error: 'server_error', refresh_token: newest }),
            after: true,
          },
        },
      ],
    },
    async (s) => {
      await renewing(s);
      await s.pass(60);
      await s.untilDue();
      s.send();
      await s.pass(60);
    },
    longPauses,
  ),
  race(
    'a request that timed out is processed after its replay',
    'graceKillsSibling',
    { ways: [{}, { toMs: 65_000 }] },
    async (s) => {
      await renewing(s);
      await s.pass(90);
      await s.untilDue();
      s.send();
      await s.pass(30);
    },
  ),
  race(
    'failure after an older success',
    'halfHourOfGrace',
    { strikes: [['before', 'secrets.persist', 2, pause(30)]], ways: [{}, {}, { ...busy, fromMs: 20_000 }] },
    async (s) => {
      await renewing(s);
      await s.pass(60);
    },
  ),
  race(
    'older answer over newer, then the next renewal',
    'halfHourOfGrace',
    { strikes: [['before', 'secrets.persist', 2, pause(40)]] },
    async (s) => {
      await renewing(s);
      await s.pass(60);
      await s.untilDue();
      s.send();
      await s.pass(10);
    },
  ),
  race('slow answer while others look', 'reusable', { ways: [{}, { toMs: 1_000, fromMs: 34_000 }] }, async (s) => {
    await renewing(s);
    for (let second = 0; second < 40; second += 1) {
      s.send();
      await s.pass(1);
    }
  }),
  race(
    'lost request, and its replay is stored and dies',
    'revoking',
    { strikes: [['after', 'secrets.persist', 2, crash]], ways: [{}, { lost: 'request' }] },
    async (s) => {
      await renewing(s);
      await s.pass(300);
    },
  ),
];
