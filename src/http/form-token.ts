import { toBase64Url } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import type { Keyring } from '../lib/keyring.ts';
import { hostCookie, readCookie } from './cookies.ts';

const BROWSER_COOKIE = '__Host-carrel-browser';
const BROWSER_COOKIE_SECONDS = 14 * 86_400;

export interface FormBinding {
  /** For the hidden field `form_token`. */
  readonly token: string;
  /** Set with the page when the browser has no cookie yet. */
  readonly cookie: string | undefined;
}

/**
 * Binds forms to the browser that opened their page. Without it another site could post our sign-in
 * form with its own account in a person's browser, and read what the person then keeps there.
 */
export class FormTokens {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  async bind(request: Request): Promise<FormBinding> {
    const known = readCookie(request, BROWSER_COOKIE);
    const browser = known ?? toBase64Url(crypto.getRandomValues(new Uint8Array(24)));
    return {
      token: await this.#keyring.sign('form-token', browser),
      cookie: known === undefined ? hostCookie(BROWSER_COOKIE, browser, BROWSER_COOKIE_SECONDS) : undefined,
    };
  }

  /** @throws CarrelError `forbidden` for a form of another browser, or sent by another site */
  async check(request: Request, form: URLSearchParams, origin: string): Promise<void> {
    checkSender(request, origin);
    const browser = readCookie(request, BROWSER_COOKIE);
    if (browser === undefined || !(await this.#keyring.verify('form-token', browser, form.get('form_token') ?? '')))
      throw foreignForm();
  }
}

/**
 * Refuses a form that a page of another origin sent. Browsers say where a form came from; what sends
 * no Origin is no browser, and has no cookie of anybody's to misuse.
 *
 * @throws CarrelError `forbidden`
 */
export function checkSender(request: Request, origin: string): void {
  const sender = request.headers.get('Origin');
  if (sender !== null && sender !== origin) throw foreignForm();
}

function foreignForm(): CarrelError {
  return new CarrelError('forbidden', 'This form was opened in another browser or is too old. Open the page again.');
}
