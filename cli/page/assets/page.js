// Shows the state that the server tells every two seconds. Text is set as text, never as markup: names, accounts and
// the provider's words come from elsewhere.
const everyMs = 2_000;
const historyMs = 10 * 60_000;

const byId = (id) => document.getElementById(id);
const filters = byId('filters');
/** When a connection was seen to have a new generation, by its name: what the chart is drawn from. */
const renewals = new Map();
const generations = new Map();
let state;

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
];

function distance(instant) {
  const seconds = Math.round((Date.parse(instant) - Date.now()) / 1_000);
  const [unit, length] = units.find(([, size]) => Math.abs(seconds) >= size) ?? units[3];
  const text = `${Math.floor(Math.abs(seconds) / length)} ${unit}`;
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

function note(connections) {
  for (const { connection, generation } of connections) {
    const before = generations.get(connection);
    generations.set(connection, generation);
    const seen = (renewals.get(connection) ?? []).filter((at) => Date.now() - at < historyMs);
    if (before !== undefined && generation > before) seen.push(Date.now());
    renewals.set(connection, seen);
  }
}

/** A bar that runs from the arrival of the token to its expiry. */
function bar({ connection, expires_at: expires, renewed_at: received }) {
  if (expires === undefined) return undefined;
  const from = Date.parse(received ?? '') || Date.now();
  const [whole, gone] = [Date.parse(expires) - from, Date.now() - from];
  const progress = element('progress', { max: Math.max(1, whole), value: Math.min(Math.max(0, gone), whole) });
  progress.setAttribute('aria-label', `Life of the token of ${connection}: it expires ${distance(expires)}`);
  return progress;
}

/** A dot for each renewal that was seen within the last ten minutes. */
function chart(connection) {
  const seen = renewals.get(connection) ?? [];
  if (seen.length === 0) return undefined;
  const svg = (name, attributes) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    return made;
  };
  const drawn = svg('svg', { viewBox: '0 0 600 20', role: 'img', preserveAspectRatio: 'none' });
  drawn.setAttribute('aria-label', `${seen.length} renewals of ${connection} within the last ten minutes`);
  drawn.append(svg('line', { x1: 0, y1: 10, x2: 600, y2: 10 }));
  for (const at of seen) drawn.append(svg('circle', { cx: 600 - (Date.now() - at) / 1_000, cy: 10, r: 4 }));
  return drawn;
}

function failureText({ error, status, error_description: words, rule, at, count }) {
  const answer = [error, status, words].filter((part) => part !== undefined).join(', ');
  return `${answer} (${distance(at)}${count > 1 ? `, ${count} in a row` : ''}; rule ${rule})`;
}

function facts(item) {
  const budget = item.budget ?? {};
  const rows = [
    ['Account', item.account],
    ['Why', item.cause],
    ['Generation', String(item.generation)],
    ['Expires', item.expires_at && distance(item.expires_at)],
    ['Renewal', item.next_renewal_at && distance(item.next_renewal_at)],
    ['Rests until', item.not_before && distance(item.not_before)],
    ['Grant ends', item.grant_ends_at && distance(item.grant_ends_at)],
    ['Errors left this hour', budget.errors_left_this_hour?.toString()],
    ['Calls left today', budget.calls_left_today?.toString()],
    ['Last failure', item.last_failure && failureText(item.last_failure)],
    ['What to do', item.last_failure?.fix],
  ];
  const list = element('dl');
  for (const [title, value] of rows)
    if (value !== undefined) list.append(element('dt', { textContent: title }), element('dd', { textContent: value }));
  return list;
}

function card(item) {
  const { connection, provider, shown } = item;
  const button = element('button', {
    type: 'button',
    textContent: shown === 'reauthorization_required' ? 'Log in' : 'Make a link',
    onclick: () =>
      ask('link', { connection }, ({ connect_url: url, expires_at: until }) =>
        said(`A link for ${connection}, good for one login until ${until}: `, url),
      ),
  });
  button.setAttribute('aria-label', `${button.textContent}: ${connection}`);
  button.dataset.of = connection;
  return element(
    'li',
    {},
    element(
      'article',
      {},
      element('h3', { textContent: connection }),
      element('p', { className: 'quiet', textContent: provider }),
      element('p', { className: `state ${shown}`, textContent: shown.replaceAll('_', ' ') }),
      bar(item),
      facts(item),
      chart(connection),
      button,
    ),
  );
}

function said(text, url) {
  const place = byId('said');
  place.textContent = text;
  if (url !== undefined)
    place.append(element('a', { href: url, textContent: url, rel: 'noreferrer', target: '_blank' }));
}

async function ask(action, given, done) {
  const reply = await fetch(`/actions/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(given),
  });
  const answer = await reply.json();
  if (reply.ok) done(answer);
  else said(answer.message);
}

function offerProviders(connections) {
  const choice = filters.elements.provider;
  const known = [...new Set(connections.map(({ provider }) => provider))].sort();
  const there = [...choice.options].slice(1).map(({ value }) => value);
  if (known.join() === there.join()) return;
  const before = choice.value;
  choice.replaceChildren(
    element('option', { value: '', textContent: 'all' }),
    ...known.map((name) => element('option', { value: name, textContent: name })),
  );
  choice.value = known.includes(before) ? before : '';
}

function draw() {
  if (state === undefined) return;
  const { name, state: wanted, provider } = Object.fromEntries(new FormData(filters));
  const shown = state.connections.filter(
    (item) =>
      item.connection.includes(name.trim()) &&
      (wanted === '' || item.shown === wanted) &&
      (provider === '' || item.provider === provider),
  );
  // Who tabs through the buttons stays where they are.
  const { of: focused } = document.activeElement?.dataset ?? {};
  byId('connections').replaceChildren(...shown.map(card));
  if (focused !== undefined) document.querySelector(`[data-of="${CSS.escape(focused)}"]`)?.focus();
  byId('empty').hidden = shown.length > 0;
}

function drawOnce({ broker, triggers, deadlines }) {
  byId('broker').textContent = broker;
  byId('provider-side').hidden = triggers === undefined;
  if (byId('triggers').childElementCount === 0)
    for (const [kind, title] of Object.entries(triggers ?? {}))
      byId('triggers').append(
        element(
          'li',
          {},
          element('button', {
            type: 'button',
            textContent: title,
            onclick: () => ask('trigger', { kind }, ({ said: words }) => said(words)),
          }),
        ),
      );
  byId('deadline-section').hidden = deadlines.length === 0;
  byId('deadlines').replaceChildren(
    ...deadlines.map(({ from, change, fix, concerned }) =>
      element('li', { textContent: `From ${from}: ${change} ${fix} It concerns ${concerned.join(', ')}.` }),
    ),
  );
}

async function look() {
  try {
    const reply = await fetch('/state');
    const answer = await reply.json();
    if (!reply.ok) throw new Error(answer.message);
    state = answer;
    note(state.connections);
    offerProviders(state.connections);
    drawOnce(state);
    draw();
  } catch (error) {
    said(`Nothing new can be shown: ${error.message}`);
  }
  setTimeout(look, document.hidden ? 5 * everyMs : everyMs);
}

filters.addEventListener('input', draw);
filters.addEventListener('submit', (event) => event.preventDefault());
look();
