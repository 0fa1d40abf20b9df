/** The pages that a person sees around a login: plain HTML, no script, nothing from elsewhere, nothing to frame. */
import { hash } from 'node:crypto';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Language } from './language.ts';

export interface Page {
  readonly language: Language;
  readonly status: number;
  readonly tone: 'plain' | 'good' | 'bad';
  readonly title: string;
  readonly what: string;
  /** What to do next. */
  readonly next: string;
  /** The provider's own words. */
  readonly provider?: string | undefined;
  /** What it is about: names and what they name. */
  readonly facts?: readonly (readonly [name: string, value: string])[];
  /** The one way on from here. */
  readonly go?: { readonly href: string; readonly text: string };
}

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --paper: #f4f6f8; --card: #fff; --faint: #5b6675;
  --plain: #24598f; --good: #12724a; --bad: #a8321f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf1; --paper: #12161c; --card: #1b212a; --faint: #9aa6b5;
  --plain: #86b7e8; --good: #56c596; --bad: #f08a76; } }
* { box-sizing: border-box; margin: 0; }
body { min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; }
main { width: min(34rem, 100%); padding: 2rem 2.25rem; border-top: 4px solid var(--tone); border-radius: 0.5rem;
  background: var(--card); box-shadow: 0 1px 6px #0002; overflow-wrap: anywhere; }
.plain { --tone: var(--plain); }
.good { --tone: var(--good); }
.bad { --tone: var(--bad); }
h1 { margin-bottom: 0.75rem; color: var(--tone); font-size: 1.4rem; line-height: 1.3; }
p + p, blockquote, dl { margin-top: 0.75rem; }
p + dl, dl + p { margin-top: 1rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0.25rem 1rem; }
dt { color: var(--faint); }
dd { font-weight: 600; }
blockquote { padding-left: 0.9rem; border-left: 3px solid var(--tone); color: var(--faint); }
.go { display: inline-block; margin-top: 0.5rem; padding: 0.6rem 1.2rem; border-radius: 0.375rem;
  background: var(--tone); color: var(--card); font-weight: 600; text-decoration: none; }
`;

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  // The address of a page has the link or the authorization code in it.
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

export function page(shown: Page, cookies: readonly string[] = []): APIGatewayProxyStructuredResultV2 {
  const { language, status, tone, title, what, next, provider, facts = [], go } = shown;
  const rows = facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('');
  const content = [
    `<h1>${escaped(title)}</h1>`,
    `<p>${escaped(what)}</p>`,
    ...(rows === '' ? [] : [`<dl>${rows}</dl>`]),
    ...(provider === undefined ? [] : [`<blockquote>${escaped(provider)}</blockquote>`]),
    `<p>${escaped(next)}</p>`,
    ...(go === undefined
      ? []
      : [`<p><a class="go" rel="noreferrer" href="${escaped(go.href)}">${escaped(go.text)}</a></p>`]),
  ].join('\n');
  const body = `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escaped(title)}</title><style>${style}</style></head>
<body><main class="${tone}">
${content}
</main></body>
</html>
`;
  return {
    statusCode: status,
    headers: { ...headers, 'content-language': language },
    ...(cookies.length > 0 && { cookies: [...cookies] }),
    body,
  };
}
