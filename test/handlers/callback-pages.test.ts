import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { pageFor, pageForError } from '../../lambdas/callback-pages.ts';
import { page } from '../../lambdas/page.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { Unavailable } from '../../shared/ports/errors.ts';

const connection = 'exact-nl' as ConnectionName;

describe('a page', () => {
  test('shows a provider’s words as text, whatever they are', () => {
    const description = `<script>alert("1")</script> & 'more'`;
    const { body = '' } = page(pageFor({ kind: 'refused', connection, code: 'server_error', description }));
    expect(body).toContain(
      '<blockquote>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;</blockquote>',
    );
    expect(body).not.toContain('<script');
  });

  test('is styled by exactly the style that its policy allows', () => {
    const { body = '', headers = {} } = page(pageFor({ kind: 'connected', connection }));
    const style = /<style>([\s\S]*)<\/style>/.exec(body)?.[1] ?? '';
    expect(style.length).toBeGreaterThan(100);
    expect(headers['content-security-policy']).toContain(`style-src 'sha256-${hash('sha256', style, 'base64')}'`);
  });

  test('is good news in one case only', () => {
    expect(pageFor({ kind: 'connected', connection })).toMatchObject({ status: 200, tone: 'good' });
    for (const kind of [
      'link_expired',
      'link_used',
      'another_issuer',
      'malformed',
      'no_refresh_token',
      'changed_meanwhile',
    ] as const) {
      const { status, tone, next } = pageFor({ kind, connection });
      expect({ tone, ok: status >= 400 && next !== '' }).toEqual({ tone: 'bad', ok: true });
    }
    for (const kind of ['denied', 'refused', 'no_answer'] as const)
      expect(pageFor({ kind, connection, code: 'x' })).toMatchObject({ tone: 'bad' });
  });

  test('tells an outage here, which passes, from a fault', () => {
    expect(pageForError(new Unavailable('table'))).toMatchObject({ status: 503 });
    expect(pageForError(new Error('secret words'))).toMatchObject({ status: 500 });
    expect(JSON.stringify(pageForError(new Error('secret words')))).not.toContain('secret words');
  });
});
