import { SIGN_IN_SECONDS } from '../directory/service.ts';
import type { DirectoryService } from '../directory/service.ts';
import type { SignInSession } from '../directory/types.ts';
import { clearHostCookie, hostCookie, readCookie } from '../http/cookies.ts';
import type { IdentityProvider, SignInFacts } from './provider.ts';

const SESSION_COOKIE = '__Host-carrel-session';

export type SignInAttempt =
  | { readonly ok: true; readonly personId: string; readonly provider: string; readonly cookie: string }
  | { readonly ok: false; readonly problem: string };

/**
 * First-party sign-in: which browser is signed in as whom. Whoever vouches for a person, signing in
 * does no more than open such a session; what a client may do is asked afterwards, on our own page.
 */
export class SignInService {
  readonly #directory: DirectoryService;
  readonly #providers: readonly IdentityProvider[];

  constructor(directory: DirectoryService, providers: readonly IdentityProvider[]) {
    this.#directory = directory;
    this.#providers = providers;
  }

  /** The providers that exist for this request. */
  providers(facts: SignInFacts): readonly IdentityProvider[] {
    return this.#providers.filter((provider) => provider.exists(facts));
  }

  /** @returns undefined when no such provider exists for this request */
  async attempt(facts: SignInFacts, name: string | null, form: URLSearchParams): Promise<SignInAttempt | undefined> {
    const existing = this.providers(facts);
    const provider =
      name === null ? existing.find(({ kind }) => kind === 'email-form') : existing.find((each) => each.name === name);
    if (!provider) return undefined;
    const outcome = await provider.signIn(form);
    if (!outcome.ok) return outcome;
    const person = await this.#directory.personFor(outcome.identity);
    if (person.disabledAt !== undefined)
      return { ok: false, problem: 'This account was disabled. Ask whoever runs this deployment.' };
    // A new secret at each sign-in: one that somebody planted in the browser before is worth nothing.
    const secret = await this.#directory.openSignIn(person, provider.name);
    return {
      ok: true,
      personId: person.id,
      provider: provider.name,
      cookie: hostCookie(SESSION_COOKIE, secret, SIGN_IN_SECONDS),
    };
  }

  /** Who is signed in in the browser that sent this request. */
  async current(request: Request): Promise<SignInSession | undefined> {
    const secret = readCookie(request, SESSION_COOKIE);
    return secret === undefined || secret === '' ? undefined : this.#directory.signIn(secret);
  }

  /** Ends the browser's session. @returns the `Set-Cookie` that removes its secret */
  async end(request: Request): Promise<string> {
    const secret = readCookie(request, SESSION_COOKIE);
    if (secret !== undefined && secret !== '') await this.#directory.closeSignIn(secret);
    return clearHostCookie(SESSION_COOKIE);
  }
}
