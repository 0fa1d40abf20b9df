// Drawn with attributes of SVG, since the page's policy lets no style into its text.
import { distance, element, now, until } from './elements.js';

function svg(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

const between = (value) => Math.min(Math.max(0, value), 100);

/** A bar that runs from the arrival of the token to its expiry, with a mark at the renewal. */
export function bar({ connection, renewed_at: renewed, expires_at: expires, next_renewal_at: renewal }) {
  if (renewed === undefined || expires === undefined) return [];
  const from = Date.parse(renewed);
  const share = (instant) => between(((instant - from) / (Date.parse(expires) - from)) * 100);
  const label = [`Token of ${connection}`, renewal && `renewal ${until(renewal)}`, `expiry ${until(expires)}`];
  const rect = (className, x, width) => svg('rect', { class: className, x, y: 0, width, height: 10 });
  return [
    svg(
      'svg',
      {
        class: 'life',
        viewBox: '0 0 100 10',
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': label.filter(Boolean).join(', '),
      },
      rect('whole', 0, 100),
      rect('gone', 0, share(now())),
      ...(renewal === undefined ? [] : [rect('mark', Math.min(99, share(Date.parse(renewal))), 1)]),
    ),
  ];
}

/** What was seen since the page was opened: a bar for each renewal, a lower one for each failure. */
export function chart({ history: { since, events } }) {
  if (events.length === 0) return [];
  const from = Math.min(Date.parse(since), Date.parse(events[0].at));
  const place = (at) => 1 + between(((Date.parse(at) - from) / Math.max(1, now() - from)) * 100) * 5.9;
  const failed = events.filter(({ kind }) => kind === 'failed');
  const counted = (count, what) => `${count} ${what}${count === 1 ? '' : 's'}`;
  const told = `${counted(events.length - failed.length, 'renewal')}, ${counted(failed.length, 'failure')}`;
  const text = `${told} seen within ${distance(new Date(from).toISOString())}`;
  const drawn = svg(
    'svg',
    { class: 'chart', viewBox: '0 0 600 24', preserveAspectRatio: 'none', role: 'img', 'aria-label': text },
    svg('line', { x1: 0, y1: 23, x2: 600, y2: 23 }),
    ...events.map(({ at, kind }) =>
      kind === 'renewed'
        ? svg('rect', { class: kind, x: place(at), y: 3, width: 4, height: 20 })
        : svg('rect', { class: kind, x: place(at), y: 13, width: 4, height: 10 }),
    ),
  );
  return [element('p', { className: 'times quiet', textContent: `${text}:` }), drawn];
}
