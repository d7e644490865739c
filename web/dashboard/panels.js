// The panels of the page: detail of a symbol, health of the sources, the connection. Each is a
// module of its own that is read when it is first opened; here they are opened, closed and kept up
// to date. What a panel looks like:
//
//   export class HealthPanel {
//     constructor(container, context)   container: its empty element in index.html, which it fills
//     show(symbol)                      it can be seen now (detail: this symbol, also when it was open)
//     hide()                            it can't: no timers, no requests from here on
//     update(rows, nowMs)               once per frame while shown: the rows that changed
//     tick(nowMs)                       once per second while shown
//   }
//
// All but the constructor may be left out. context:
//
//   model      model.js: row(symbol), rows(), ageMs(row, now), clockOffsetMs; watch(listener) for who
//              must see every price and every change of state
//   feed       the connection (client/index.js): state, clockSkewMs, refresh(), its events
//   access     access.js: token, fetch(path, options) with the token; 'change' when it is another
//   caller     caller.js: may(role), name; 'change' when the gateway takes us for somebody else
//   recorder   candles.js: course(symbol), what each price has done since the page was opened
//   traffic    traffic.js: what has come over the connection, counted
//   say(text, action)   a sentence at the foot of the page, read out too; action: {label, run}
//   open(name, symbol), close(name)   'detail', 'health', 'connection'
//   title(name, text)   the heading of a panel
//
// The frame, the heading and the button that closes a panel are the page's; the rest is the panel's.

export class Panels {
  #panels = new Map(); // name -> {container, load, panel, shown, argument}

  constructor(context, { onChange }) {
    this.context = context;
    this.onChange = onChange;
  }

  /** load(): resolves with the panel's class. frame: the element that is hidden while it is closed. */
  add(name, frame, load) {
    const container = frame.querySelector('.panel-body');
    this.#panels.set(name, { frame, container, load, panel: null, shown: false, argument: undefined });
    frame.querySelector('.close').addEventListener('click', () => this.close(name));
  }

  title(name, text) {
    this.#panels.get(name).frame.querySelector('h2').textContent = text;
  }

  isOpen(name) {
    return this.#panels.get(name)?.shown ?? false;
  }

  async open(name, argument) {
    const entry = this.#panels.get(name);
    if (!entry) return;
    entry.shown = true;
    entry.argument = argument;
    entry.frame.hidden = false;
    this.onChange(name, true, argument);
    if (!entry.panel) entry.container.textContent = 'The gateway is being asked for this part of the page.';
    try {
      entry.loading ??= entry.load();
      const Panel = await entry.loading;
      entry.panel ??= this.#make(Panel, entry.container);
    } catch (error) {
      entry.loading = null; // it may be there the next time
      entry.container.textContent = 'This part of the page could not be loaded: open it again once the gateway is back.';
      this.context.say(`This part of the page could not be loaded (${error.message}). Is the gateway away? Open it again.`);
      return;
    }
    // Closed again, or opened for another symbol, while it was loading: that call does it.
    if (entry.shown && entry.argument === argument) entry.panel.show?.(argument);
  }

  #make(Panel, container) {
    container.replaceChildren();
    return new Panel(container, this.context);
  }

  close(name) {
    const entry = this.#panels.get(name);
    if (!entry?.shown) return;
    entry.shown = false;
    entry.frame.hidden = true;
    entry.panel?.hide?.();
    this.onChange(name, false, entry.argument);
  }

  toggle(name) {
    if (this.isOpen(name)) this.close(name);
    else this.open(name);
  }

  /** The name of the one that Escape closes: the last one in the list that is open. */
  get last() {
    return [...this.#panels].filter(([, entry]) => entry.shown).at(-1)?.[0] ?? null;
  }

  #shown() {
    return [...this.#panels.values()].filter((entry) => entry.shown && entry.panel);
  }

  update(rows, nowMs) {
    for (const { panel } of this.#shown()) panel.update?.(rows, nowMs);
  }

  tick(nowMs) {
    for (const { panel } of this.#shown()) panel.tick?.(nowMs);
  }
}
