/**
 * Races too rare for random seeds, as stories that a right and a wrong protocol can both go through. Each returns what the
 * simulation's checkers found, and what only the story can tell; with the right protocol, that is nothing.
 */
import type { Violation } from '../sim/checkers/checker.ts';
import type { FaultRates } from '../sim/faults.ts';
import type { KindName } from '../sim/natures.ts';
import { type Variant, withLimitsOf } from '../sim/variant.ts';
import { watch } from '../sim/watch.ts';
import { crash, fail, pause, Scenario, type Story } from './scenario.ts';

export interface Race {
  readonly name: string;
  readonly run: (variant?: Variant) => Promise<readonly Violation[]>;
}

interface Telling {
  /** A client asks, and wants an answer at once. */
  readonly ask: () => Promise<string>;
  readonly violate: (invariant: string, what: string) => void;
}

/** Nothing happens by chance here: the checkers that allow for faults have nothing to allow for. */
const noFaults: FaultRates = {
  crash: 0,
  pause: 0,
  pauseMostMs: 0,
  table: 0,
  secrets: 0,
  queue: 0,
  keys: 0,
  provider: 0,
  slow: 0,
  planner: 0,
  duplicates: 0,
  outages: 0,
  skewMs: 0,
  staleSecretsMs: 0,
};

/** A holder is frozen for longer than S1 and S2 are promised for. */
const longPauses: FaultRates = { ...noFaults, pause: 1, pauseMostMs: 60_000 };

function race(name: string, kind: KindName, story: Story, tell: (s: Scenario, telling: Telling) => Promise<void>, rates = noFaults): Race {
  const run = async (variant?: Variant) => {
    const s = new Scenario(kind, { ...story, options: { ...story.options, ...(variant && { variant }) } });
    const { violations, violate, answered } = watch(s, rates);
    const ask = async () => {
      const answer = await s.ask(10_000, 0);
      answered(answer, 10_000);
      return answer.kind;
    };
    await tell(s, { ask, violate });
    return violations;
  };
  return { name, run: (variant) => withLimitsOf(variant, () => run(variant)) };
}

/** The first renewal is made; the second begins now. */
async function renewing(s: Scenario): Promise<void> {
  await s.connected();
  await s.untilDue();
  s.send();
}

const busy = { instead: { status: 503, body: 'busy', after: false } };
const refused = { instead: { status: 400, body: '{"error":"invalid_grant"}', after: false } };

export const races: readonly Race[] = [
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
  race('killed after a heartbeat', 'reusable', { strikes: [['after', 'table.renew_lease', 1, crash]], ways: [{}, { toMs: 50_000 }] }, async (s, { ask }) => {
    await s.connected();
    await ask();
    await s.untilDue();
    s.send();
    await s.pass(26);
    await ask();
  }),
  race('reply to the acquire lost', 'revoking', { strikes: [['after', 'table.acquire', 2, fail]] }, async (s, { ask, violate }) => {
    await renewing(s);
    await s.pass(28);
    if ((await ask()) !== 'token') violate('L2', 'a client went without a token, though nobody had sent anything');
  }),
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
  race('paused before persist at a revoking provider', 'revoking', { strikes: [['before', 'secrets.persist', 2, pause(40)]] }, async (s) => {
    await renewing(s);
    await s.pass(120);
  }),
  race(
    'a success that lost its commit',
    'graceKillsSibling',
    { strikes: [['before', 'provider.request', 2, pause(60)]] },
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
    'failure after an older success',
    'halfHourOfGrace',
    { strikes: [['before', 'secrets.persist', 2, pause(30)]], ways: [{}, {}, { ...busy, fromMs: 20_000 }] },
    async (s) => {
      await renewing(s);
      await s.pass(60);
    },
  ),
  race('older answer over newer, then the next renewal', 'halfHourOfGrace', { strikes: [['before', 'secrets.persist', 2, pause(40)]] }, async (s) => {
    await renewing(s);
    await s.pass(60);
    await s.untilDue();
    s.send();
    await s.pass(10);
  }),
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
  race('re-authorized with an orphan left', 'singleUse', { strikes: [['after', 'secrets.persist', 2, crash]] }, async (s, { violate }) => {
    await renewing(s);
    await s.pass(5);
    const old = s.provider.newest(s.refreshTokenAt((await s.item()).refreshToken) ?? '');
    await s.authorize();
    s.send();
    await s.pass(30);
    if (s.refreshTokenAt((await s.item()).refreshToken) === old) violate('S3', 'an orphan of the old grant was adopted over the new one');
  }),
  race('lost reply, provider checks age first', 'exactReusable', { ways: [{}, { lost: 'reply' }] }, async (s, { violate }) => {
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(3_600);
    const errors = s.results().filter((result) => result === 'too_early').length;
    if (errors > 4) violate('S8', `${errors} errors until the refresh token could be sent again`);
  }),
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
        if (versions > 100) violate('S3', `slot ${slot} was to take ${versions} versions in a day, and a secret takes 100`);
      }
    },
  ),
  race('slow answer, and then the end of its token', 'singleUse', { ways: [{}, { toMs: 1_000, fromMs: 34_000 }] }, async (s, { ask }) => {
    await renewing(s);
    await s.pass(200);
    await s.untilDue();
    await ask();
  }),
  race('slow answer while others look', 'reusable', { ways: [{}, { toMs: 1_000, fromMs: 34_000 }] }, async (s) => {
    await renewing(s);
    for (let second = 0; second < 40; second += 1) {
      s.send();
      await s.pass(1);
    }
  }),
  race('slow request at Exact Online', 'exactSingleUse', { ways: [{}, { toMs: 8_000 }] }, async (s) => {
    await renewing(s);
    await s.pass(20);
    await s.untilDue();
    s.send();
    await s.pass(10);
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
  race('busy provider, and the old token is still valid', 'singleUse', { ways: [{}, busy] }, async (s, { ask }) => {
    await renewing(s);
    await s.pass(1);
    await ask();
  }),
];
