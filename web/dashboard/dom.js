// Making and filling elements. Whatever came from outside enters as text, never as markup.

export function element(name, className = '', role = '') {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (role) made.setAttribute('role', role);
  return made;
}

export function withText(name, className, text) {
  const made = element(name, className);
  made.textContent = text;
  return made;
}

/** Changes the page only where it would look different; keeps the text node. */
export function setText(at, text) {
  const node = at.firstChild;
  if (node === null) {
    if (text !== '') at.textContent = text;
  } else if (node.data !== text) {
    node.data = text;
  }
}

const shape = (text) => text.replace(/\d/g, '0');

/** The same for a text that keeps its right end, which begins elsewhere when a sign or a dash comes or goes
 *  (digits have one width): then as a new text node, because the old one would have moved. */
export function setFigure(at, text) {
  const old = at.firstChild?.data ?? '';
  if (old === text) return;
  if (shape(old) === shape(text)) setText(at, text);
  else at.textContent = text;
}

export function setData(at, name, value) {
  if (at.dataset[name] !== value) at.dataset[name] = value;
}

/** An element of a vector drawing. */
export function drawing(name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
