import type { Person, SignInSession } from '../directory/types.ts';
import { readForm } from '../http/body.ts';
import type { FormTokens } from '../http/form-token.ts';
import { seeOther } from '../http/html.ts';
import type { Handler, HttpContext } from '../http/route.ts';
import type { SignInService } from './sign-in.ts';

/** What every page of a signed-in person is given. */
export interface SignedInShell {
  readonly person: Person;
  readonly formToken: string;
  /** Whether there are passkeys here. */
  readonly passkeys: boolean;
  /** Whether there are files here. */
  readonly files: boolean;
  /** How many approvals wait for this person; undefined where nobody counted. */
  readonly approvals?: number | undefined;
}

/** A request of somebody who is signed in, for a page. */
export interface SignedInContext extends HttpContext {
  readonly session: SignInSession;
  /** What every page of theirs shows. */
  readonly shell: SignedInShell;
  /** For the answer. */
  readonly headers: Headers;
}

/** A form that somebody sent who is signed in, from a page of ours in this browser. */
export interface FormContext extends HttpContext {
  readonly session: SignInSession;
  readonly shell: SignedInShell;
  readonly form: URLSearchParams;
}

/** Lets those through who are signed in; others sign in first. */
export class SignedIn {
  readonly #signIn: SignInService;
  readonly #formTokens: FormTokens;
  readonly #files: boolean;
  readonly #approvals: (person: Person) => Promise<number>;

  /** @param approvals how many approvals wait for somebody */
  constructor(
    signIn: SignInService,
    formTokens: FormTokens,
    files: boolean,
    approvals: (person: Person) => Promise<number>,
  ) {
    this.#signIn = signIn;
    this.#formTokens = formTokens;
    this.#files = files;
    this.#approvals = approvals;
  }

  page(handle: (context: SignedInContext) => Promise<Response>): Handler {
    return async (context) => {
      const { request, url } = context;
      const session = await this.#signIn.current(request);
      if (!session) return toSignIn(url.pathname + url.search);
      const { shell, cookie } = await this.#shell(context, session);
      const headers = new Headers(cookie === undefined ? {} : { 'Set-Cookie': cookie });
      const approvals = await this.#approvals(session.person);
      return handle({ ...context, session, shell: { ...shell, approvals }, headers });
    };
  }

  /** @param back the page that the form is on, for somebody whose session ended meanwhile */
  form(back: string, handle: (context: FormContext) => Promise<Response>): Handler {
    return async (context) => {
      const { request, origin } = context;
      const form = await readForm(request);
      await this.#formTokens.check(request, form, origin);
      const session = await this.#signIn.current(request);
      if (!session) return toSignIn(back);
      const { shell } = await this.#shell(context, session);
      return handle({ ...context, session, shell, form });
    };
  }

  async #shell({ request, url, origin }: HttpContext, { person }: SignInSession) {
    const { token, cookie } = await this.#formTokens.bind(request);
    const facts = { hostname: url.hostname, origin, headers: request.headers };
    const passkeys = this.#signIn.provider(facts, 'passkey') !== undefined;
    return { shell: { person, formToken: token, passkeys, files: this.#files }, cookie };
  }
}

function toSignIn(returnTo: string): Response {
  return seeOther(`/sign-in?${new URLSearchParams({ return_to: returnTo }).toString()}`);
}
