/** A browser of this machine, for tests of pages. Where there is no browser they are skipped, and say so. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const places = [
  process.env.CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const executablePath = places.find((path) => path !== '' && existsSync(path));

/** Why there is no browser; undefined where there is one. */
export const noBrowser =
  executablePath === undefined ? 'no Chromium is installed; CHROMIUM names one that is elsewhere' : undefined;

/** It speaks to this machine, and to no other: what else it would fetch, it asks of a proxy that is not there. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

interface Look {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

/** Opens a browser with an empty profile. `close` leaves nothing behind. */
export async function openBrowser({
  colorScheme = 'light',
  width = 1_280,
  height = 900,
}: Look = {}): Promise<BrowserContext & { readonly page: Page }> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    ...(executablePath !== undefined && { executablePath }),
    args,
    headless: true,
    colorScheme,
    viewport: { width, height },
  });
  const close = context.close.bind(context);
  return Object.assign(context, {
    page: context.pages()[0] ?? (await context.newPage()),
    async close() {
      await close();
      // Processes of the browser may write for a moment yet.
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  });
}

/** What axe-core finds against WCAG 2.2 A and AA, each fault with the elements that have it. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({
      runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
    }),
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}
