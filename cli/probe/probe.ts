/**
 * Learns how a provider renews, from a grant that may be lost by it. What can end the grant comes last: to send a used
 * refresh token again.
 */

import { type EpochMs, plus } from '../../shared/domain/time.ts';
import type { Facts } from '../../shared/providers/facts.ts';
import { Asking, type Budget, type Granted, ProbeEnded, type ProbeWorld, type Refusal } from './asking.ts';

/** One thing that was found, and how. */
export interface Found {
  readonly fact: keyof Facts | 'reuse';
  readonly value: unknown;
  /** A sentence for the comment behind the fact. */
  readonly how: string;
}

export interface ProbeReport {
  readonly found: readonly Found[];
  /** What was not found out, and why. */
  readonly open: readonly string[];
  readonly refusals: readonly Refusal[];
  readonly calls: number;
  /** The refresh token that a renewal brought last; undefined once the grant is known to be dead. */
  readonly newest: string | undefined;
}

/** The earliest renewal is found to so many seconds, by so many tries at most. */
const precisionMs = 10_000;
const mostTries = 7;
/** When a used refresh token is sent again: a moment before each of the grace periods that are usual. */
const laterSeconds = [8, 28, 58, 118, 298, 598, 1_798, 3_598];
const unknownToken = 'no-refresh-token-of-this-provider';
/** A grant that was given a moment ago may be too young: it is tried again so often. */
const firstWaitMs = 120_000;
const mostFirstTries = 6;

export async function probe(world: ProbeWorld, refreshToken: string, budget: Budget): Promise<ProbeReport> {
  const run = new Run(world, refreshToken, budget);
  try {
    await run.all();
  } catch (error) {
    if (!(error instanceof ProbeEnded)) throw error;
    run.open.push(error.message);
  }
  const { found, open, asking, newest } = run;
  return { found, open, refusals: asking.refusals, calls: asking.calls, newest };
}

class Run {
  readonly found: Found[] = [];
  readonly open: string[] = [];
  readonly asking: Asking;
  readonly #world: ProbeWorld;
  newest: string | undefined;
  #issuedAt: EpochMs;
  /** A renewal is accepted from this age on, as far as is known. */
  #minAgeMs = 0;
  #last: Granted | undefined;

  constructor(world: ProbeWorld, refreshToken: string, budget: Budget) {
    this.#world = world;
    this.asking = new Asking(world, budget);
    this.newest = refreshToken;
    this.#issuedAt = world.clock.now();
  }

  async all(): Promise<void> {
    const first = await this.#firstRenewal();
    this.#lifetimes(first);
    const rotates = first.refreshToken !== undefined && first.refreshToken !== this.#sent;
    await this.#earliestRenewal(first);
    await this.#whatRenewalEnds();
    // For how the provider words it; the grant has nothing to do with it.
    await this.asking.renew(unknownToken);
    if (rotates) await this.#reuse();
    else await this.#reusable();
  }

  #sent = '';

