/** What is done at a moment of the protocol. Each gets the request that marks the moment, and how to let it pass. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoints } from '../../local/broker.ts';
import type { Forward, Reply } from './proxy.ts';

export interface Struck {
  /** Of the process that sent the request. */
  readonly pid: () => number;
  /** SIGKILL; resolves when the process is gone. */
  readonly kill: () => Promise<void>;
  /** Takes one of the emulated services away from all processes, and brings it back after that time. */
  readonly takeAway: (service: keyof Endpoints, forMs: number) => void;
}

export type Blow = (struck: Struck, forward: Forward) => Promise<Reply | undefined>;

/** The request never takes effect. */
export const killBefore: Blow = async ({ kill }) => {
  await kill();
  return undefined;
};

/** The request takes effect; its sender is dead when the reply comes. */
export const killAfter: Blow = async ({ kill }, forward) => {
  await forward();
  await kill();
  return undefined;
};

/** SIGSTOP, and SIGCONT after that time; the request takes effect only then. */
export const freeze =
  (forMs: number): Blow =>
  async ({ pid }, forward) => {
    const frozen = pid();
    const thaw = () => process.kill(frozen, 'SIGCONT');
    // Should the harness end first: a stopped process would not notice, and stay.
    process.once('exit', thaw);
    process.kill(frozen, 'SIGSTOP');
    await sleep(forMs);
    process.off('exit', thaw);
    thaw();
    return forward();
  };

/** The service is gone from this moment on; the request that marks the moment goes elsewhere, or is broken too. */
export const outage =
  (service: keyof Endpoints, forMs: number): Blow =>
  async ({ takeAway }, forward) => {
    takeAway(service, forMs);
    return forward();
  };
