// The parts of the page: a card for each route, for each channel and for each message. They are made
// of what contract.js says; nothing here knows any route or message by name, but for what is odd about
// a stream and a WebSocket.

import { address, commandLine } from './contract.js';
import { block, element, inline, json, prose } from './element.js';

const PUBLIC = 'no role needed';
const PLACES = { path: 'in the path', query: 'in the query', header: 'header' };

const exampleOf = (example) => json(JSON.stringify(example.value ?? example.payload));

function badge(text, className) {
  return element('span', { class: `badge ${className}` }, text);
}

/** Members of an object, those of its members folded away below them. */
function fieldList(contract, rows) {
  return element('dl', { class: 'fields' }, rows.map((row) => element('div', {},
    element('dt', {},
      element('code', {}, row.name), ' ',
      element('span', { class: 'type' }, row.type, row.required ? '' : ', optional')),
    element('dd', {},
      row.description ? element('span', {}, inline(row.description)) : null,
      row.limits.map((limit) => element('span', { class: 'limit' }, limit)),
      row.rows.length > 0
        ? element('details', {}, element('summary', {}, `Members of ${row.name}`), fieldList(contract, row.rows))
        : null))));
}

/** A schema: its words, then its members. */
function shape(contract, schema) {
  const s = contract.follow(schema);
  const rows = contract.rows(schema);
  return [prose(s.description), rows.length > 0 ? fieldList(contract, rows) : null];
}

function roleBadges({ role, anonymous }) {
  if (role === 'none') return [badge(PUBLIC, 'role')];
  return [badge(`role ${role}`, 'role'), ' ', anonymous ? badge('may be had without a token', 'role') : null];
}

// --- routes ---

/** base(): where the gateway is; token(): what was entered. */
export function routeCard(contract, route, { base, token }) {
  const values = Object.fromEntries(route.parameters.map((p) => [p.name, p.in === 'path' || p.required ? String(p.example ?? '') : '']));
  const line = element('code', {});
  const refreshLine = () => { line.textContent = commandLine(route, values, base(), token() !== ''); };
  addEventListener('token', refreshLine);
  refreshLine();
  const set = (name, value) => {
    values[name] = value;
    refreshLine();
  };
  return element('article', { id: route.id, class: 'card', 'aria-labelledby': `${route.id}-title`, dataset: { find: `${route.method} ${route.path} ${route.summary} ${route.role}`.toLowerCase() } },
    element('div', { class: 'text' },
      element('h3', { id: `${route.id}-title` },
        element('a', { href: `#${route.id}`, class: 'anchor' }, badge(route.method, `method ${route.method.toLowerCase()}`), ' ', element('code', {}, breakable(route.path)))),
      element('p', { class: 'lead' }, route.summary, ' ', roleBadges(route)),
      prose(route.description),
      parameterList(contract, route, set),
      element('h4', {}, 'Answers'),
      route.responses.map((r) => answer(contract, r))),
    element('div', { class: 'code' },
      block('Try it', line),
      sender(route, values, { base, token }),
      telling(route).map((e) => block([e.status, e.summary].filter(Boolean).join(' \u00b7 '), codeOf(e)))));
}

/** The examples of what is peculiar to this route: to be refused is not. */
function telling(route) {
  return route.responses.filter((r) => !/^(401|default)$/.test(r.status))
    .flatMap((r) => r.contents.flatMap((c) => c.examples.map((e) => ({ ...e, status: r.status }))))
    .slice(0, 3);
}

const codeOf = (e) => (typeof e.value === 'string' ? element('code', {}, e.value) : exampleOf(e));

/** A path that may be broken behind its slashes. */
export const breakable = (path) => path.split(/(?<=\/)/).flatMap((part) => [part, element('wbr')]);

function parameterList(contract, route, set) {
  if (route.parameters.length === 0) return null;
  return [element('h4', {}, 'Parameters'), element('dl', { class: 'fields' }, route.parameters.map((p) => {
    const id = `${route.id}-${p.name}`;
    return element('div', {},
      element('dt', {},
        element('label', { for: id }, element('code', {}, p.name)), ' ',
        element('span', { class: 'type' }, PLACES[p.in], p.required ? '' : ', optional')),
      element('dd', {},
        element('span', {}, inline(p.description)),
        element('input', {
          id, autocomplete: 'off', spellcheck: 'false', placeholder: String(p.example ?? ''),
          value: p.required ? String(p.example ?? '') : null,
          oninput: (event) => set(p.name, event.target.value),
        })));
  }))];
}

