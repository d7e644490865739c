// The page: contents on the left, routes and messages beside them, all of it from openapi.json and
// asyncapi.json of the gateway that serves this page.

import { breakable, channelHead, messageCard, routeCard } from './cards.js';
import { Contract } from './contract.js';
import { element, prose } from './element.js';

const content = document.getElementById('content');
const contents = document.getElementById('contents');
const notice = document.getElementById('notice');
const TOKEN = 'pricegate.token'; // in the session storage of this tab, as the dashboard keeps it

const base = () => new URL('.', document.baseURI).href;
function token() {
  try {
    return JSON.parse(sessionStorage.getItem(TOKEN)) || '';
  } catch {
    return ''; // nothing is kept here, or nothing that can be read
  }
}

async function load(name) {
  const reply = await fetch(new URL(name, document.baseURI));
  if (!reply.ok) throw new Error(`${name}: HTTP status ${reply.status}`);
  return reply.json();
}

// --- the parts ---

function introduction({ openapi }) {
  return element('section', { id: 'introduction', 'aria-label': 'Introduction' },
    element('h2', {}, openapi.info.title, ' ', element('span', { class: 'version' }, openapi.info.version)),
    element('p', { class: 'lead' }, openapi.info.summary),
    prose(openapi.info.description),
    element('form', { class: 'token', onsubmit: (event) => event.preventDefault() },
      element('label', { for: 'token' }, 'Token for \u201cSend\u201d'),
      element('input', { id: 'token', type: 'password', autocomplete: 'off', value: token(), placeholder: 'none', oninput: keepToken }),
      element('span', { class: 'type' }, 'kept in this tab until it is closed')));
}

function keepToken(event) {
  sessionStorage.setItem(TOKEN, JSON.stringify(event.target.value || null));
  dispatchEvent(new Event('token'));
}

function section(id, title, description, children) {
  return element('section', { id, 'aria-labelledby': `${id}-title` }, element('h2', { id: `${id}-title` }, title), prose(description), children);
}

const link = (id, label, kind) =>
  element('li', {}, element('a', { href: `#${id}` }, kind ? element('span', { class: `method ${kind.toLowerCase()}` }, kind) : null, element('span', {}, breakable(label))));

function group(id, title, links) {
  return element('section', { class: 'group' }, element('h2', {}, element('a', { href: `#${id}` }, title)), element('ul', {}, links));
}

function build(contract) {
  const routes = contract.routes();
  const channels = contract.channels();
  content.replaceChildren(
    introduction(contract),
    ...routes.map((tag) => section(`routes-${tag.name}`, titleOf(tag.name), tag.description, tag.operations.map((o) => routeCard(contract, o, { base, token })))),
    ...channels.map((c) => section(`channel-${c.key}`, c.title, '', [channelHead(c), c.messages.map((m) => messageCard(contract, m))])));
  contents.replaceChildren(
    ...routes.map((tag) => group(`routes-${tag.name}`, titleOf(tag.name), tag.operations.map((o) => link(o.id, o.path, o.method)))),
    ...channels.map((c) => group(`channel-${c.key}`, c.title, c.messages.map((m) => link(m.id, m.name, m.heard ? (m.sent ? '\u21c4' : '\u2192') : '\u2190')))));
}

const titleOf = (tag) => ({ prices: 'Prices', live: 'Live', health: 'Is it well?', 'data-health': 'Data health', admin: 'Administration', page: 'Pages and contract' })[tag] ?? tag;

// --- finding one's way ---

function filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const item of contents.querySelectorAll('li')) {
    const card = document.getElementById(item.firstChild.hash.slice(1));
    const matches = words.every((w) => card.dataset.find.includes(w));
    item.hidden = !matches;
    card.hidden = !matches;
    if (matches) found++;
  }
  for (const part of contents.querySelectorAll('.group')) part.hidden = !part.querySelector('li:not([hidden])');
  for (const part of content.querySelectorAll('section')) part.hidden = words.length > 0 && !part.querySelector('.card:not([hidden])');
  document.getElementById('found').textContent = words.length === 0 ? '' : found === 0 ? 'nothing has these words' : `${found} found`;
}

/** Marks in the contents what is being read. */
function follow() {
  const links = new Map([...contents.querySelectorAll('li a')].map((a) => [a.hash.slice(1), a]));
  const watcher = new IntersectionObserver((entries) => {
    const top = entries.filter((e) => e.isIntersecting).at(-1);
    if (!top) return;
    for (const a of links.values()) a.removeAttribute('aria-current');
    links.get(top.target.id).setAttribute('aria-current', 'true');
  }, { rootMargin: '-10% 0px -80% 0px' });
  for (const id of links.keys()) watcher.observe(document.getElementById(id));
}

function keys(event) {
  const field = document.getElementById('filter');
  if (event.key === '/' && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    document.getElementById('menu').open = true;
    field.focus();
  } else if (event.key === 'Escape' && document.activeElement === field) {
    field.value = '';
    filter('');
  }
}

/** On a narrow screen the contents are folded away, and again after a choice. */
function fold() {
  const narrow = matchMedia('(max-width: 60rem)');
  const menu = document.getElementById('menu');
  const set = () => { menu.open = !narrow.matches; };
  narrow.addEventListener('change', set);
  contents.addEventListener('click', (event) => { if (narrow.matches && event.target.closest('a')) menu.open = false; });
  set();
}

async function start() {
  try {
    const [openapi, asyncapi] = await Promise.all([load('openapi.json'), load('asyncapi.json')]);
    build(new Contract({ openapi, asyncapi }));
  } catch (error) {
    notice.textContent = `The description cannot be loaded (${error.message}). Is the gateway still running? Then load this page again.`;
    return;
  }
  document.getElementById('filter').addEventListener('input', (event) => filter(event.target.value));
  addEventListener('keydown', keys);
  fold();
  follow();
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

start();
