import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { languageFor, languages } from '../../lambdas/pages/language.ts';
import { linkPage, pageForError, redemptionPage } from '../../lambdas/pages/login-pages.ts';
import { page } from '../../lambdas/pages/page.ts';
import { texts } from '../../lambdas/pages/texts.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { Unavailable } from '../../shared/ports/errors.ts';

const about = { connection: 'exact-nl' as ConnectionName, title: 'Exact Online', account: 'ann@example.com' };

const opened = {
  kind: 'good',
  about,
  authorizeUrl: new URL('https://start.exactonline.nl/api/oauth2/auth?state=s&scope=a'),
  expiresAt: Date.UTC(2026, 10, 29, 12, 30) as EpochMs,
  askedBy: 'arn:aws:sts::123456789012:assumed-role/administrator/bob',
  browser: '33333333-3333-4333-8333-333333333333',
} as const;

describe('a page', () => {
  test('shows a provider’s words as text, whatever they are', () => {
    const description = `<script>alert("1")</script> & 'more'`;
    const { body = '' } = page(redemptionPage('en', { kind: 'refused', about, code: 'server_error', description }));
    expect(body).toContain(
      '<blockquote>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;</blockquote>',
    );
    expect(body).not.toContain('<script');
  });

  test('is styled by exactly the style that its policy allows', () => {
    const { body = '', headers = {} } = page(redemptionPage('en', { kind: 'connected', about }));
    const style = /<style>([\s\S]*)<\/style>/.exec(body)?.[1] ?? '';
    expect(style.length).toBeGreaterThan(100);
    expect(headers['content-security-policy']).toContain(`style-src 'sha256-${hash('sha256', style, 'base64')}'`);
  });

  test('is good news in one case only', () => {
    expect(redemptionPage('en', { kind: 'connected', about })).toMatchObject({ status: 200, tone: 'good' });
    const unproven = redemptionPage('en', { kind: 'connected_unproven', about, code: 'server_error' });
    expect(unproven).toMatchObject({ status: 200, tone: 'plain', title: 'Connected, but not proven yet' });
    for (const kind of [
      'link_expired',
      'link_used',
      'link_over',
      'another_issuer',
      'malformed',
      'no_refresh_token',
      'changed_meanwhile',
    ] as const) {
      const { status, tone, next } = redemptionPage('en', { kind, about });
      expect({ tone, ok: status >= 400 && next !== '' }).toEqual({ tone: 'bad', ok: true });
    }
    for (const kind of ['denied', 'refused', 'no_answer'] as const)
      expect(redemptionPage('en', { kind, about, code: 'x' })).toMatchObject({ tone: 'bad' });
  });

  test('tells an outage here, which passes, from a fault', () => {
    expect(pageForError('en', new Unavailable('table'))).toMatchObject({ status: 503 });
    expect(pageForError('en', new Error('secret words'))).toMatchObject({ status: 500 });
    expect(JSON.stringify(pageForError('en', new Error('secret words')))).not.toContain('secret words');
  });

  test('of a link says what is connected, who asked and until when, and leads to the provider by a click', () => {
    const { body = '' } = page(linkPage('en', opened));
    for (const [name, value] of [
      ['Provider', 'Exact Online'],
      ['Connection', 'exact-nl'],
      ['Account', 'ann@example.com'],
      ['Asked for by', 'assumed-role/administrator/bob'],
      ['Good until', 'November 29, 2026 at 12:30 PM UTC'],
    ])
      expect(body).toContain(`<dt>${name}</dt><dd>${value}</dd>`);
    expect(body).toContain('href="https://start.exactonline.nl/api/oauth2/auth?state=s&amp;scope=a"');
    expect(body).toContain('>Continue to start.exactonline.nl</a>');
  });
});

describe('in each language', () => {
  const placeholders = (text: string): Set<string> => new Set(text.match(/\{\w+\}/g));

  test.each(languages)('%s says everything, and puts in every value', (language) => {
    for (const [message, { title, what, next }] of Object.entries(texts[language].messages)) {
      const english = texts.en.messages[message as keyof typeof texts.en.messages];
      for (const text of [title, what, next]) expect(text).not.toMatch(/undefined|\s$/);
      expect(placeholders(`${title} ${what} ${next}`), message).toEqual(
        placeholders(`${english.title} ${english.what} ${english.next}`),
      );
    }
  });

  test.each(languages)('%s is told to the browser, and is not English', (language) => {
    const { body = '', headers } = page(linkPage(language, opened));
    expect(body).toContain(`<html lang="${language}">`);
    expect(headers).toMatchObject({ 'content-language': language });
    if (language !== 'en') expect(texts[language].messages).not.toMatchObject({ connect: texts.en.messages.connect });
    expect(body).not.toMatch(/\{\w+\}/);
  });
});

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['nl-NL,nl;q=0.9,en-US;q=0.8', 'nl'],
  ['DE-at', 'de'],
  ['es, fr;q=0.5, en;q=0.4', 'fr'],
  ['en;q=0.1, de;q=0.7, nl;q=0.8', 'nl'],
  ['nl;q=0, de;q=0.1', 'de'],
  ['nl;q=x, fr', 'fr'],
  ['*', 'en'],
  ['ja', 'en'],
  [`${'a,'.repeat(5_000)}nl`, 'en'],
  ['constructor, __proto__, de', 'de'],
])('a browser that asks for %.40s gets %s', (header, language) => {
  expect(languageFor(header)).toBe(language);
});
