// The two things that stand before the page for a moment: a question with one line for the answer,
// and the list of keys; and the sentence at its foot.

import { setText } from './dom.js';

const SAID_MS = 8000;

/** ask(question, value, problemOf): resolves with the answer, or null when it was put off.
 *  problemOf(text): why the text cannot be taken, as a sentence; '' when it can. */
export function asker(dialog) {
  const form = dialog.querySelector('form');
  const input = dialog.querySelector('input');
  const problem = dialog.querySelector('.problem');
  const label = dialog.querySelector('label');
  return (question, value, problemOf) =>
    new Promise((resolve) => {
      setText(label, question);
      setText(problem, '');
      input.value = value;
      let answer = null;
      form.onsubmit = (event) => {
        event.preventDefault(); // nothing is sent anywhere
        const why = problemOf(input.value);
        setText(problem, why);
        input.setAttribute('aria-invalid', String(why !== ''));
        if (why) return;
        answer = input.value;
        dialog.close();
      };
      dialog.querySelector('.cancel').onclick = () => dialog.close();
      dialog.onclose = () => resolve(answer);
      dialog.showModal();
      input.select();
    });
}

/** say(text, {label, run}): a sentence, for a while; with something to do, if wanted. */
export function sayer(bar) {
  const text = bar.querySelector('span');
  const button = bar.querySelector('button');
  let timer = null;
  return (sentence, action = null) => {
    clearTimeout(timer);
    setText(text, sentence);
    bar.classList.add('shown');
    button.hidden = !action;
    if (action) setText(button, action.label);
    const end = () => {
      bar.classList.remove('shown');
      button.hidden = true;
      setText(text, '');
    };
    button.onclick = () => {
      end();
      action.run();
    };
    timer = setTimeout(end, SAID_MS);
  };
}
