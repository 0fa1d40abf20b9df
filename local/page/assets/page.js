// Shows the state that the server tells every few seconds. Text is set as text, never as markup: names, accounts and
// the provider's words come from elsewhere. What is there already is changed in place, so that an open card stays open
// and who tabs through the buttons stays where they are.
import { bar, chart } from './drawings.js';
import { ago, element, fill, now, serverTimeIs, until } from './elements.js';

// The key is in the part of the address that goes to no server, and is kept for this tab and this origin alone.
const given = new URLSearchParams(location.hash.slice(1)).get('key');
if (given !== null) {
  sessionStorage.setItem('key', given);
  history.replaceState(undefined, '', '/');
}
// The address of a server that was started anew differs in that part alone, which loads nothing by itself.
addEventListener('hashchange', () => location.reload());
const authorization = `Bearer ${sessionStorage.getItem('key')}`;

const byId = (id) => document.getElementById(id);
const filters = byId('filters');
const cards = new Map();
let state;

const words = {
  active: 'active',
  failing: 'failing',
  paused: 'paused',
  reauthorization_required: 'needs a login',
  misconfigured: 'misconfigured',
  deleting: 'being deleted',
};
const tenMinutes = 600;
const threeDays = 259_200;

function failureText({ error, status, error_description: said = '', rule, at, count }) {
  const answer = [error, status && error !== `http_${status}` && `HTTP ${status}`, said.replace(/\.$/, '')];
  return `${answer.filter(Boolean).join(', ')}. ${ago(at)}${count > 1 ? `, ${count} in a row` : ''}; rule ${rule}.`;
}

const days = (instant) => Math.floor((Date.parse(instant) - now()) / 86_400_000);

function adviceOf({ shown, last_failure: failure, second_refresher: other, client }) {
  if (other?.suspected) return other.detail;
  if (failure?.fix !== undefined) return failure.fix;
  if (shown === 'reauthorization_required') return 'A person has to log in again: log in, or send a link.';
  if (shown === 'misconfigured') return 'Correct the client or the settings, and put the connection again.';
  const end = client?.client_secret_expires_at;
  if (end === undefined || days(end) >= 30) return undefined;
  return days(end) < 0 ? 'Its client secret has ended.' : `Its client secret ends in ${days(end)} days.`;
}

function endText(instant) {
  if (instant === undefined) return undefined;
  const left = days(instant);
  return `${instant.slice(0, 10)}, ${left < 0 ? 'which is over' : `in ${left} days`}`;
}

function nextOf({ shown, next_renewal_at: next }) {
  if (next !== undefined) return until(next);
  return shown === 'active' ? 'when a client asks: it rests' : undefined;
}

const factsOf = (item) => [
  ['Account', item.account],
  ['Why', item.cause?.replaceAll('_', ' ')],
  ['Generation', item.generation === 0 ? '0: there was no renewal yet' : String(item.generation)],
  ['Renewed', item.renewed_at && ago(item.renewed_at)],
  ['Paused', item.paused_since && [ago(item.paused_since), item.paused_by].filter(Boolean).join(', by ')],
  ['Next renewal', nextOf(item)],
  ['No call before', item.not_before && until(item.not_before)],
  ['Grant ends', endText(item.grant_ends_at)],
  ['Client secret ends', endText(item.client?.client_secret_expires_at)],
  ['Errors left this hour', item.budget?.errors_left_this_hour?.toString()],
  ['Calls left today', item.budget?.calls_left_today?.toString()],
  ['Last used', item.last_used_at && ago(item.last_used_at)],
  ['Last failure', item.last_failure && failureText(item.last_failure)],
  ['Another refresher', item.second_refresher?.detail],
  ['Verdict withheld', item.verdict_withheld && 'the provider refuses many grants of this application at once'],
];

function linkButton(connection, title, seconds) {
  const button = element('button', { type: 'button', textContent: title });
  button.setAttribute('aria-label', `${title}: ${connection}`);
  button.addEventListener('click', () =>
    ask('link', { connection, seconds }, ({ connect_url: url, expires_at: end }) =>
      say(`A link for ${connection}, good for one login until ${end.slice(0, 16).replace('T', ' ')} UTC: `, url),
    ),
  );
  return button;
}

