/**
 * One local broker for a test file, with provider simulators beside it and a clock for all of them that a test moves
 * forward: the bundles that deploy, through hours and days of a provider's rules, without waiting for them.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, inject } from 'vitest';
import { type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import { emulatorClient } from '../../local/platform/account.ts';
import { type SimulatorClock, startClock } from '../../local/simulators/clock.ts';
import { newBrowser } from '../handlers/browser.ts';
import { dataDirectory } from './synthesized.ts';

/** What the API answered. Members are those of tokens, descriptions and problems alike. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The page that a login ended on. */
interface LoginPage {
  readonly status: number;
  readonly title: string;
  readonly html: string;
}

export interface ProviderBroker {
  readonly broker: LocalBroker;
  /** Its data directory. */
  readonly directory: string;
  /** Every line that a function wrote. */
  readonly log: readonly string[];
  /** Starts a simulator on the broker's clock; it is closed with the broker. */
  simulate<S extends { close(): Promise<void> }>(
    start: (options: { readonly clock: SimulatorClock }) => Promise<S>,
  ): Promise<S>;
  /** `PUT /connections/{connection}`. */
  put(connection: string, body: object): Promise<Answer>;
  /** The same, and fails unless it was created or replaced. Returns the description. */
  connect(connection: string, body: object): Promise<Answer['body']>;
  /** `GET /token/{connection}`; waits up to 20 s for a token, unless the query says otherwise. */
  token(connection: string, query?: string): Promise<Answer>;
  /** The same, and fails unless there is one, without a warning. Returns the reply's body. */
  served(connection: string, query?: string): Promise<Answer['body']>;
  /** `POST /token/{connection}/rejections`; waits up to 20 s for a newer token, unless the query says otherwise. */
  reject(connection: string, rejection: object, query?: string): Promise<Answer>;
  /** `DELETE /connections/{connection}`. */
  remove(connection: string): Promise<void>;
  /** `GET /connections/{connection}`. */
  status(connection: string): Promise<Answer['body']>;
  /** Resolves with the description when it matches; fails if it does not come to that. */
  until(connection: string, expected: object): Promise<Answer['body']>;
  /** Opens a link, follows the provider's page back, and returns the page that the login ends on. */
  logInBy(link: string): Promise<LoginPage>;
  /** Makes a link, opens it, follows the provider's page back, and returns the page that the login ends on. */
  login(connection: string): Promise<LoginPage>;
  /**
   * Lets so much time pass for all processes, plans, as each minute would have, and resolves when what fell due has
   * been done.
   */
  forward(seconds: number): Promise<void>;
  /** The same, to the instant before which the connection makes no call. */
  forwardPastBackOff(connection: string): Promise<void>;
  /** Of these texts, those that a function wrote into its log. */
  leaked(secrets: readonly string[]): string[];
  close(): Promise<void>;
}

/** How long a state may take to come about, on a machine with much else to do. */
const patience = { timeout: 40_000, interval: 50 };

