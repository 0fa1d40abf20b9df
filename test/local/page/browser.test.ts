/** The page in a browser: what it shows, what its buttons ask, and who can use it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { servePage } from '../../../local/page/server.ts';
import { pageSource } from '../../../local/page/source.ts';
import { accessibilityFaults, noBrowser, openBrowser } from '../../browser/chromium.ts';
import { brokerWith, healthy, providerWith, someConnections } from './samples.ts';

if (noBrowser !== undefined) console.warn(`The page is not tried in a browser: ${noBrowser}.`);

// A browser and axe, beside whatever else runs.
vi.setConfig({ testTimeout: 60_000 });

const asked: unknown[] = [];
let connections = someConnections;
const everyMs = 200;

/** A busy machine takes its time for a look. */
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 15_000 });

describe.skipIf(noBrowser !== undefined)('the page', () => {
  let served: Awaited<ReturnType<typeof servePage>>;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  const trouble: string[] = [];
  beforeAll(async () => {
    const broker = brokerWith(() => connections, asked);
    served = await servePage(pageSource(broker, { everyMs, provider: providerWith(asked) }));
    browser = await openBrowser();
    browser.page.on('pageerror', ({ message }) => trouble.push(message));
    // What the policy of the page refuses is told here, too.
    browser.page.on('console', (message) => message.type() === 'error' && trouble.push(message.text()));
    await browser.page.goto(served.url);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });
  beforeEach(() => {
    connections = someConnections;
    asked.length = 0;
  });

  const card = (name: string) =>
    browser.page.locator('#connections li', { has: browser.page.locator('.name', { hasText: name }) });
  const shown = () => browser.page.locator('#connections .name').evaluateAll((names) => names.length);

  test('is given to the browser that has the key, and the key leaves the address', () => {
    expect(browser.page.url()).toBe(`${new URL(served.url).origin}/`);
  });

  test('shows every connection with its state, and how far its token is', async () => {
    await eventually(shown).toBe(40);
    expect(await browser.page.locator('#count').textContent()).toBe(
      '36 active, 1 failing, 1 needs a login, 1 misconfigured, 1 being deleted.',
    );
    const life = card('exact-nl-07').locator('svg.life');
    expect(await life.getAttribute('aria-label')).toMatch(/^Token of exact-nl-07, renewal in 2 min, expiry in 3 min$/);
    const width = Number(await life.locator('.gone').getAttribute('width'));
    expect(width).toBeGreaterThan(60);
    expect(width).toBeLessThan(100);
  });

  test('tells of a failure in words, as text, with the rule that decided, and of the application’s breaker', async () => {
    await card('hubspot-crm').locator('summary').click();
    const facts = await card('hubspot-crm').locator('dl').textContent();
    expect(facts).toContain('http_503, The service is unavailable <b>for a moment</b>.');
    expect(facts).toMatch(/3 in a row; rule server_error\./);
    expect(await browser.page.locator('#applications').textContent()).toContain('It does not answer: no call, until');
    expect(await card('xero-wrong').locator('.advice').textContent()).toMatch(/^Check client\.client_secret/);
    expect(await card('exact-nl-36').locator('.advice').textContent()).toBe('Its client secret ends in 5 days.');
  });

  test('is live, and leaves open what is open and the focus where it is', async () => {
    const details = card('exact-nl-01').locator('details');
    await details.locator('summary').click();
    await details.getByRole('button', { name: /^Link for three days/ }).focus();
    const renewed = healthy('exact-nl-01', { generation: 145, renewed_at: new Date().toISOString() });
    connections = [renewed, ...someConnections.slice(1)];
    await eventually(() => details.locator('dl').textContent()).toContain('Generation145');
    expect(await details.locator('svg.chart').getAttribute('aria-label')).toMatch(/^2 renewals, 0 failures seen/);
    expect(await details.getAttribute('open')).not.toBeNull();
    expect(await browser.page.evaluate('document.activeElement.textContent')).toBe('Link for three days');
  });

  test('filters by name and by state', async () => {
    await browser.page.getByLabel('Name').fill('example 3');
    await eventually(shown).toBe(8);
    await browser.page.getByLabel('Name').fill('');
    await browser.page.getByLabel('State').selectOption('failing');
    await eventually(shown).toBe(1);
    await browser.page.getByLabel('State').selectOption('');
    await eventually(shown).toBe(40);
  });

  test('makes a link by the keyboard alone, and the focus is on it', async () => {
    const summary = card('sage-dead').locator('summary');
    // What needs a login is open already.
    expect(await card('sage-dead').locator('details').getAttribute('open')).not.toBeNull();
    await summary.focus();
    await browser.page.keyboard.press('Tab');
    await browser.page.keyboard.press('Enter');
    await eventually(() => browser.page.evaluate('document.activeElement.href')).toMatch(/link=LINK$/);
    expect(asked).toEqual([['/connections/sage-dead/authorizations', { expires_in: 600 }]]);
  });

  test('shows the provider’s side, and revokes one grant there', async () => {
    expect(await browser.page.locator('#provider-name').textContent()).toContain('It is down, for 41 s yet.');
    await browser.page.getByRole('button', { name: /^Revoke the grant of newcomer/ }).click();
    await eventually(() => browser.page.locator('#said').textContent()).toBe('The grant is revoked.');
    expect(asked).toEqual([['revoke', 'one']]);
  });

  test('is let in again when it is loaded again, and tells a tab without the key where to get it', async () => {
    await browser.page.reload();
    await eventually(shown).toBe(40);
    const tab = await browser.newPage();
    await tab.goto(new URL(served.url).origin);
    await eventually(() => tab.locator('#trouble').textContent()).toContain('Open the address that npm start');
    await tab.evaluate(`location.href = ${JSON.stringify(served.url)}`);
    await eventually(() => tab.locator('#connections .name').count()).toBe(40);
    expect(tab.url()).toBe(`${new URL(served.url).origin}/`);
    await tab.close();
  });

  test('says so when nothing new can be shown, and goes on', async () => {
    const before = connections;
    connections = undefined as unknown as typeof connections;
    await eventually(() => browser.page.locator('#trouble').textContent()).toContain('Nothing new can be shown');
    connections = before;
    await eventually(() => browser.page.locator('#trouble').textContent()).toBe('');
  });

  test('says which server to look for when the page’s own is away', async () => {
    await browser.page.route('**/state?*', (route) => route.abort());
    await eventually(() => browser.page.locator('#trouble').textContent()).toMatch(
      /Is npm start, or .*another address/,
    );
    await browser.page.unroute('**/state?*');
    await eventually(() => browser.page.locator('#trouble').textContent()).toBe('');
  });

  test('says that a name may be among those it does not show', async () => {
    connections = Array.from({ length: 301 }, (_, i) => healthy(`books-${String(i + 1).padStart(3, '0')}`));
    await eventually(shown).toBe(300);
    await browser.page.getByLabel('Name').fill('books-301');
    await eventually(() => browser.page.locator('#count').textContent()).toMatch(
      /^No connection is like that\. Looked at were the first 300 by name; there are more/,
    );
    await browser.page.getByLabel('Name').fill('');
  });

  test('judges instants by its server’s clock, where the browser’s is off', async () => {
    const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
    connections = [healthy('books', { next_renewal_at: inMinutes(20), expires_at: inMinutes(40) })];
    const away = await openBrowser();
    try {
      await away.clock.setFixedTime(Date.now() + 3_600_000);
      await away.page.goto(served.url);
      const life = away.page.locator('#connections li svg.life').first();
      await eventually(() => life.getAttribute('aria-label')).toMatch(/renewal in \d+ min, expiry in \d+ min$/);
    } finally {
      await away.close();
    }
  });

  test.each([
    ['light', 320],
    ['light', 1_280],
    ['dark', 1_280],
    ['light', 390],
    ['dark', 390],
  ] as const)('is accessible in the %s, %i pixels wide, and is no wider than that', async (colorScheme, width) => {
    await browser.page.emulateMedia({ colorScheme });
    await browser.page.setViewportSize({ width, height: 900 });
    await eventually(shown).toBe(40);
    expect(await accessibilityFaults(browser.page)).toEqual([]);
    expect(await browser.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  });

  test('had no error, and nothing that its policy refused', () => {
    // Those that were made.
    expect(trouble.filter((text) => !/502|ERR_FAILED/.test(text))).toEqual([]);
  });
});
