/**
 * Many workers on one connection, in processes of their own, through what goes wrong with a broker: the bundles that
 * deploy, on the local platform, and a clock for all of them that is moved forward instead of waited for.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import { account } from '../../local/platform/account.ts';
import { type Front, startFront } from './front.ts';
import { lifeSeconds, type Provider, startProvider } from './provider.ts';
import type { Happened, Task } from './task.ts';

interface Size {
  readonly processes: number;
  /** In each process. */
  readonly workers: number;
  /** How long the slow renewal takes, the throttle lasts, and the broker stays away. */
  readonly slowSeconds: number;
  readonly throttledSeconds: number;
  readonly downSeconds: number;
}

export interface Row {
  readonly phase: string;
  /** Of the API. */
  readonly calls: number;
  readonly failed: readonly string[];
  /** To the broker, of each process. */
  readonly questions: readonly (readonly string[])[];
  /** Token sets that the provider gave. */
  readonly renewals: number;
}

const program = join(import.meta.dirname, 'process.ts');
const clockModule = join(import.meta.dirname, '../end-to-end/forwarded-clock.cjs');
const marginSeconds = lifeSeconds / 2;
/** Seconds after a token came: its renewal is due, each client has asked for the next one, little of it is left. */
const at = {
  due: lifeSeconds - marginSeconds + 1,
  asked: lifeSeconds - marginSeconds / 2 + 1,
  late: lifeSeconds - 300,
};
/** How long a state may take to come about, on a machine with much else to do. */
const patienceMs = 75_000;

/** A run in this directory, which is empty or has the synthesized assembly. */
export class Run {
  readonly #directory: string;
  readonly #size: Size;
  readonly #children: ChildProcess[] = [];
  #broker!: LocalBroker;
  #front!: Front;
  #provider!: Provider;
  #forwardedMs = 0;
  /** When the token came that clients have, and when the broker's newest one did. */
  #clientsSince = 0;
  #brokerSince = 0;

  constructor(directory: string, size: Size) {
    this.#directory = directory;
    this.#size = size;
    this.#setClock();
    process.env.FORWARDED_CLOCK = this.#clockFile;
    createRequire(import.meta.url)(clockModule);
  }

