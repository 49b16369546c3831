import { fingerprint } from '../console/stylesheet.ts';

/**
 * The one script of our pages, because a passkey can be asked for by a script alone. It sends what a
 * form marked `data-passkey` holds to `<action>/options`, asks the authenticator, and sends its answer
 * to `<action>/finish`, which says where to go. Whatever goes wrong is said in the form.
 */
export const PASSKEY_SCRIPT = `
const MISSING = 'This browser has no passkeys that a page can ask for. Use a newer one, or sign in in another way.';
const OTHER = 'That did not work. Try again; if it stays so, use another browser or sign in in another way.';
const PROBLEMS = {
  NotAllowedError: 'No passkey was used: it was cancelled, took too long, or there is none here for this address.',
  InvalidStateError: 'There is a passkey of yours on this device already. Use that one.',
  NotSupportedError: 'This device makes no passkeys of the kind that is needed. Use another one.',
  SecurityError: 'This browser allows no passkeys at this address.',
  TypeError: 'The server could not be reached. Try again.',
};
const api = globalThis.PublicKeyCredential;
const able = api?.parseCreationOptionsFromJSON && api.parseRequestOptionsFromJSON && api.prototype.toJSON;

async function ask(address, body) {
  const answer = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error('refused'), { said: said.detail ?? OTHER });
  return said;
}

async function run(form) {
  const address = form.getAttribute('action');
  const options = await ask(address + '/options', Object.fromEntries(new FormData(form)));
  const credential = form.dataset.passkey === 'new'
    ? await navigator.credentials.create({ publicKey: api.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: api.parseRequestOptionsFromJSON(options) });
  const { location: next } = await ask(address + '/finish', credential.toJSON());
  location.assign(next);
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  const problem = form.querySelector('[data-problem]');
  const say = (text) => Object.assign(problem, { textContent: text, hidden: text === '' });
  let busy = false;
  addEventListener('pageshow', () => (busy = false));
  if (!able) say(MISSING);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (busy || !able) return;
    busy = true;
    say('');
    run(form).catch((error) => {
      busy = false;
      say(error.said ?? PROBLEMS[error.name] ?? OTHER);
    });
  });
}
`;

/** Where {@link PASSKEY_SCRIPT} is served, as immutable as the stylesheet. */
export const PASSKEY_SCRIPT_PATH = `/assets/passkey-${fingerprint(PASSKEY_SCRIPT)}.js`;
