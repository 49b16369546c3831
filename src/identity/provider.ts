import type { Vouched } from '../directory/types.ts';

/** What a provider may want to know of a request before it says whether it exists for it. */
export interface SignInFacts {
  readonly hostname: string;
  /** The origin of this deployment, as the guard accepted it. */
  readonly origin: string;
  readonly headers: Headers;
}

export type SignInOutcome =
  | { readonly ok: true; readonly identity: Vouched }
  /**
   * `problem` is shown beside the form: a sentence that says what to do. `reason` is for the audit: a
   * word of ours such as `wrong_nonce`. `personId`: whose identity was used, where that is known.
   */
  | { readonly ok: false; readonly problem: string; readonly reason: string; readonly personId?: string };

interface ProviderBase {
  /** In addresses and in the directory: it must never change or pass to another provider. */
  readonly name: string;
  /** On its button. */
  readonly label: string;
  /** Whether it exists for this request; where it does not, nothing of it can be reached. */
  exists(facts: SignInFacts): boolean;
}

/** Vouches for what a form says: for development only. */
export interface FormProvider extends ProviderBase {
  readonly kind: 'email-form';
  signIn(form: URLSearchParams): Promise<SignInOutcome>;
}

/** Sends the person somewhere else, where they sign in, and hears about it when they come back. */
export interface RedirectProvider extends ProviderBase {
  readonly kind: 'redirect';
  /**
   * Where to send the browser. `state` must come back with it. `kept` is given to {@link finish} once,
   * and only in the browser that this was for: the nonce, the verifier of PKCE.
   *
   * @throws CarrelError `unavailable` when the provider cannot be asked
   */
  begin(redirectUri: string, state: string): Promise<{ readonly location: string; readonly kept: unknown }>;
  /** Who came back. @param callback the address with what the provider added to it */
  finish(callback: URL, redirectUri: string, state: string, kept: unknown): Promise<SignInOutcome>;
}

/** What an authenticator is asked, and what must be known to check its answer. */
export interface PasskeyRequest {
  /** For the browser's call, as JSON. */
  readonly options: object;
  /** Given to the matching `finish` once, in this browser only. */
  readonly kept: unknown;
}

/** Asks an authenticator of the person's own, through a script of the page. */
export interface PasskeyProvider extends ProviderBase {
  readonly kind: 'passkey';
  beginSignIn(facts: SignInFacts): Promise<PasskeyRequest>;
  finishSignIn(facts: SignInFacts, response: unknown, kept: unknown): Promise<SignInOutcome>;
  beginRegistration(facts: SignInFacts, account: PasskeyAccount): Promise<PasskeyRequest>;
  /** A new passkey, with its key. It is nobody's until its identity is somebody's. */
  finishRegistration(facts: SignInFacts, response: unknown, kept: unknown): Promise<SignInOutcome>;
}

/** Whom a new passkey is for. */
export interface PasskeyAccount {
  /** Undefined for somebody who is not known yet. */
  readonly personId: string | undefined;
  /** How the authenticator lists the account. */
  readonly accountName: string;
  readonly email: string | undefined;
  /** How its owner tells it from other passkeys. */
  readonly passkeyName: string;
}

/** The port for whoever vouches for a person. Adding one touches only `providers/`. */
export type IdentityProvider = FormProvider | RedirectProvider | PasskeyProvider;
