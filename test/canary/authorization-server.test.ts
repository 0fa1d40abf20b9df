/** What the canary answers, call by call, and what it counts. */
import { describe, expect, test } from 'vitest';
import {
  answerTo,
  beginGrant,
  type Canary,
  type CanaryAnswer,
  type CanaryRequest,
  disturb,
  type Fresh,
  reportOf,
} from '../../shared/canary/authorization-server.ts';
import type { EpochMs } from '../../shared/domain/time.ts';

const lifetimeMs = 600_000;

/** A client and its server, and the time at both. */
class Play {
  state: Canary;
  /** The refresh token that the client has. */
  token: string;
  now = 1_000_000;
  #serial = 0;

  constructor() {
    const begun = beginGrant(undefined, { now: this.now as EpochMs, lifetimeMs, fresh: this.#fresh() });
    this.state = begun.state;
    this.token = begun.refreshToken;
  }

  #fresh(): Fresh {
    this.#serial += 1;
    const [client, secret, refresh, access] = ['client', 'secret', 'refresh', 'access'].map(
      (kind) => `${kind}-${this.#serial}`,
    ) as [string, string, string, string];
    return { client, secret, refresh, access };
  }

  /** A call, some seconds after the one before. The client keeps what it is given. */
  call(afterSeconds: number, more: Partial<CanaryRequest> = {}): CanaryAnswer {
    this.now += afterSeconds * 1_000;
    const answer = answerTo(
      this.state,
      { clientId: 'client-1', clientSecret: 'secret-1', grantType: 'refresh_token', refreshToken: this.token, ...more },
      { now: this.now as EpochMs, fresh: this.#fresh() },
    );
    this.state = answer.state ?? this.state;
    if (more.refreshToken === undefined) this.token = String(answer.body.refresh_token ?? this.token);
    return answer;
  }

  disturbed(times = 1): void {
    for (let i = 0; i < times; i += 1) this.state = disturb(this.state) ?? this.state;
  }

  /** What was counted at least once. */
  get counts() {
    return Object.fromEntries(Object.entries(this.state.counts).filter(([, number]) => number > 0));
  }
}

const invalidGrant = { status: 400, body: { error: 'invalid_grant' } };

describe('a client that is on time', () => {
  test('gets another refresh token each time, and an access token with its life', () => {
    const play = new Play();
    const imported = play.token;
    expect(play.call(5)).toMatchObject({
      status: 200,
      body: { access_token: 'access-2', token_type: 'Bearer', expires_in: 600, refresh_token: '1.refresh-2' },
    });
    expect(play.call(480).body.refresh_token).toBe('2.refresh-3');
    expect(play.counts).toEqual({ on_time: 2 });
    for (const secret of ['secret-1', imported, 'refresh-2', 'refresh-3', 'access-3'])
      expect(JSON.stringify(play.state)).not.toContain(secret);
  });

  test('raises the version with each change, and by one', () => {
    const play = new Play();
    expect(play.state.version).toBe(1);
    play.call(5);
    expect(play.state.version).toBe(2);
    play.disturbed();
    expect(play.state.version).toBe(3);
    expect(
      beginGrant(play.state, {
        now: 0 as EpochMs,
        lifetimeMs,
        fresh: { client: '', secret: '', refresh: '', access: '' },
      }).state.version,
    ).toBe(4);
  });

  test.each([
    [299, { on_time: 1, early: 1 }],
    [300, { on_time: 2 }],
  ])('is so from half of a life on: after %i s', (seconds, counts) => {
    const play = new Play();
    play.call(5);
    expect(play.call(seconds).status).toBe(200);
    expect(play.counts).toEqual(counts);
  });
});

describe('a stranger', () => {
  test.each<[string, Partial<CanaryRequest>]>([
    ['another secret', { clientSecret: 'secret-2' }],
    ['another client', { clientId: 'client-2' }],
    ['nothing', { clientId: '', clientSecret: '', grantType: '', refreshToken: '' }],
  ])('with %s changes nothing, and uses no fault up', (_, request) => {
    const play = new Play();
    play.disturbed();
    expect(play.call(5, request)).toEqual({ status: 401, body: { error: 'invalid_client' } });
  });

  test('finds nothing before the first grant', () => {
    const request = { clientId: '', clientSecret: '', grantType: '', refreshToken: '' };
    const fresh = { client: '', secret: '', refresh: '', access: '' };
    expect(answerTo(undefined, request, { now: 0 as EpochMs, fresh }).status).toBe(401);
  });
});

describe('a refresh token', () => {
  test('ends the grant when it comes after its successor was used; then the newest is worth nothing either', () => {
    const play = new Play();
    const imported = play.token;
    play.call(5);
    play.call(480);
    expect(play.call(1, { refreshToken: imported })).toMatchObject(invalidGrant);
    expect(play.state.endedAt).toBe(play.now);
    expect(play.call(480)).toMatchObject(invalidGrant);
    expect(play.counts).toEqual({ on_time: 2, reused: 1, ended: 1 });
  });

  test('is good once more until its successor is used, which it replaces, and that is counted', () => {
    const play = new Play();
    const imported = play.token;
    play.call(5);
    const replaced = play.token;
    expect(play.call(1, { refreshToken: imported }).body.refresh_token).toBe('1.refresh-3');
    expect(play.call(480, { refreshToken: replaced })).toMatchObject(invalidGrant);
    expect(play.call(1, { refreshToken: '1.refresh-3' }).status).toBe(200);
    // Long replaced, and never used.
    expect(play.call(480, { refreshToken: replaced })).toMatchObject(invalidGrant);
    expect(play.counts).toEqual({ on_time: 2, repeated: 1, refused: 2 });
    expect(play.state.endedAt).toBeUndefined();
  });

  test.each(['', 'nonsense', '0.guessed', '7.guessed'])('that was never issued is refused: %j', (refreshToken) => {
    const play = new Play();
    expect(play.call(5, { refreshToken })).toMatchObject(invalidGrant);
    expect(play.counts).toEqual({ refused: 1 });
  });

  test('is not all that can be asked for', () => {
    const play = new Play();
    expect(play.call(5, { grantType: 'client_credentials' })).toMatchObject(invalidGrant);
    expect(play.counts).toEqual({ refused: 1 });
  });
});

describe('the schedule', () => {
  test('has a reply lost after the rotation: the used token may come again, once, and soon', () => {
    const play = new Play();
    play.call(5);
    play.disturbed();
    const used = play.token;
    expect(play.call(480)).toMatchObject({ status: 502, body: {} });
    expect(play.token).toBe(used);
    expect(play.state.survived.lost).toBe(0);
    expect(play.call(6).status).toBe(200);
    expect(play.state.survived).toEqual({ lost: 1, down: 0, slow: 0 });
    expect(play.counts).toEqual({ on_time: 2, lost: 1 });
    // That reply was sent.
    play.call(6, { refreshToken: used });
    expect(play.counts).toEqual({ on_time: 2, lost: 1, repeated: 1 });
  });

  test('has two calls find the server down', () => {
    const play = new Play();
    play.call(5);
    play.state = { ...play.state, drawn: 1 };
    play.disturbed();
    expect([play.call(480).status, play.call(5).status, play.call(10).status]).toEqual([503, 503, 200]);
    expect(play.counts).toEqual({ on_time: 2, down: 2 });
    expect(play.state.survived).toEqual({ lost: 0, down: 1, slow: 0 });
  });

  test('has a reply come late, which counts once the client shows that it has it', () => {
    const play = new Play();
    play.call(5);
    play.state = { ...play.state, drawn: 2 };
    play.disturbed();
    expect(play.call(480)).toMatchObject({ status: 200, late: true });
    expect(play.state.survived.slow).toBe(0);
    expect(play.call(480)).not.toHaveProperty('late');
    expect(play.state.survived.slow).toBe(1);
  });

  test('brings no fault before the one before has passed, and then the next in turn', () => {
    const play = new Play();
    play.call(5);
    play.disturbed(3);
    expect(play.state).toMatchObject({ drawn: 1, fault: { kind: 'lost' } });
    play.call(480);
    play.disturbed();
    expect(play.state).toMatchObject({ drawn: 1, met: 'lost' });
    play.call(6);
    const seen: unknown[] = [];
    for (let i = 0; i < 6; i += 1) {
      play.disturbed();
      seen.push(play.state.fault?.kind);
      while (play.state.fault !== undefined || play.state.met !== undefined) play.call(480);
    }
    expect(seen).toEqual(['down', 'slow', 'lost', 'down', 'slow', 'lost']);
    expect(play.state.survived).toEqual({ lost: 3, down: 2, slow: 2 });
  });

  test('leaves a grant alone that has ended', () => {
    const play = new Play();
    expect(disturb({ ...play.state, endedAt: play.state.since })).toBeUndefined();
  });
});

test('an operator is told what was counted, and nothing of tokens', () => {
  const play = new Play();
  play.call(5);
  play.disturbed();
  expect(reportOf(play.state)).toEqual({
    since: 1_000_000,
    lifetimeMs,
    renewedAt: 1_005_000,
    counts: expect.objectContaining({ on_time: 1, reused: 0 }),
    survived: { lost: 0, down: 0, slow: 0 },
    fault: { kind: 'lost', calls: 1 },
  });
});
