// Small parts that panels are made of. What is filled anew changes only where it differs, so that
// nothing flickers and a reader's place is kept.

import { element, setText, withText } from './dom.js';

export const heading = (text) => withText('h3', '', text);

export function button(text, act, className = '') {
  const made = withText('button', className, text);
  made.type = 'button';
  made.addEventListener('click', () => act(made));
  return made;
}

/** Buttons of which one is pressed. options: [value, text]. */
export function choice(label, options, chosen, onChoose) {
  const group = element('div', 'choice', 'group');
  group.setAttribute('aria-label', label);
  for (const [value, text] of options) {
    const one = button(text, () => {
      for (const other of group.children) other.setAttribute('aria-pressed', String(other === one));
      onChoose(value);
    });
    one.dataset.value = value;
    one.setAttribute('aria-pressed', String(value === chosen));
    group.append(one);
  }
  return group;
}

function fill(parent, lines, make, set) {
  parent.hidden = lines.length === 0;
  while (parent.children.length > lines.length) parent.lastChild.remove();
  lines.forEach((line, i) => {
    if (!parent.children[i]) parent.append(make());
    set(parent.children[i], line);
  });
}

/** A <dl>: [[term, text], ...]. */
export function facts(dl, lines) {
  const make = () => {
    const row = element('div');
    row.append(element('dt'), element('dd'));
    return row;
  };
  fill(dl, lines, make, (row, [term, text]) => {
    setText(row.firstChild, term);
    setText(row.lastChild, text);
  });
}

/** A <ul> or <ol>: texts. */
export function list(ul, lines) {
  fill(ul, lines, () => element('li'), setText);
}

/** A table with a caption for readers; columns: [class, title]. {table, body}. */
export function table(caption, columns) {
  const made = element('table', 'plain');
  const name = withText('caption', 'unseen', caption);
  const head = element('thead');
  const row = element('tr');
  for (const [className, title] of columns) {
    const cell = withText('th', className, title);
    cell.scope = 'col';
    row.append(cell);
  }
  head.append(row);
  const body = element('tbody');
  made.append(name, head, body);
  return { table: made, body };
}
