// Questions and orders to the gateway over HTTP. Whatever goes wrong becomes a sentence that says
// what to do.

const WAYS_OUT = {
  401: 'The gateway wants a valid token: enter one.',
  403: 'This token does not allow it: ask whoever runs the gateway for one with a higher role.',
  404: 'This gateway does not know it: it may run another version or configuration; reload the page.',
  429: 'Too many requests from here: wait a minute.',
  503: 'The gateway is starting or stopping: it will be asked again.',
};

/** The answer's JSON; numbers as numbers. Throws an Error with a sentence, and `status` (0: there was
 *  no answer). */
export async function ask(access, path, options = {}) {
  let reply;
  try {
    reply = await access.fetch(path, options);
  } catch (error) {
    const late = error.name === 'TimeoutError';
    throw problem(0, late ? 'The gateway did not answer in time: try again.' : 'The gateway cannot be reached: see whether it is running.');
  }
  if (!reply.ok) throw problem(reply.status, await explain(reply));
  try {
    return await reply.json();
  } catch {
    throw problem(reply.status, 'The answer was cut off: try again.');
  }
}

async function explain(reply) {
  if (WAYS_OUT[reply.status]) return WAYS_OUT[reply.status];
  const detail = await reply.json().then(({ detail: text }) => text, () => null);
  return `The gateway answered ${reply.status}${typeof detail === 'string' ? `: ${detail}` : ''}. Its log says more.`;
}

function problem(status, message) {
  return Object.assign(new Error(message), { status });
}