function answer(contract, r) {
  const kind = r.status === 'default' ? 'other' : `s${r.status[0]}`;
  const schemas = r.contents.filter((c) => contract.rows(c.schema ?? {}).length > 0);
  const inside = [
    r.headers.length > 0
      ? element('dl', { class: 'fields' }, r.headers.map((h) => element('div', {},
        element('dt', {}, element('code', {}, h.name), ' ', element('span', { class: 'type' }, 'header')),
        element('dd', {}, inline(h.description)))))
      : null,
    schemas.map((c) => shape(contract, c.schema)),
  ].flat(2).filter(Boolean);
  const head = [
    badge(r.status === 'default' ? 'else' : r.status, `status ${kind}`), ' ', element('span', {}, inline(r.description)), ' ',
    r.contents.map((c) => [element('span', { class: 'type' }, c.type), ' ']),
  ];
  if (inside.length === 0) return element('p', { class: 'answer' }, head);
  return element('details', { class: 'answer', open: r.status === '200' }, element('summary', {}, head), inside);
}

/** A button that asks the gateway, for what changes nothing and ends. */
function sender(route, values, { base, token }) {
  if (route.method !== 'GET' || route.path === '/ws' || route.path === '/api/v1/stream') return null;
  const place = element('div', { role: 'status' });
  async function send() {
    place.replaceChildren('Asking\u2026');
    try {
      const own = route.parameters.filter((p) => p.in === 'header' && values[p.name]).map((p) => [p.name, values[p.name]]);
      const headers = { ...Object.fromEntries(own), ...(token() ? { Authorization: `Bearer ${token()}` } : {}) };
      const reply = await fetch(address(route, values, base()), { headers, cache: 'no-store' });
      const text = await reply.text();
      const isJson = /json/.test(reply.headers.get('content-type') ?? '');
      place.replaceChildren(block(`${reply.status} ${reply.statusText}`, isJson ? json(text) : element('code', {}, text), { long: true }));
    } catch {
      place.replaceChildren('The gateway did not answer: is it still running?');
    }
  }
  return element('div', { class: 'send' }, element('button', { type: 'button', onclick: send }, 'Send', element('span', { class: 'hidden' }, ` GET ${route.path}`)), place);
}

// --- messages ---

export function channelHead(channel) {
  return element('div', { class: 'channel', id: channel.key },
    element('h3', {}, element('a', { href: `#${channel.key}`, class: 'anchor' }, badge(channel.protocol, 'method'), ' ', element('code', {}, breakable(channel.address)))),
    element('p', { class: 'lead' }, channel.summary),
    prose(channel.description),
    channel.closeCodes.length > 0
      ? [element('h4', {}, 'Close codes'), element('dl', { class: 'fields' }, channel.closeCodes.map((c) => element('div', {},
        element('dt', {}, element('code', {}, String(c.code)), ' ', element('span', { class: 'type' }, c.reason)),
        element('dd', {}, inline(c.description)))))]
      : null);
}

function direction(message) {
  if (message.sent && message.heard) return badge('published and heard', 'role');
  return message.heard ? badge('you send', 'role in') : badge('you get', 'role out');
}

export function messageCard(contract, message) {
  const { id } = message;
  return element('article', { id, class: 'card', 'aria-labelledby': `${id}-title`, dataset: { find: `${message.name} ${message.title} ${message.summary}`.toLowerCase() } },
    element('div', { class: 'text' },
      element('h4', { id: `${id}-title`, class: 'title' }, element('a', { href: `#${id}`, class: 'anchor' }, message.title)),
      element('p', { class: 'lead' }, message.summary, ' ', direction(message), ' ', message.role && message.role !== 'none' ? badge(`role ${message.role}`, 'role') : null),
      message.answers.length > 0
        ? element('p', {}, 'Answered by ', message.answers.flatMap((a, i) => [i > 0 ? ' or ' : null, element('a', { href: `#${a.id}` }, element('code', {}, a.name))]), '.')
        : null,
      message.headers ? [element('h5', {}, 'Lines of the event'), fieldList(contract, contract.rows(message.headers)), element('h5', {}, 'Its data')] : null,
      shape(contract, message.schema)),
    element('div', { class: 'code' }, message.examples.map((e) => block(e.summary, e.headers ? event(e) : exampleOf(e)))));
}

/** An event as it is on the wire. */
function event({ headers, payload }) {
  return element('code', {}, `id: ${headers.id}\nevent: ${headers.event}\ndata: ${JSON.stringify(payload)}\n`);
}
