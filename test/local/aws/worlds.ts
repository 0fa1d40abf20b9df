/**
 * The worlds that the contract of AWS's services is run in: our own endpoints always, and moto, another project's,
 * where it is installed.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { test } from 'vitest';
import { startEventBridge } from '../../../local/aws/eventbridge/eventbridge.ts';
import { startSecretsManager } from '../../../local/aws/secrets-manager/secrets-manager.ts';
import { startSqs } from '../../../local/aws/sqs/sqs.ts';
import { emulatorClient } from '../../../local/platform/account.ts';

export interface Started {
  readonly secretsManager: string;
  readonly sqs: string;
  readonly eventBridge: string;
  stop(): Promise<void>;
}

interface World {
  readonly title: string;
  readonly missing: boolean;
  start(): Promise<Started>;
  /** A test of what moto is known to do wrong: there it must fail, so that a mended moto is noticed. */
  testWrongInMoto(title: string, body: () => Promise<void>): void;
  /**
   * Requests at the same time are dealt with one after the other. moto has a thread for each and no lock, so now and
   * then two get the same message.
   */
  readonly serializes: boolean;
}

const local: World = {
  title: 'on the local endpoints',
  missing: false,
  testWrongInMoto: (title, body) => test(title, body),
  serializes: true,
  async start() {
    const database = new DatabaseSync(':memory:');
    const secretsManager = await startSecretsManager({ database });
    const sqs = await startSqs({ database });
    const eventBridge = await startEventBridge({ database });
    const stop = async (): Promise<void> => {
      await Promise.all([secretsManager.close(), sqs.close(), eventBridge.close()]);
      database.close();
    };
    return { secretsManager: secretsManager.url, sqs: sqs.url, eventBridge: eventBridge.url, stop };
  },
};

export const motoMissing = spawnSync('python3', ['-c', 'import moto.server']).status !== 0;

const moto: World = {
  title: motoMissing ? 'on moto: skipped, because moto is not installed (pip install "moto[server]")' : 'on moto',
  missing: motoMissing,
  testWrongInMoto: (title, body) => test.fails(`${title} (moto is known to be wrong here)`, body),
  serializes: false,
  async start() {
    const { url, stop } = await startMoto();
    return { secretsManager: url, sqs: url, eventBridge: url, stop };
  },
};

/** All of moto's services, at one URL. */
export async function startMoto(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const url = await announcedBy(child);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { url, stop };
}

export async function announcedBy(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error('moto has no standard error');
  let said = '';
  for await (const line of createInterface({ input: child.stderr })) {
    said += `${line}\n`;
    const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (url === undefined) continue;
    // Keeps reading, so that moto's log cannot fill the pipe.
    child.stderr.resume();
    return url;
  }
  throw new Error(`moto did not start: ${said}`);
}

export const worlds: readonly World[] = [local, moto];

const common = { ...emulatorClient, maxAttempts: 1 };
export const secretsClient = (endpoint: string): SecretsManagerClient =>
  new SecretsManagerClient({ ...common, endpoint });
export const eventsClient = (endpoint: string): EventBridgeClient => new EventBridgeClient({ ...common, endpoint });
/**
 * Without an endpoint of its own the client goes where the queue's URL says, and warns of it; the warning is nothing to
 * see here.
 */
export const sqsClient = (endpoint?: string): SQSClient =>
  new SQSClient({ ...common, logger: silent, ...(endpoint === undefined ? {} : { endpoint }) });
const silent = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
