import type { Identity } from '../directory/types.ts';

/** What a provider may want to know of a request before it says whether it exists for it. */
export interface SignInFacts {
  readonly hostname: string;
  readonly headers: Headers;
}

export type SignInOutcome =
  | { readonly ok: true; readonly identity: Identity }
  /** `problem` is shown beside the form: a sentence that says what to do. */
  | { readonly ok: false; readonly problem: string };

/** The port for whoever vouches for a person. Adding one touches only `providers/`. */
export interface IdentityProvider {
  readonly name: string;
  /** On its button. */
  readonly label: string;
  readonly kind: 'email-form' | 'button';
  /** Whether it exists for this request; where it does not, nothing of it can be reached. */
  exists(facts: SignInFacts): boolean;
  /** Who the person is, from the form that the page sent. */
  signIn(form: URLSearchParams): Promise<SignInOutcome>;
}