  /** Yields a row for each phase, as it ends. */
  async *rows(): AsyncGenerator<Row> {
    await this.#connect();
    const { slowSeconds, throttledSeconds, downSeconds } = this.#size;
    const phases: readonly (readonly [name: string, run: () => Promise<void>])[] = [
      ['start', () => this.#begin()],
      ['three renewals', () => this.#renewals(3)],
      [`a renewal of ${slowSeconds} s`, () => this.#slowRenewal(slowSeconds)],
      [`a throttle of ${throttledSeconds} s`, () => this.#throttle(throttledSeconds)],
      ['a restart of the broker', () => this.#restart(downSeconds)],
      ['a rejected token', () => this.#rejection()],
    ];
    let [before, given] = [await this.#told(), 0];
    for (const [phase, run] of phases) {
      await run();
      const now = await this.#told();
      yield {
        phase,
        calls: sum(now.map(({ calls }, child) => calls - (before[child]?.calls ?? 0))),
        failed: now.flatMap(({ failed }, child) => failed.slice(before[child]?.failed.length ?? 0)),
        questions: now.map(({ questions }, child) => questions.slice(before[child]?.questions.length ?? 0)),
        renewals: this.#provider.given - given,
      };
      [before, given] = [now, this.#provider.given];
    }
  }

  async close(): Promise<void> {
    const exits = this.#children.map((child) => once(child, 'exit'));
    for (const child of this.#children) child.disconnect();
    await Promise.all(exits);
    await this.#front?.close();
    await this.#broker?.close();
    await this.#provider?.close();
  }

  async #connect(): Promise<void> {
    this.#provider = await startProvider('refresh-0');
    await this.#startBroker(0);
    this.#front = await startFront(() => this.#port);
    const body = {
      provider: 'generic-oauth2',
      settings: { token_endpoint: `${this.#provider.url}/token` },
      client: { client_id: 'workers', client_secret: 'a secret of the run' },
      refresh_token: 'refresh-0',
      margin_seconds: marginSeconds,
    };
    const put = await this.#broker.fetch('/connections/demo', { method: 'PUT', body: JSON.stringify(body) });
    if (put.status !== 201) throw new Error(`PUT answered ${put.status}: ${await put.text()}`);
  }

  async #startBroker(port: number): Promise<void> {
    this.#broker = await startLocalBroker({
      port,
      directory: this.#directory,
      provider: 'none',
      variables: { FORWARDED_CLOCK: this.#clockFile, NODE_OPTIONS: `--require ${clockModule}` },
    });
  }

  get #port(): number {
    return Number(new URL(this.#broker.url).port);
  }

  async #begin(): Promise<void> {
    const task: Task = {
      url: this.#front.url,
      credentials: this.#broker.credentials,
      region: account.region,
      api: `${this.#provider.url}/me`,
      workers: this.#size.workers,
    };
    await this.#renewed(0);
    for (let started = 0; started < this.#size.processes; started += 1)
      this.#children.push(fork(program, [JSON.stringify(task)], { execArgv: ['--require', clockModule] }));
    await this.#clientsHave(1);
  }

  async #renewals(times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      await this.#renewed(at.due);
      this.#forwardTo(at.asked);
      await this.#clientsHave(this.#provider.given);
    }
  }

  /** Clients ask meanwhile, as their time comes, and go on with the token that they have. */
  async #slowRenewal(seconds: number): Promise<void> {
    this.#provider.slowNext(seconds * 1_000);
    await this.#renewed(at.asked);
    this.#forwardTo(at.late);
    await this.#clientsHave(this.#provider.given);
  }

  async #throttle(seconds: number): Promise<void> {
    await this.#renewed(at.due);
    this.#front.throttled = true;
    this.#forwardTo(at.asked);
    await sleep(seconds * 1_000);
    this.#front.throttled = false;
    await this.#clientsComeBack();
  }

  async #restart(seconds: number): Promise<void> {
    await this.#renewed(at.due);
    const port = this.#port;
    await this.#broker.close();
    this.#forwardTo(at.asked);
    await sleep(seconds * 1_000);
    await this.#startBroker(port);
    await this.#clientsComeBack();
  }

  async #rejection(): Promise<void> {
    this.#provider.revoke();
    await this.#clientsHave(this.#provider.given + 1);
  }

  /** Skips what is left of their longest back-off. */
  async #clientsComeBack(): Promise<void> {
    this.#forwardTo(at.late);
    await this.#clientsHave(this.#provider.given);
  }

  /** Has the token renewed, so many seconds after it came. */
  async #renewed(seconds: number): Promise<void> {
    const next = this.#provider.given + 1;
    this.#forwardTo(seconds);
    const asked = await this.#broker.fetch('/token/demo');
    if (asked.status !== 200) throw new Error(`GET /token/demo answered ${asked.status}: ${await asked.text()}`);
    await this.#brokerHas(next);
  }

  async #brokerHas(generation: number): Promise<void> {
    await until(`generation ${generation}`, async () => {
      const reply = await this.#broker.fetch('/connections/demo');
      return ((await reply.json()) as { readonly generation?: number }).generation === generation;
    });
    this.#brokerSince = Date.now();
  }

  async #clientsHave(generation: number): Promise<void> {
    await until(`generation ${generation} in every process`, async () =>
      (await this.#told()).every((child) => child.generation >= generation),
    );
    this.#clientsSince = this.#brokerSince;
  }

  async #told(): Promise<Happened[]> {
    return Promise.all(
      this.#children.map(async (child) => {
        const answer = once(child, 'message');
        child.send('what has happened?');
        return (await answer)[0] as Happened;
      }),
    );
  }

  /** Moves the clock of all processes on, to so long after the token came that clients have. */
  #forwardTo(seconds: number): void {
    this.#forwardedMs += Math.max(0, this.#clientsSince + seconds * 1_000 - Date.now());
    this.#setClock();
  }

  get #clockFile(): string {
    return join(this.#directory, 'forwarded-clock');
  }

  #setClock(): void {
    // Renamed, so that no process reads half a number.
    writeFileSync(`${this.#clockFile}.new`, String(this.#forwardedMs));
    renameSync(`${this.#clockFile}.new`, this.#clockFile);
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what} did not come about within ${patienceMs / 1_000} s`);
    await sleep(250);
  }
}