function newCard({ connection }) {
  const parts = {
    of: element('span', { className: 'of quiet' }),
    state: element('span'),
    progress: element('span', { className: 'progress' }),
    advice: element('span', { className: 'advice' }),
    facts: element('dl'),
    seen: element('div'),
  };
  const name = element('span', { className: 'name', textContent: connection });
  name.append(' ', parts.of);
  const details = element('details', {}, element('summary', {}, name, parts.state, parts.progress, parts.advice));
  const buttons = element('div', { className: 'buttons' });
  buttons.append(
    linkButton(connection, 'Log in', tenMinutes),
    linkButton(connection, 'Link for three days', threeDays),
  );
  details.append(parts.facts, parts.seen, buttons);
  return { ...parts, details, root: element('li', {}, details) };
}

function showCard(card, item) {
  // What a person has to do something about opens by itself, once.
  if (item.shown === 'reauthorization_required' && card.was !== item.shown) card.details.open = true;
  card.was = item.shown;
  card.of.textContent = [item.provider, item.account].filter(Boolean).join(' · ');
  card.state.className = `state ${item.shown}`;
  card.state.textContent = words[item.shown];
  card.advice.textContent = adviceOf(item) ?? '';
  card.advice.hidden = card.advice.textContent === '';
  fill(
    card.facts,
    factsOf(item).flatMap(([title, value]) =>
      value === undefined ? [] : [element('dt', { textContent: title }), element('dd', { textContent: value })],
    ),
  );
  fill(card.seen, chart(item));
  showProgress(card, item);
}

function showProgress(card, item) {
  const renews = item.next_renewal_at && Date.parse(item.next_renewal_at) > now();
  const times = [
    renews && `renews ${until(item.next_renewal_at)}`,
    item.expires_at && (Date.parse(item.expires_at) > now() ? `expires ${until(item.expires_at)}` : 'expired'),
  ];
  const text = times.filter(Boolean).join(', ');
  fill(card.progress, [...bar(item), element('span', { className: 'times quiet', textContent: text })]);
}

function say(text, url) {
  const place = byId('said');
  place.textContent = text;
  if (url === undefined) return;
  const link = element('a', { href: url, textContent: url, rel: 'noreferrer', target: '_blank' });
  const copy = element('button', { type: 'button', textContent: 'Copy' });
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(url);
    copy.textContent = 'Copied';
  });
  place.append(link, ' ', copy);
  link.focus();
}

async function answerOf(path, { headers, ...request } = {}) {
  const reply = await fetch(path, { ...request, headers: { ...headers, authorization } }).catch(() => {
    throw new Error(
      'The page’s server cannot be reached. Is npm start, or token-broker open, still running? ' +
        'Started anew, it writes another address.',
    );
  });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.message);
  return answer;
}

