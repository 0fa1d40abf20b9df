/** A world to tell one story in: which boundary, on which call (1 = first), and what strikes there. */
import type { TokenAnswer } from '../../shared/application/get-token.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { Boundary, Fault } from '../sim/environment.ts';
import { type KindName, kinds } from '../sim/natures.ts';
import type { Call, Way } from '../sim/provider.ts';
import { World, type WorldOptions } from '../sim/world.ts';

export const crash: Fault = { kind: 'crash' };
export const fail: Fault = { kind: 'fail' };
/** The reply is lost, the client of the store finds out at once, and sends the same again by itself. */
export const resend: Fault = { kind: 'resend', ms: 20 };
export const pause = (seconds: number): Fault => ({ kind: 'pause', ms: seconds * 1_000 });

type Phase = Boundary['phase'];
/** `[phase, operation, on which call (1 = first), fault]`; an array means each of these calls. */
export type Strike = readonly [
  phase: Phase,
  operation: string,
  times: number | readonly [from: number, to: number],
  fault: Fault,
];

export interface Story {
  readonly strikes?: readonly Strike[];
  /** How the provider's calls go, in order; the first is that of the import. */
  readonly ways?: readonly Partial<Way>[];
  /** How codes and revocations go, in order. */
  readonly codeWays?: readonly Partial<Way>[];
  readonly revocationWays?: readonly Partial<Way>[];
  /** Operations that neither succeed nor fail, and on which call (1 = first). */
  readonly hangs?: readonly (readonly [operation: string, time: number])[];
  readonly options?: Partial<WorldOptions>;
}

export class Scenario extends World {
  /** Takes the named parts of the world down while it says so. */
  down = new Set<'table' | 'secrets' | 'queue' | 'keys'>();

  constructor(kind: KindName, story: Story = {}) {
    const seen = new Map<string, number>();
    const strikes = story.strikes ?? [];
    let calls = 0;
    const others = { code: 0, revocation: 0 };
    super({
      seed: 1,
      ...kinds[kind],
      faults: ({ operation, phase, kind: environment }) => {
        const store = operation.split('.')[0];
        if (phase === 'before' && [...this.down].some((part) => part === store)) return fail;
        const key = `${phase} ${operation}`;
        const isResent = strikes.some(([when, what, , fault]) => `${when} ${what}` === key && fault.kind === 'resend');
        // What clients and the planner do happens too often to be counted; only a reply that is lost is theirs.
        if ((environment === 'token' || environment === 'plan') && !isResent) return undefined;
        const nth = (seen.get(key) ?? 0) + 1;
        seen.set(key, nth);
        if (phase === 'before' && (story.hangs ?? []).some(([what, time]) => what === operation && time === nth))
          return { kind: 'hang' };
        return strikes.find(([when, what, times]) => `${when} ${what}` === key && within(nth, times))?.[3];
      },
      way: (_: Call): Way => ({ toMs: 20, fromMs: 20, ...story.ways?.[calls++] }),
      otherWay: (what): Way => ({
        toMs: 20,
        fromMs: 20,
        ...(what === 'code' ? story.codeWays : story.revocationWays)?.[others[what]++],
      }),
      ...story.options,
    });
  }

  /** Lets this much time pass. */
  async pass(seconds: number): Promise<void> {
    await this.time.runUntil((this.time.now() + seconds * 1_000) as never);
  }

  /** A client's GET, run to its end. */
  ask(minTtlMs?: number, waitMs?: number): Promise<TokenAnswer> {
    return this.time.runUntilSettled(this.get(minTtlMs, waitMs));
  }

  /** A person logs in with a link of their own; what the browser is told comes in its time. */
  async logIn(): Promise<void> {
    const state = await this.time.runUntilSettled(this.offerLogin());
    if (state === undefined) throw new Error('no link was made');
    void this.callback(state, this.provider.newCode());
  }

  /** DELETE, run to its end; the rest follows by itself. */
  async deleted(): Promise<void> {
    await this.time.runUntilSettled(this.delete());
  }

  /** PUT with a new grant, tried each second until the name is free for it. */
  async putAgain(): Promise<void> {
    const refreshToken = this.provider.authorize();
    for (let second = 0; second < 100; second += 1) {
      const { kind } = await this.time.runUntilSettled(this.put(refreshToken));
      if (kind === 'created') return;
      if (kind !== 'deleting') throw new Error(`the connection could not be put again: ${kind}`);
      await this.pass(1);
    }
    throw new Error('the name is never free');
  }

  /** Imports a grant and renews it for the first time; afterwards the ledger is empty. */
  async connected(): Promise<Connection> {
    await this.authorize();
    this.send();
    await this.pass(5);
    this.provider.ledger.length = 0;
    return this.item();
  }

  /** Runs until the current token's renewal is due. */
  async untilDue(): Promise<void> {
    const { refreshAt } = await this.item();
    if (refreshAt === undefined) throw new Error('nothing is due');
    await this.time.runUntil(refreshAt);
  }

  /** Puts an older state of the table back. */
  async restore(item: Connection): Promise<void> {
    await this.store.remove(this.connection, []);
    await this.store.create(item);
  }

  results(): (string | undefined)[] {
    return this.provider.ledger.map(({ result }) => result);
  }

  /** Whether the refresh token that the table points to is one the provider would take. */
  async grantKept(): Promise<boolean> {
    const text = this.refreshTokenAt((await this.item()).refreshToken);
    return text !== undefined && this.provider.alive(text);
  }
}

const within = (nth: number, times: number | readonly [number, number]): boolean =>
  typeof times === 'number' ? nth === times : nth >= times[0] && nth <= times[1];
