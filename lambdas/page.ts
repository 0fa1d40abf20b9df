/** The pages that a person sees after a login: plain HTML, no script, nothing from elsewhere, nothing to follow or to frame. */
import { hash } from 'node:crypto';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

export interface Page {
  readonly status: number;
  readonly tone: 'good' | 'bad';
  readonly title: string;
  readonly what: string;
  /** What to do next. */
  readonly next: string;
  /** The provider's own words. */
  readonly provider?: string | undefined;
}

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --paper: #f4f6f8; --card: #fff; --faint: #5b6675; --good: #12724a; --bad: #a8321f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf1; --paper: #12161c; --card: #1b212a; --faint: #9aa6b5; --good: #56c596; --bad: #f08a76; } }
* { box-sizing: border-box; margin: 0; }
body { min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; }
main { width: min(34rem, 100%); padding: 2rem 2.25rem; border-top: 4px solid var(--tone); border-radius: 0.5rem; background: var(--card); box-shadow: 0 1px 6px #0002; }
.good { --tone: var(--good); }
.bad { --tone: var(--bad); }
h1 { margin-bottom: 0.75rem; color: var(--tone); font-size: 1.4rem; line-height: 1.3; }
p + p, blockquote { margin-top: 0.75rem; }
blockquote { padding-left: 0.9rem; border-left: 3px solid var(--tone); color: var(--faint); overflow-wrap: anywhere; }
`;

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  // The address of this page has the authorization code in it.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

export function page({ status, tone, title, what, next, provider }: Page): APIGatewayProxyStructuredResultV2 {
  const quoted = provider === undefined ? '' : `<blockquote>${escaped(provider)}</blockquote>`;
  const body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>${escaped(title)}</title><style>${style}</style></head>
<body><main class="${tone}"><h1>${escaped(title)}</h1><p>${escaped(what)}</p>${quoted}<p>${escaped(next)}</p></main></body>
</html>
`;
  return { statusCode: status, headers, body };
}