async function ask(action, given, done) {
  try {
    done(
      await answerOf(`/actions/${action}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(given),
      }),
    );
  } catch (error) {
    say(error.message);
  }
}

function offerProviders(connections) {
  const choice = filters.elements.provider;
  const there = new Set([...choice.options].map(({ value }) => value));
  for (const name of new Set(connections.map(({ provider }) => provider)))
    if (!there.has(name)) choice.append(element('option', { value: name, textContent: name }));
}

function drawConnections() {
  if (state === undefined) return;
  const { name } = Object.fromEntries(new FormData(filters));
  const shown = state.connections.filter(({ connection, account = '' }) =>
    [connection, account.toLowerCase()].some((text) => text.includes(name.trim().toLowerCase())),
  );
  const list = byId('connections');
  const wanted = shown.map((item) => {
    const card = cards.get(item.connection) ?? newCard(item);
    cards.set(item.connection, card);
    showCard(card, item);
    return card.root;
  });
  for (const row of [...list.children]) if (!wanted.includes(row)) row.remove();
  wanted.forEach((row, i) => {
    if (list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null);
  });
  byId('count').textContent = countText(shown);
}

function countText(shown) {
  const narrowed = [...new FormData(filters).values()].some((value) => value !== '');
  const more = state.more
    ? ` Looked at were the first ${state.connections.length} by name; there are more: choose a state or a provider.`
    : '';
  if (shown.length === 0)
    return narrowed || state.more
      ? `No connection is like that.${more}`
      : 'There is no connection yet: npx token-broker connect NAME makes one.';
  const counts = Object.entries(Object.groupBy(shown, (item) => words[item.shown]));
  return `${counts.map(([word, items]) => `${items.length} ${word}`).join(', ')}.${more}`;
}

function triggerButton(title, given) {
  const button = element('button', { type: 'button', textContent: title });
  button.addEventListener('click', () =>
    ask('trigger', given, ({ said }) => {
      say(said);
      look();
    }),
  );
  return button;
}

const weathers = { down: 'It is down', slow: 'It answers slowly', losing: 'It loses its replies' };

function drawProvider(provider) {
  byId('provider-side').hidden = provider === undefined;
  if (provider === undefined) return;
  const { title, kinds, weather, grants } = provider;
  const now = weather ? ` ${weathers[weather.kind]}, for ${Math.ceil(weather.forMs / 1_000)} s yet.` : ' All is well.';
  byId('provider-name').textContent = `${title}.${now}`;
  if (byId('triggers').childElementCount === 0)
    fill(
      byId('triggers'),
      Object.entries(kinds).map(([kind, name]) => triggerButton(name, { kind })),
    );
  byId('grants').hidden = grants === undefined || grants.length === 0;
  const rows = byId('grants').tBodies[0];
  // Rows that are the same stay, with the focus that may be in them.
  const mark = JSON.stringify(grants);
  if (rows.dataset.mark === mark) return;
  rows.dataset.mark = mark;
  fill(rows, (grants ?? []).slice(0, 20).map(grantRow));
}

function grantRow({ id, user, since, alive }) {
  const cell = (text, className = '') => element('td', { textContent: text, className });
  const action = element('td');
  if (alive) {
    const button = triggerButton('Revoke', { kind: 'revoke', grant: id });
    button.setAttribute('aria-label', `Revoke the grant of ${user}, ${since}`);
    action.append(button);
  }
  const when = `${since.slice(0, 19).replace('T', ' ')} UTC`;
  return element('tr', {}, cell(user), cell(when), alive ? cell('lives', 'alive') : cell('ended'), action);
}

function applicationText({ name, connections, failing, breaker }) {
  const [provider, endpoint, client] = name.split(' ');
  const about = `${connections} ${connections === 1 ? 'connection' : 'connections'}, ${failing} failing`;
  const of = `${provider} at ${URL.parse(endpoint)?.host ?? endpoint}${client ? `, client ${client}` : ''}: ${about}. `;
  if (breaker === undefined) return [of, element('span', { className: 'state alive', textContent: 'Calls go out.' })];
  const why = breaker.reason === 'refused' ? 'It refuses many grants at once' : 'It does not answer';
  const text = `${why}: no call, until one connection tries ${until(breaker.until)} (tried ${breaker.probes} times).`;
  return [of, element('span', { className: 'state open', textContent: text })];
}

function drawLists({ applications, deadlines }) {
  byId('applications-section').hidden = applications.length === 0;
  fill(
    byId('applications'),
    applications.map((item) => element('li', {}, ...applicationText(item))),
  );
  byId('deadline-section').hidden = deadlines.length === 0;
  fill(
    byId('deadlines'),
    deadlines.map(({ from, change, fix, concerned }) =>
      element('li', { textContent: `From ${from}: ${change} ${fix} It concerns ${concerned.join(', ')}.` }),
    ),
  );
}

let timer;
let looks = 0;
async function look() {
  clearTimeout(timer);
  looks += 1;
  const mine = looks;
  const { state: inState, provider } = Object.fromEntries(new FormData(filters));
  try {
    const answer = await answerOf(`/state?${new URLSearchParams({ state: inState, provider })}`);
    // A look that was begun later tells of what is chosen now.
    if (mine !== looks) return;
    state = answer;
    serverTimeIs(state.now);
    byId('broker').textContent = `at ${state.broker}`;
    byId('trouble').textContent = '';
    offerProviders(state.connections);
    drawConnections();
    drawProvider(state.provider);
    drawLists(state);
  } catch (error) {
    if (mine !== looks) return;
    byId('trouble').textContent = `Nothing new can be shown: ${error.message}`;
  }
  clearTimeout(timer);
  timer = setTimeout(look, (state?.everyMs ?? 2_000) * (document.hidden ? 5 : 1));
}

// Bars go on between two looks.
setInterval(() => {
  if (document.hidden) return;
  for (const item of state?.connections ?? []) {
    const card = cards.get(item.connection);
    if (card !== undefined) showProgress(card, item);
  }
}, 1_000);
filters.elements.name.addEventListener('input', drawConnections);
for (const choice of [filters.elements.state, filters.elements.provider]) choice.addEventListener('change', look);
filters.addEventListener('submit', (event) => event.preventDefault());
document.addEventListener('visibilitychange', look);
look();
