/** The first ten minutes of a newcomer, in a browser: what README says, from the first start on. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { accessibilityFaults, noBrowser, openBrowser } from '../browser/chromium.ts';
import { type BrokerProcess, startBroker } from './broker-process.ts';

if (noBrowser !== undefined) console.warn(`The newcomer has no browser: ${noBrowser}.`);

/** Renewals are a minute apart at most, and this machine may be busy. */
const waiting = { timeout: 90_000, interval: 500 };
vi.setConfig({ testTimeout: 300_000 });

describe.skipIf(noBrowser !== undefined)('a newcomer', () => {
  let directory: string;
  let broker: BrokerProcess;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'newcomer-'));
    broker = await startBroker(join(directory, 'data'), 'oidc-provider');
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await broker?.killEverything();
    rmSync(directory, { recursive: true, force: true });
  });

  const run = (...argv: readonly string[]) =>
    spawnSync(process.execPath, ['cli/start.mjs', ...argv, '--data', join(directory, 'data')], { encoding: 'utf8' });
  const card = () =>
    browser.page.locator('#connections li', { has: browser.page.locator('.name', { hasText: /^another/ }) });
  const state = () => card().locator('.state').textContent();
  const generation = async () => Number(/Generation(\d+)/.exec((await card().locator('dl').textContent()) ?? '')?.[1]);
  const linkBy = () => browser.page.locator('#said a');

  /** Opens the link, and says yes on the broker's page and at the provider. */
  async function logInBy(link: string): Promise<void> {
    const login = await browser.newPage();
    await login.goto(link);
    expect(await accessibilityFaults(login)).toEqual([]);
    await login.getByRole('link').or(login.getByRole('button')).first().click();
    await login.getByRole('button', { name: 'Allow' }).click();
    await login.waitForURL(/\/oauth\/callback/);
    expect(await login.locator('h1').textContent()).toMatch(/connected/i);
    await login.close();
  }

  test('puts a connection as the terminal says, and finds it on the page, which asks for a login', async () => {
    const { connection } = demoOf(broker.printed);
    const put = await broker.fetch('/connections/another', { method: 'PUT', body: connection });
    expect(put.status).toBe(201);
    const page = broker.printed.find((line) => line.includes('/#key=')) ?? '';
    await browser.page.goto(page.trim());
    await expect.poll(state, waiting).toBe('needs a login');
  });

  test('connects by the page’s button, and gets a token', async () => {
    await card().getByRole('button', { name: 'Log in: another' }).click();
    await logInBy((await linkBy().getAttribute('href')) ?? '');
    await expect.poll(state, waiting).toBe('active');
    const { status, stdout } = run('token', 'another', '--header', 'authorization');
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^Bearer \S+\n$/)]);
  });

  test('sees the token renewed', async () => {
    const before = await generation();
    await expect.poll(generation, waiting).toBeGreaterThan(before);
  });

  test('revokes the grants at the provider’s side, and sees that a person has to log in again', async () => {
    await browser.page.getByRole('button', { name: 'Revoke every grant' }).click();
    await expect.poll(() => browser.page.locator('#said').textContent(), waiting).toBe('Every grant is revoked.');
    await expect.poll(state, waiting).toBe('needs a login');
    expect(await card().locator('dl').textContent()).toMatch(/Last failureinvalid_grant.*; rule /);
    expect(run('status', 'another', '--json').stdout).toContain('"reauthorization_required"');
    // A token that lives is served to its end.
    await expect.poll(() => run('token', 'another', '--wait', '0').status, waiting).toBe(4);
    const doctor = run('doctor');
    expect([doctor.status, doctor.stdout]).toEqual([4, expect.stringContaining('another: a person has to log in')]);
  });

  test('reconnects by a link that was mailed, and goes on', async () => {
    const { status, stdout } = run('link', 'another', '--for', '3d');
    expect(status).toBe(0);
    await logInBy(stdout.trim());
    await expect.poll(state, waiting).toBe('active');
    const before = await generation();
    expect(run('token', 'another').status).toBe(0);
    await expect.poll(generation, waiting).toBeGreaterThan(before);
  });

  /** What the terminal says to put, with `-d`. */
  function demoOf(printed: readonly string[]): { readonly connection: string } {
    const [, connection = ''] = /-X PUT \S+\/connections\/another -d '(.*)'/.exec(printed.join('\n')) ?? [];
    return { connection };
  }
});
