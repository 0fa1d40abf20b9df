/**
 * Many clients of several connections, and as many execution environments as an account lets run: those that wait hold
 * one each, and what comes beyond gets the gateway's bare 503.
 */
import type { TokenAnswer } from '../../shared/application/get-token.ts';
import { retryAfterSeconds } from '../../shared/domain/timing.ts';
import type { KindName } from '../sim/natures.ts';
import { Room } from '../sim/room.ts';
import { start } from '../sim/stores.ts';
import { VirtualTime } from '../sim/time.ts';
import type { Variant } from '../sim/variant.ts';
import { Scenario, type Story } from './scenario.ts';

/** What a client got, and after how long. */
export interface Reply {
  readonly at: number;
  /** `bare`: from the gateway, without `Retry-After`. */
  readonly kind: TokenAnswer['kind'] | 'bare';
  readonly afterMs: number;
  /** Of a reply that asks to come again. */
  readonly retryAfterSeconds?: number;
}

export class Rush {
  readonly time = new VirtualTime(start);
  /** Where token requests run; in an account, all other functions too. */
  readonly room: Room;
  readonly #refreshers: Pick<Room, 'enter'>;
  readonly #waitMs: number;
  readonly #variant: Variant;

  /**
   * Without an account as on the local platform: eight environments of each function, and a request waits 10 s for one.
   * An account lets so many invocations run at a time, refreshers among them, and refuses a request beyond at once.
   */
  constructor(variant: Variant = {}, account?: { readonly quota: number; readonly refreshers: number }) {
    this.room = new Room(this.time, account?.quota ?? 8);
    const refreshers = new Room(this.time, account?.refreshers ?? 8);
    this.#refreshers = account ? refreshers.within(this.room) : refreshers;
    this.#waitMs = account ? 0 : 10_000;
    this.#variant = variant;
  }

  /** A connection whose grant was imported, and not renewed yet. */
  async imported(kind: KindName, story: Story = {}): Promise<Scenario> {
    const { time } = this;
    const options = { ...story.options, time, refreshRoom: this.#refreshers, variant: this.#variant };
    const scenario = new Scenario(kind, { ...story, options });
    await scenario.authorize();
    return scenario;
  }

  /** One GET, as a client sees it. */
  async get(scenario: Scenario, waitMs: number): Promise<Reply> {
    const askedAt = this.time.now();
    const leave = await this.room.enter(this.#waitMs);
    if (leave === undefined) return { at: askedAt, kind: 'bare', afterMs: this.time.now() - askedAt };
    const answer = await scenario.get(10_000, waitMs);
    leave();
    return {
      at: askedAt,
      kind: answer.kind,
      afterMs: this.time.now() - askedAt,
      ...(answer.kind === 'unavailable' && { retryAfterSeconds: retryAfterSeconds(answer.retryAt, answer.now) }),
    };
  }

  /** So many GETs at one instant, each made once. */
  atOnce(scenario: Scenario, clients: number, waitMs: number): Promise<Reply[]> {
    return this.time.runUntilSettled(Promise.all(Array.from({ length: clients }, () => this.get(scenario, waitMs))));
  }

  /** Clients that come again when they are told to, until `seconds` from now, and a second after a bare 503. */
  async keepAsking(scenario: Scenario, clients: number, waitMs: number, seconds: number): Promise<Reply[]> {
    const until = this.time.now() + seconds * 1_000;
    const replies: Reply[] = [];
    const client = async () => {
      while (this.time.now() < until) {
        const reply = await this.get(scenario, waitMs);
        replies.push(reply);
        await this.time.sleep((reply.retryAfterSeconds ?? 1) * 1_000);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    return replies;
  }

  /** A client that asks every 300 ms, one GET after the other. */
  async askSteadily(scenario: Scenario, seconds: number): Promise<Reply[]> {
    const until = this.time.now() + seconds * 1_000;
    const replies: Reply[] = [];
    while (this.time.now() < until) {
      replies.push(await this.get(scenario, 10_000));
      await this.time.sleep(300);
    }
    return replies;
  }
}

export const longestMs = (replies: readonly Reply[]): number => Math.max(...replies.map(({ afterMs }) => afterMs));
export const kindsOf = (replies: readonly Reply[]): Readonly<Record<string, number>> =>
  Object.fromEntries([...Map.groupBy(replies, ({ kind }) => kind)].map(([kind, these]) => [kind, these.length]));
