// Who we are, and a field for a token: entered once, tried at the gateway, kept until the window is
// closed (access.js). A wrong one is not kept, and is told in a sentence.

import { callerWords } from './caller.js';
import { element, setText, withText } from './dom.js';

export class TokenForm {
  #busy = false;

  constructor(container, { access, caller, say }) {
    this.access = access;
    this.caller = caller;
    this.say = say;
    this.form = element('form', 'token');
    this.who = withText('p', 'who', '');
    this.problem = withText('p', 'problem', '');
    this.problem.id = 'token-problem';
    this.problem.setAttribute('role', 'alert');
    this.label = withText('label', '', 'Token');
    this.field = element('input');
    Object.assign(this.field, { id: 'token', type: 'password', autocomplete: 'off', spellcheck: false });
    this.label.htmlFor = this.field.id;
    this.field.setAttribute('aria-describedby', this.problem.id);
    this.enter = withText('button', '', 'Use this token');
    this.forget = withText('button', 'forget', 'Forget the token');
    this.forget.type = 'button';
    this.row = element('div', 'token-row');
    this.row.append(this.label, this.field, this.enter);
    this.form.append(this.who, this.row, this.forget, this.problem);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#use(this.field.value.trim());
    });
    this.forget.addEventListener('click', () => {
      this.access.token = null;
      this.#complain('');
      this.say('The token is forgotten.');
      this.field.focus();
    });
    caller.addEventListener('change', () => this.show());
    container.append(this.form);
    this.show();
  }

  show() {
    const { caller } = this;
    const token = this.access.token !== null;
    let who = caller.known ? `You are ${callerWords(caller)}.` : '';
    if (caller.known && !caller.all) who += ' Your token is for some symbols; what is about all of them is not shown.';
    setText(this.who, who);
    this.row.hidden = caller.by === 'local' || (token && !caller.wrongToken);
    this.forget.hidden = !token;
    if (token && caller.wrongToken) this.#complain('The gateway no longer takes the token of this window: enter another one.');
  }

  #complain(text) {
    setText(this.problem, text);
    this.field.setAttribute('aria-invalid', String(text !== ''));
  }

  async #use(token) {
    if (this.#busy) return;
    if (token === '') {
      this.#complain('Enter the token that whoever runs the gateway gave you.');
      this.field.focus();
      return;
    }
    this.#busy = this.enter.disabled = true;
    try {
      const who = await this.caller.try(token);
      this.field.value = '';
      this.#complain('');
      this.access.token = token;
      this.say(`The token is taken: you are ${callerWords(who)}.`);
    } catch (error) {
      this.#complain(error.message);
      this.field.focus();
    } finally {
      this.#busy = this.enter.disabled = false;
    }
  }
}
