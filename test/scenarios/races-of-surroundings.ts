/** Races with what surrounds a refresher: stores, the provider, clients, a person who authorizes again. */
import { plus } from '../../shared/domain/time.ts';
import type { Way } from '../sim/provider.ts';
import { type Race, race, renewing } from './race.ts';
import { crash, fail, pause } from './scenario.ts';

const busy = { instead: { status: 503, body: 'busy', after: false } };
const tooEarly = {
  instead: {
    status: 400,
    body: '{"error":"access_denied","error_description":"access_token not expired"}',
    after: false,
  },
};

/** Of the clocks of environments that start from now on. */
let skewMs = 0;

export const racesOfSurroundings: readonly Race[] = [
  race(
    'a renewal that ends the token before is slow to answer',
    'endsPrevious',
    { ways: [{}, { fromMs: 25_000 }] },
    async (s, { ask, violate }) => {
      await renewing(s);
      await s.pass(15);
      if ((await ask()) !== 'token') violate('S4', 'a token that may live was refused');
    },
  ),
  race('the end of the grant is told', 'lapsing', {}, async (s, { ask, violate }) => {
    await s.connected();
    await ask();
    s.startPlanner();
    await s.pass(2_000);
    if ((await s.item()).state !== 'active') violate('S5', 'the grant has lapsed, though its end was told');
  }),
  race(
    'a lost reply, and a refusal in other words',
    'otherWords',
    { ways: [{}, { lost: 'reply' }] },
    async (s, { violate }) => {
      await renewing(s);
      await s.pass(72);
      const { state } = await s.item();
      if (state === 'active') violate('L1', 'a grant that is dead is asked again');
    },
  ),
  race(
    'a renewal ends a token that an environment remembers',
    'endsPrevious',
    { options: { skewMs: () => skewMs } },
    async (s, { ask }) => {
      skewMs = -1_000;
      const { refreshAt = s.time.now() } = await s.connected();
      await s.time.runUntil(plus(refreshAt, -1_300));
      // The first one marks the connection as used, the second one finds nothing to mark.
      await ask();
      await ask();
      skewMs = 1_000;
      await s.time.runUntil(plus(refreshAt, -990));
      s.send();
      await s.pass(0.2);
      await ask();
    },
  ),
  race(
    'reply to the acquire lost',
    'revoking',
    { strikes: [['after', 'table.acquire', 2, fail]] },
    async (s, { ask, violate }) => {
      await renewing(s);
      await s.pass(28);
      if ((await ask()) !== 'token') violate('L2', 'a client went without a token, though nobody had sent anything');
    },
  ),
  race(
    'secrets throttled from the look-up until after the holder is gone',
    'revoking',
    {
      strikes: [
        ['after', 'secrets.persist', 2, crash],
        ['before', 'secrets.look_up', [1, 20], fail],
      ],
    },
    async (s) => {
      await renewing(s);
      await s.pass(200);
    },
  ),
  race(
    'secrets hang at persist, and the process dies ten seconds later',
    'revoking',
    { hangs: [['secrets.persist', 2]], strikes: [['before', 'table.renew_lease', 2, crash]] },
    async (s) => {
      await renewing(s);
      await s.pass(200);
    },
  ),
  race(
    're-authorized with an orphan left',
    'singleUse',
    { strikes: [['after', 'secrets.persist', 2, crash]] },
    async (s, { violate }) => {
      await renewing(s);
      await s.pass(5);
      const old = s.provider.newest(s.refreshTokenAt((await s.item()).refreshToken) ?? '');
      await s.authorize();
      s.send();
      await s.pass(30);
      if (s.refreshTokenAt((await s.item()).refreshToken) === old)
        violate('S3', 'an orphan of the old grant was adopted over the new one');
    },
  ),
  race(
    'lost reply, provider checks age first',
    'exactReusable',
    { ways: [{}, { lost: 'reply' }] },
    async (s, { violate }) => {
      await s.connected();
      s.startPlanner();
      await s.untilDue();
      await s.pass(3_600);
      const errors = s.results().filter((result) => result === 'too_early').length;
      if (errors > 4) violate('S8', `${errors} errors until the refresh token could be sent again`);
    },
  ),
  race(
    'a failure before each renewal of a day',
    'minuteOfGrace',
    { ways: Array.from({ length: 400 }, (_, call) => (call % 2 === 1 ? busy : {})) },
    async (s, { violate }) => {
      await s.connected();
      s.startPlanner();
      await s.pass(86_400);
      const slots = [...s.secrets.keys()].map((name) => name.split('/')[0]);
      for (const slot of new Set(slots)) {
        const versions = slots.filter((one) => one === slot).length;
        if (versions > 100)
          violate('S3', `slot ${slot} was to take ${versions} versions in a day, and a secret takes 100`);
      }
    },
  ),
  race(
    'slow answer, and then the end of its token',
    'singleUse',
    { ways: [{}, { toMs: 1_000, fromMs: 34_000 }] },
    async (s, { ask }) => {
      await renewing(s);
      await s.pass(200);
      await s.untilDue();
      await ask();
    },
  ),
  race('slow request at Exact Online', 'exactSingleUse', { ways: [{}, { toMs: 8_000 }] }, async (s) => {
    await renewing(s);
    await s.pass(20);
    await s.untilDue();
    s.send();
    await s.pass(10);
  }),
  race('busy provider, and the old token is still valid', 'singleUse', { ways: [{}, busy] }, async (s, { ask }) => {
    await renewing(s);
    await s.pass(1);
    await ask();
  }),
  race(
    'Exact Online says too early for an hour',
    'exactReusable',
    { ways: [{}, ...Array<Partial<Way>>(80).fill(tooEarly)] },
    async (s) => {
      await s.connected();
      s.startPlanner();
      await s.pass(568);
      // What else should it mean than that a stranger renews?
      s.provider.renewElsewhere(s.refreshTokenAt((await s.item()).refreshToken) ?? '');
      await s.untilDue();
      await s.pass(3_600);
    },
  ),
  race(
    'an error reply with a refresh token, after the lease was lost, while the secrets are down',
    'revoking',
    {
      strikes: [
        ['after', 'provider.request', 2, pause(20)],
        ['before', 'secrets.persist', 2, fail],
      ],
      ways: [
        {},
        {
          instead: {
            status: 503,
            body: (newest) => JSON.stringify({ error: 'temporarily_unavailable', refresh_token: newest }),
            after: true,
          },
        },
      ],
    },
    async (s) => {
      await renewing(s);
      await s.pass(200);
    },
  ),
];
