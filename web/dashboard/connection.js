// The connection: how it is, how much comes, what was merged away on the way, how the clocks differ,
// and how to reach the same without this page. A panel (panels.js says what that is).

import { number } from '../quote.js';
import { element, withText } from './dom.js';
import { facts, heading } from './parts.js';
import { clock, span } from './times.js';

const TRANSPORTS = { ws: 'WebSocket', sse: 'Server-Sent Events (the WebSocket did not open; it is tried again now and then)' };

const count = (n) => Math.round(n).toLocaleString('en-US');
const rate = (n) => `${n < 10 ? n.toFixed(1) : count(n)} a second`;

export class ConnectionPanel {
  constructor(container, { feed, traffic }) {
    this.feed = feed;
    this.traffic = traffic;
    this.facts = element('dl', 'facts');
    this.rest = element('pre');
    container.append(this.facts, heading('Without this page'), this.rest,
      this.#more());
    const base = document.baseURI.replace(/#.*/, '');
    this.rest.textContent = [
      `curl -s ${new URL('api/v1/quotes', base)}`,
      `curl -N '${new URL('api/v1/stream?symbols=*', base)}'`,
    ].join('\n');
    this.rest.tabIndex = 0; // long lines are scrolled
    this.rest.setAttribute('aria-label', 'Commands');
  }

  #more() {
    const line = withText('p', 'note', 'With a token: -H "Authorization: Bearer TOKEN". Every route and message: ');
    const link = withText('a', '', '/docs');
    link.href = new URL('docs', document.baseURI).href;
    line.append(link);
    return line;
  }

  show() {
    this.tick(Date.now());
  }

  tick(nowMs) {
    facts(this.facts, [
      ['State', this.#state(nowMs)],
      ['Transport', TRANSPORTS[this.feed.state.transport] ?? 'none at the moment'],
      ['Messages', this.#rates()],
      ['Merged by the gateway', this.#mergedThere()],
      ['Merged by this page', this.#mergedHere()],
      ['Clocks', clocks(this.feed.clockSkewMs)],
      ['Heartbeat', this.#heartbeat()],
      ['Session', this.traffic.welcome?.session ?? 'not yet'],
      ['Prices numbered since', this.#epoch(nowMs)],
      ['Lost', this.#losses(nowMs)],
    ]);
  }

  #state(nowMs) {
    const { state, reason } = this.feed.state;
    const since = `${state} for ${span(Math.max(0, nowMs - this.traffic.stateSinceMs))}`;
    return reason ? `${since}: ${reason}` : since;
  }

  #rates() {
    const { messages, items } = this.traffic.rates();
    return `${rate(messages)}; in them ${rate(items).replace(' a second', '')} prices and observations a second, ${count(this.traffic.items)} since the page was opened`;
  }

  #mergedThere() {
    const { mergedByGateway, slowSpells, slowestMs } = this.traffic;
    if (slowSpells === 0) return 'nothing: this line was never too slow';
    return `${count(mergedByGateway)} updates in ${count(slowSpells)} slow ${slowSpells === 1 ? 'spell' : 'spells'} of this line, the longest of ${span(slowestMs)}; the newest always came`;
  }

  #mergedHere() {
    const { mergedHere, items } = this.traffic;
    if (mergedHere === 0) return 'nothing: each price was drawn';
    return `${count(mergedHere)} (${((100 * mergedHere) / items).toFixed(1)}\u00a0%) had a newer one before the next frame was drawn`;
  }

  #heartbeat() {
    const ms = number(this.traffic.welcome?.heartbeat_ms);
    return ms === null ? 'not agreed' : `every ${span(ms)} when nothing else comes; given up after ${span(2.5 * ms)} of silence`;
  }

  /** The numbers (seq) of a poller begin anew when it is started. */
  #epoch(nowMs) {
    const { epoch, epochs } = this.traffic;
    if (epoch === null) return 'none came with a number yet';
    const ms = Number.parseInt(epoch, 16);
    const changes = epochs > 1 ? `, changed ${epochs > 2 ? `${epochs - 1} times` : 'once'} since the page was opened` : '';
    return `${clock(ms, nowMs) || 'an unknown time'} (epoch ${epoch}${changes})`;
  }

  #losses(nowMs) {
    const { losses, lastLoss } = this.traffic;
    if (losses === 0) return 'never';
    const why = lastLoss.reason ? `: ${lastLoss.reason}` : '';
    return `${losses} ${losses === 1 ? 'time' : 'times'}, last at ${clock(lastLoss.atMs, nowMs)}${why}`;
  }
}

/** Which clock is ahead; they are compared over the line, so a few ms mean nothing. */
export function clocks(skewMs) {
  if (Math.abs(skewMs) < 50) return 'the gateway and this device agree (within 50\u00a0ms)';
  return `the gateway\u2019s is ${span(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} this device\u2019s; ages are corrected for it`;
}
