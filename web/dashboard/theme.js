// Light or dark: as the system wants it, until the switch is used; then as chosen, and remembered.
// early.js sets it before the first paint.

const dark = matchMedia('(prefers-color-scheme: dark)');

export class Theme {
  constructor(button, store) {
    this.button = button;
    this.store = store;
    button.addEventListener('click', () => this.toggle());
    dark.addEventListener('change', () => this.show());
    this.show();
  }

  get name() {
    const chosen = this.store.get('theme');
    return chosen === 'dark' || chosen === 'light' ? chosen : dark.matches ? 'dark' : 'light';
  }

  toggle() {
    this.store.set('theme', this.name === 'dark' ? 'light' : 'dark');
    this.show();
  }

  show() {
    document.documentElement.dataset.theme = this.name;
    this.button.setAttribute('aria-pressed', String(this.name === 'dark'));
  }
}
