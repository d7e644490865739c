// Making elements. Everything that comes from a document or from the gateway enters the page as text
// here, so that nothing of it can become markup.

/** element('a', {href, class, dataset: {...}, onclick}, child...): strings become text; null is left out. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'dataset') Object.assign(node.dataset, value);
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([\w./#-]+)\)/g;

/** One paragraph: `code`, **strong** and links to our own files; all else is text. */
export function inline(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong, label, href] = match;
    parts.push(text.slice(at, match.index));
    if (code) parts.push(element('code', {}, code));
    else if (strong) parts.push(element('strong', {}, strong));
    else parts.push(element('a', { href }, label));
    at = match.index + whole.length;
  }
  return [...parts, text.slice(at)];
}

/** The paragraphs of a description. */
export function prose(text = '') {
  return text.split(/\n{2,}/).filter(Boolean).map((paragraph) => element('p', {}, inline(paragraph)));
}

// A string with what makes it a name, a number, a word, or a sign of JSON.
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|(true|false|null)|[{}[\],]/g;

/** JSON text with its lines broken and its parts coloured; numbers keep their digits. Short lists and
 *  objects stay on their line. */
export function json(text, short = 60) {
  const code = element('code', { class: 'json' });
  const tokens = [...text.matchAll(TOKEN)];
  const ends = closings(tokens);
  const inOneLine = []; // of the brackets that are open
  const newLine = () => code.append(`\n${'  '.repeat(inOneLine.length)}`);
  tokens.forEach((token, i) => {
    const [sign, string, colon, number] = token;
    if (/^[{[]$/.test(sign)) {
      const length = tokens[ends[i]].index - token.index;
      inOneLine.push(inOneLine.at(-1) || length < short);
      code.append(sign);
      if (!inOneLine.at(-1)) newLine();
    } else if (/^[}\]]$/.test(sign)) {
      const together = inOneLine.pop();
      if (!together) newLine();
      code.append(sign);
    } else if (sign === ',') {
      code.append(sign);
      if (inOneLine.at(-1)) code.append(' ');
      else newLine();
    } else {
      const kind = colon ? 'name' : string ? 'string' : number ? 'number' : 'word';
      code.append(element('span', { class: kind }, colon ? string : sign), colon ? ': ' : '');
    }
  });
  return code;
}

/** For each opening bracket the place of its closing one. */
function closings(tokens) {
  const open = [];
  const ends = {};
  tokens.forEach(([sign], i) => {
    if (/^[{[]$/.test(sign)) open.push(i);
    else if (/^[}\]]$/.test(sign)) ends[open.pop()] = i;
  });
  return ends;
}

/** A block of code that can be copied. long: of any length, so it is scrolled, by keys too. */
export function block(label, code, { long = false } = {}) {
  const button = element('button', { type: 'button', class: 'copy', onclick: copy }, 'Copy', element('span', { class: 'hidden' }, ` ${label}`));
  async function copy() {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.firstChild.data = 'Copied';
    } catch {
      button.firstChild.data = 'Select and copy it';
    }
    setTimeout(() => { button.firstChild.data = 'Copy'; }, 2000);
  }
  return element('figure', { class: 'block' },
    element('figcaption', {}, label, button),
    element('pre', long ? { class: 'long', tabindex: '0', role: 'group', 'aria-label': label } : {}, code));
}
