/** Calls to a provider within a budget: each reply as the product understands it. */
import { outcomeOf } from '../../shared/application/outcome-of.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import type { FailureClass } from '../../shared/domain/failure.ts';
import { limits } from '../../shared/domain/limits.ts';
import { membersOf } from '../../shared/domain/reply.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { type EpochMs, hourMs, plus } from '../../shared/domain/time.ts';
import type { Credentials } from '../../shared/ports/credentials.ts';
import type { ProviderRules } from '../../shared/ports/providers.ts';
import type { TokenEndpoint } from '../../shared/ports/token-endpoint.ts';

export interface ProbeWorld {
  readonly clock: { now(): EpochMs; sleep(ms: number): Promise<void> };
  readonly endpoint: TokenEndpoint;
  readonly rules: ProviderRules;
  readonly config: ConnectionConfig;
  readonly credentials: Credentials;
  /** The status with which the provider's API answers to an access token; absent if no address of it is known. */
  readonly api?: (accessToken: string) => Promise<number>;
  /** What happens, for the person who waits. */
  tell(line: string): void;
}

export interface Budget {
  /** Calls to the token endpoint. */
  readonly calls: number;
  /** Refusals within an hour; the probe waits before it goes beyond. */
  readonly errorsAnHour: number;
  /** How long all of it may take. */
  readonly ms: number;
}

export interface Granted {
  readonly ok: true;
  readonly at: EpochMs;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Undefined where the reply does not tell. */
  readonly lifeMs: number | undefined;
  readonly expiresIn: unknown;
}

export interface Refusal {
  readonly ok: false;
  readonly at: EpochMs;
  readonly class: FailureClass;
  readonly code: string;
  readonly status: number | undefined;
  readonly description: string | undefined;
  readonly rule: string | undefined;
}

/** Why the probe ends before its plan does. */
export class ProbeEnded extends Error {
  override readonly name = 'ProbeEnded';
}

export class Asking {
  readonly refusals: Refusal[] = [];
  calls = 0;
  readonly #world: ProbeWorld;
  readonly #budget: Budget;
  readonly #until: EpochMs;

  constructor(world: ProbeWorld, budget: Budget) {
    this.#world = world;
    this.#budget = budget;
    this.#until = plus(world.clock.now(), budget.ms);
  }

  now(): EpochMs {
    return this.#world.clock.now();
  }

  /** Waits. Throws `ProbeEnded` where that would take longer than agreed. */
  async waitUntil(instant: EpochMs): Promise<void> {
    const { clock } = this.#world;
    if (instant > this.#until) throw new ProbeEnded('the time that was agreed is over');
    if (instant > clock.now()) await clock.sleep(instant - clock.now());
  }

  /** Sends this refresh token once. Throws `ProbeEnded` where the budget is spent, or no answer came. */
  async renew(refreshToken: string): Promise<Granted | Refusal> {
    if (this.calls >= this.#budget.calls) throw new ProbeEnded('the calls that were agreed are made');
    await this.#untilErrorsAreForgiven();
    this.calls += 1;
    const { endpoint, config, credentials, rules, clock } = this.#world;
    const sent = new Secret(refreshToken);
    const requestedAt = clock.now();
    const timeoutMs = limits.callTimeoutMs;
    const exchange = await endpoint.request({
      config,
      grant: 'refresh_token',
      refreshToken: sent,
      credentials,
      timeoutMs,
    });
    const receivedAt = clock.now();
    const outcome = outcomeOf(rules, exchange, { requestedAt, receivedAt }, { credentials, others: [sent] });
    if (outcome.kind === 'success') {
      const { accessToken, expiresAt, expiryAssumed } = outcome.tokens;
      return {
        ok: true,
        at: receivedAt,
        accessToken: accessToken.reveal(),
        refreshToken: outcome.tokens.refreshToken?.reveal(),
        lifeMs: expiryAssumed ? undefined : expiresAt - requestedAt,
        expiresIn: exchange.kind === 'reply' ? membersOf(exchange)?.expires_in : undefined,
      };
    }
    const { class: kind, code, status, description, rule } = outcome;
    if (exchange.kind !== 'reply' || kind === 'in_doubt' || status === undefined || status === 429 || status >= 500)
      throw new ProbeEnded(`the provider did not answer as usual (${[code, description].filter(Boolean).join(': ')})`);
    const refusal: Refusal = { ok: false, at: receivedAt, class: kind, code, status, description, rule };
    this.refusals.push(refusal);
    return refusal;
  }

  async #untilErrorsAreForgiven(): Promise<void> {
    const { errorsAnHour } = this.#budget;
    const oldest = this.refusals.at(-errorsAnHour);
    if (oldest === undefined || plus(oldest.at, hourMs) <= this.now()) return;
    this.#world.tell('Waits until the refusals of the last hour are forgotten.');
    await this.waitUntil(plus(oldest.at, hourMs));
  }
}