  /** Sends a refresh token, and goes on with what comes. */
  async #renew(refreshToken: string): Promise<Granted | Refusal> {
    const answer = await this.asking.renew(refreshToken);
    if (answer.ok) {
      this.#sent = refreshToken;
      this.newest = answer.refreshToken ?? refreshToken;
      this.#issuedAt = answer.at;
      this.#last = answer;
    }
    return answer;
  }

  /** The same as soon as the provider allows a renewal: some look at the age before they look at the refresh token. */
  async #renewInTime(refreshToken: string): Promise<Granted | Refusal> {
    await this.asking.waitUntil(plus(this.#issuedAt, this.#minAgeMs));
    return this.#renew(refreshToken);
  }

  async #firstRenewal(): Promise<Granted> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#renew(this.newest ?? '');
      if (answer.ok) return answer;
      if (answer.class !== 'too_early' || tries === mostFirstTries)
        throw new ProbeEnded(`the first renewal is refused: ${wordsOf(answer)}`);
      this.#world.tell('The grant is too young to be renewed; waits two minutes.');
      await this.asking.waitUntil(plus(this.asking.now(), firstWaitMs));
    }
  }

  #lifetimes({ lifeMs, expiresIn }: Granted): void {
    if (lifeMs === undefined) return void this.open.push('lifetimeSeconds: replies do not tell it');
    const seconds = Math.round(lifeMs / 1_000);
    this.#find('lifetimeSeconds', seconds, `expires_in was ${JSON.stringify(expiresIn)}`);
    const inMilliseconds = Number(expiresIn) / 1_000 === seconds && seconds > 1;
    this.#find('expiresInUnit', inMilliseconds ? 'milliseconds' : 'seconds', 'the same');
  }

  #find(fact: Found['fact'], value: unknown, how: string): void {
    this.found.push({ fact, value, how });
    this.#world.tell(`${fact}: ${JSON.stringify(value)} (${how})`);
  }

  async #earliestRenewal({ lifeMs }: Granted): Promise<void> {
    const atOnce = await this.#renewAt(0);
    if (!atOnce.tooEarly) return this.#find('minTokenAgeSeconds', 0, 'a token was renewed at once');
    let [late, early] = [lifeMs ?? 0, atOnce.ageMs];
    this.#world.tell(
      'Too early at once; looks for the earliest renewal, which takes up to a life of a token at a time.',
    );
    for (let tries = 1; late - early > precisionMs && tries < mostTries; tries += 1) {
      const { tooEarly, ageMs } = await this.#renewAt((late + early) / 2);
      if (tooEarly) early = Math.max(early, ageMs);
      else late = Math.min(late, ageMs);
    }
    this.#minAgeMs = late;
    const [from, to] = [Math.round(early / 1_000), Math.ceil(late / 1_000)];
    this.#find('minTokenAgeSeconds', to, `too early at ${from} s, renewed at ${to} s`);
  }

  /** Renews a token of this age, or of a greater one where refusals had to be forgiven first. */
  async #renewAt(wantedMs: number): Promise<{ readonly tooEarly: boolean; readonly ageMs: number }> {
    const issuedAt = this.#issuedAt;
    await this.asking.waitUntil(plus(issuedAt, wantedMs));
    const answer = await this.#renew(this.newest ?? '');
    if (!answer.ok && answer.class !== 'too_early')
      throw new ProbeEnded(`the newest refresh token is refused: ${wordsOf(answer)}`);
    return { tooEarly: !answer.ok, ageMs: answer.at - issuedAt };
  }

  async #whatRenewalEnds(): Promise<void> {
    const { api } = this.#world;
    if (api === undefined) return void this.open.push('renewalEnds: no address of the API was given (--api-url)');
    const before = this.#last?.accessToken ?? '';
    const answer = await this.#renewInTime(this.newest ?? '');
    if (!answer.ok) throw new ProbeEnded(`the newest refresh token is refused: ${wordsOf(answer)}`);
    const [old, now] = [await api(before), await api(answer.accessToken)];
    if (now >= 300) return void this.open.push(`renewalEnds: the API answers ${now} to a new access token`);
    if (before === answer.accessToken) return void this.open.push('renewalEnds: the same access token came again');
    this.#find('renewalEnds', old < 300 ? 'nothing' : 'previous_token', `the API answered ${old} to the one before`);
  }

  /** No renewal has brought another refresh token: the same was used several times. */
  async #reusable(): Promise<void> {
    const answer = await this.#renewInTime(this.newest ?? '');
    if (!answer.ok) throw new ProbeEnded(`the same refresh token is refused: ${wordsOf(answer)}`);
    this.#find('rotation', 'none', 'renewals bring no other refresh token, and it goes on working');
  }

  /** From here on the grant may end. */
  async #reuse(): Promise<void> {
    const used = this.newest ?? '';
    const usedAnswer = await this.#renewInTime(used);
    if (!usedAnswer.ok) throw new ProbeEnded(`the newest refresh token is refused: ${wordsOf(usedAnswer)}`);
    const successor = usedAnswer.refreshToken ?? '';
    const usedAt = usedAnswer.at;
    const again = await this.#renewInTime(used);
    if (!again.ok) return this.#singleUse(again, successor);
    const another = again.refreshToken !== successor;
    this.#find('reuse', another ? 'another_successor' : 'same_successor', 'what a second use of a used one brought');
    const first = await this.#renewInTime(successor);
    if (another && !first.ok)
      this.#find('reuse', 'ends_the_first_successor', `the first was refused: ${wordsOf(first)}`);
    // The second successor, where the first is dead.
    const next = first.ok ? first : await this.#renewInTime(again.refreshToken ?? '');
    if (!next.ok) throw new ProbeEnded(`both successors are refused: ${wordsOf(next)}`);
    const third = await this.#renewInTime(used);
    if (third.ok) return this.#later(used, usedAt);
    this.#find('rotation', 'until_successor_used', `refused once its successor was used: ${wordsOf(third)}`);
    await this.#isGrantAlive(this.newest ?? '');
  }

  async #singleUse(refusal: Refusal, successor: string): Promise<void> {
    const ageSeconds = Math.round((refusal.at - this.#issuedAt) / 1_000);
    this.#find('rotation', 'single_use', `a used one was refused after ${ageSeconds} s: ${wordsOf(refusal)}`);
    await this.#isGrantAlive(successor);
  }

  /** Whether the refusal of a used one has ended the grant. */
  async #isGrantAlive(newest: string): Promise<void> {
    const answer = await this.#renewInTime(newest);
    this.#find(
      'reuse',
      answer.ok ? 'refused' : 'ends_the_grant',
      answer.ok ? 'its successor goes on' : wordsOf(answer),
    );
    if (!answer.ok) this.newest = undefined;
  }

  /** How long a used one goes on working. */
  async #later(used: string, usedAt: EpochMs): Promise<void> {
    let worksForSeconds = Math.floor((this.asking.now() - usedAt) / 1_000);
    for (const seconds of laterSeconds.filter((one) => one > worksForSeconds)) {
      await this.asking.waitUntil(plus(usedAt, seconds * 1_000));
      const answer = await this.#renewInTime(used);
      const ageSeconds = Math.floor((this.asking.now() - usedAt) / 1_000);
      if (answer.ok) {
        worksForSeconds = ageSeconds;
        continue;
      }
      this.#find('rotation', 'grace', `a used one was refused after ${ageSeconds} s: ${wordsOf(answer)}`);
      this.#find('graceSeconds', worksForSeconds, `it worked after ${worksForSeconds} s`);
      return this.#isGrantAlive(this.newest ?? '');
    }
    this.#find('rotation', 'none', `a used one worked after ${worksForSeconds} s, also when its successor was used`);
  }
}

/** The provider's words, without what looks like a secret. */
export const wordsOf = ({ status, code, description }: Refusal): string =>
  [status, code, description].filter((part) => part !== undefined).join(' ');