export async function startProviderBroker(): Promise<ProviderBroker> {
  const directory = dataDirectory(inject('assembly'));
  const forwarded = join(directory, 'forwarded-clock');
  let forwardedMs = 0;
  const setClock = (): void => {
    // Renamed, so that no process reads half a number.
    writeFileSync(`${forwarded}.new`, String(forwardedMs));
    renameSync(`${forwarded}.new`, forwarded);
  };
  setClock();
  process.env.FORWARDED_CLOCK = forwarded;
  createRequire(import.meta.url)(clockModule);

  const log: string[] = [];
  let sqsUrl = '';
  const broker = await startLocalBroker({
    port: 0,
    directory,
    provider: 'none',
    endpoints: async (emulators) => {
      sqsUrl = emulators.sqs;
      return emulators;
    },
    variables: { FORWARDED_CLOCK: forwarded, NODE_OPTIONS: `--require ${clockModule}` },
    onLog: (_, line) => log.push(line),
  });
  const sqs = new SQSClient({ ...emulatorClient, endpoint: sqsUrl });
  const simulators: { close(): Promise<void> }[] = [];

  async function call(method: string, path: string, body?: object): Promise<Answer> {
    const reply = await broker.fetch(path, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    return { status: reply.status, headers: reply.headers, body: text === '' ? {} : JSON.parse(text) };
  }

  const put = (connection: string, body: object) => call('PUT', `/connections/${connection}`, body);
  const token = (connection: string, query = 'wait=20') => call('GET', `/token/${connection}?${query}`);
  const status = async (connection: string) => (await call('GET', `/connections/${connection}`)).body;

  const queueUrls = (): string[] =>
    broker.deployment.eventSources.map(({ queueName }) => `${sqsUrl}/000000000000/${queueName}`);

  /** Resolves when every message that is due has been dealt with, and nothing is under way. */
  async function settle(): Promise<void> {
    for (const QueueUrl of queueUrls()) {
      const messages = async () =>
        (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes;
      await expect
        .poll(messages, patience)
        .toMatchObject({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' });
    }
    await expect.poll(() => broker.lambda.environments().filter(({ busy }) => busy), patience).toEqual([]);
  }

  async function forward(seconds: number): Promise<void> {
    if (!(seconds >= 0)) throw new Error(`the clock goes forward only, not by ${seconds} s`);
    await settle();
    forwardedMs += seconds * 1_000;
    setClock();
    for (const { functionName, input } of broker.deployment.schedules) {
      expect(await broker.lambda.invoke(functionName, JSON.parse(input))).not.toHaveProperty('error');
    }
    // Wakes the poller, which sleeps until the next message is due by the real clock.
    for (const QueueUrl of queueUrls())
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"connection":"nobody"}' }));
    await settle();
  }

  async function logInBy(link: string): Promise<LoginPage> {
    const browser = newBrowser();
    const consent = await fetch(await browser.begin(link), { redirect: 'manual' });
    const back = consent.headers.get('location');
    if (back === null) throw new Error(`the provider's page answered ${consent.status}: ${await consent.text()}`);
    const page = await browser.open(back);
    const html = await page.text();
    return { status: page.status, title: /<h1>(.*?)<\/h1>/s.exec(html)?.[1] ?? '', html };
  }

  return {
    broker,
    directory,
    log,
    put,
    token,
    status,
    remove: async (connection) => void (await call('DELETE', `/connections/${connection}`)),
    reject: (connection, rejection, query = 'wait=20') =>
      call('POST', `/token/${connection}/rejections?${query}`, rejection),

    async simulate(start) {
      const simulator = await start({ clock: startClock() });
      simulators.push(simulator);
      return simulator;
    },

    async connect(connection, body) {
      const answer = await put(connection, body);
      expect([200, 201], JSON.stringify(answer.body)).toContain(answer.status);
      return answer.body;
    },

    async served(connection, query) {
      const answer = await token(connection, query);
      expect(answer, `a token of ${connection}`).toMatchObject({
        status: 200,
        body: { connection, access_token: expect.any(String) },
      });
      expect(answer.body).not.toHaveProperty('warning');
      return answer.body;
    },

    async until(connection, expected) {
      let description: Answer['body'] = {};
      const look = async () => {
        description = await status(connection);
        return description;
      };
      await expect.poll(look, patience).toMatchObject(expected);
      return description;
    },

    async login(connection) {
      const { status: made, body } = await call('POST', `/connections/${connection}/authorizations`);
      expect(made, JSON.stringify(body)).toBe(201);
      return logInBy(String(body.connect_url));
    },

    logInBy,

    forward,

    async forwardPastBackOff(connection) {
      const { not_before } = await status(connection);
      expect(not_before, `${connection} backs off until then`).toBeTypeOf('string');
      await forward((Date.parse(String(not_before)) - Date.now()) / 1_000);
    },

    leaked(secrets) {
      const written = log.join('\n');
      expect(written).toContain('refresh_succeeded');
      return secrets.filter((secret) => written.includes(secret));
    },

    async close() {
      sqs.destroy();
      await broker.close();
      for (const simulator of simulators) await simulator.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const clockModule = join(import.meta.dirname, 'forwarded-clock.cjs');
