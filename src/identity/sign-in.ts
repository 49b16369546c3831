import type { AdmissionRepo } from '../directory/admission-repo.ts';
import type { AuditTrail } from '../directory/audit.ts';
import { SIGN_IN_SECONDS } from '../directory/service.ts';
import type { DirectoryService } from '../directory/service.ts';
import type { Person, SignInSession, Vouched } from '../directory/types.ts';
import { clearHostCookie, hostCookie, readCookie } from '../http/cookies.ts';
import type { HttpContext } from '../http/route.ts';
import { sha256Hex, toBase64Url } from '../lib/encoding.ts';
import type { Keyring } from '../lib/keyring.ts';
import type { Admission, Entry, Ticket } from './admission.ts';
import type { IdentityProvider, SignInFacts } from './provider.ts';

const SESSION_COOKIE = '__Host-carrel-session';
/** The secret of a sign-in that has begun in this browser. */
const ATTEMPT_COOKIE = '__Host-carrel-attempt';
/** What this browser was given to be let in with: an invitation, the owner's code. */
const TICKET_COOKIE = '__Host-carrel-ticket';

/** How long a person may take at a provider or an authenticator, in seconds. */
const ATTEMPT_SECONDS = 600;
const TICKET_SECONDS = 3600;

/** A request that has to do with signing in. */
export interface SignInRequest {
  readonly request: Request;
  readonly facts: SignInFacts;
  readonly requestId: string;
}

export type SignInResult =
  | {
      readonly ok: true;
      readonly personId: string;
      readonly provider: string;
      readonly returnTo: string;
      /** To be set with the answer. */
      readonly cookies: readonly string[];
    }
  | SignInRefusal;

export interface SignInRefusal {
  readonly ok: false;
  readonly problem: string;
  readonly returnTo: string;
  readonly cookies: readonly string[];
}

/** What an attempt keeps until it comes back. */
interface Kept {
  readonly returnTo: string;
  /** The person whom the identity is to be linked with, instead of signing in. */
  readonly linkTo: string | undefined;
  /** The provider's own. */
  readonly own: unknown;
}

interface SignInOptions {
  readonly directory: DirectoryService;
  readonly repo: AdmissionRepo;
  readonly admission: Admission;
  readonly audit: AuditTrail;
  readonly keyring: Keyring;
  readonly providers: readonly IdentityProvider[];
}

export const LOST: Pick<SignInRefusal, 'problem'> = {
  problem: 'This sign-in was begun in another browser, took too long, or was used. Begin again.',
};

/**
 * First-party sign-in: which browser is signed in as whom. Whoever vouches for a person, signing in
 * does no more than open such a session; what a client may do is asked afterwards, on our own page.
 */
export class SignInService {
  readonly #options: SignInOptions;

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  /** The providers that exist for this request. */
  providers(facts: SignInFacts): readonly IdentityProvider[] {
    return this.#options.providers.filter((provider) => provider.exists(facts));
  }

  /** The provider of this kind and, where one is given, of this name. */
  provider<Kind extends IdentityProvider['kind']>(
    facts: SignInFacts,
    kind: Kind,
    name?: string,
  ): Extract<IdentityProvider, { kind: Kind }> | undefined {
    return this.providers(facts).find(
      (provider): provider is Extract<IdentityProvider, { kind: Kind }> =>
        provider.kind === kind && (name === undefined || provider.name === name),
    );
  }

  /** Signs in by a form. @returns undefined when no such provider exists for this request */
  async byForm(
    context: SignInRequest,
    name: string | null,
    form: URLSearchParams,
    returnTo: string,
  ): Promise<SignInResult | undefined> {
    const provider = this.provider(context.facts, 'email-form', name ?? undefined);
    if (!provider) return undefined;
    const outcome = await provider.signIn(form);
    return outcome.ok
      ? this.enter(context, outcome.identity, returnTo)
      : this.refuse(context, provider.name, outcome, returnTo);
  }

  /** Sends the browser to a provider. @returns undefined when none of this name exists for this request */
  async begin(
    context: SignInRequest,
    name: string,
    returnTo: string,
    linkTo?: string,
  ): Promise<{ location: string; cookie: string } | undefined> {
    const provider = this.provider(context.facts, 'redirect', name);
    if (!provider) return undefined;
    const state = secret();
    const { location, kept } = await provider.begin(callbackUri(context, name), state);
    const cookie = await this.keepAttempt(name, { returnTo, linkTo, own: { state, kept } });
    return { location, cookie };
  }

  /** Goes on when the browser comes back from a provider. */
  async finish(context: SignInRequest, name: string, callback: URL): Promise<SignInResult | undefined> {
    const provider = this.provider(context.facts, 'redirect', name);
    if (!provider) return undefined;
    const attempt = await this.takeAttempt(context, name);
    if (!attempt) return this.refuse(context, name, { ...LOST, reason: 'attempt_lost' }, '/');
    const { state, kept } = attempt.own as { state: string; kept: unknown };
    const outcome = await provider.finish(callback, callbackUri(context, name), state, kept);
    if (!outcome.ok) return this.refuse(context, name, outcome, attempt.returnTo);
    return attempt.linkTo === undefined
      ? this.enter(context, outcome.identity, attempt.returnTo)
      : this.link(context, outcome.identity, attempt.linkTo, attempt.returnTo);
  }

  /**
   * Keeps what a sign-in needs when it comes back: once, for ten minutes, and only in the browser that
   * gets this cookie. Without that, somebody could begin with an account of theirs and have another
   * person's browser end it.
   */
  async keepAttempt(provider: string, kept: Kept): Promise<string> {
    const value = secret();
    await this.#options.repo.insertAttempt(
      await sha256Hex(value),
      { provider, kept: JSON.stringify(kept) },
      Date.now() + ATTEMPT_SECONDS * 1000,
    );
    return hostCookie(ATTEMPT_COOKIE, value, ATTEMPT_SECONDS);
  }

  /** Takes the attempt of this browser out: it can be finished once. */
  async takeAttempt({ request }: SignInRequest, provider: string): Promise<Kept | undefined> {
    const value = readCookie(request, ATTEMPT_COOKIE) ?? '';
    if (value === '') return undefined;
    const attempt = await this.#options.repo.takeAttempt(await sha256Hex(value), Date.now());
    return attempt?.provider === provider ? (JSON.parse(attempt.kept) as Kept) : undefined;
  }

  /** Opens a session for whoever was vouched for, if they may enter. */
  async enter(context: SignInRequest, identity: Vouched, returnTo: string): Promise<SignInResult> {
    const ticket = readCookie(context.request, TICKET_COOKIE);
    const entry = await this.#options.admission.enter(identity, ticket, context.requestId);
    return this.#open(context, entry, identity.provider, returnTo, ticket);
  }

  /** Opens a session for a person who proved to be them with something that is no identity. */
  async readmit(context: SignInRequest, person: Person, provider: string, returnTo: string): Promise<SignInResult> {
    const entry = await this.#options.admission.readmit(person, provider, context.requestId);
    return this.#open(context, entry, provider, returnTo);
  }

  async #open(
    context: SignInRequest,
    entry: Entry,
    provider: string,
    returnTo: string,
    ticket?: string,
  ): Promise<SignInResult> {
    if (!entry.ok) return { ok: false, problem: entry.problem, returnTo, cookies: withoutAttempt(context) };
    // The session that this one replaces would live on with nobody to end it.
    await this.end(context.request);
    // A new secret at each sign-in: one that somebody planted in the browser before is worth nothing.
    const session = await this.#options.directory.openSignIn(entry.person, provider);
    const cookies = [hostCookie(SESSION_COOKIE, session, SIGN_IN_SECONDS), ...withoutAttempt(context)];
    if (ticket !== undefined) cookies.push(clearHostCookie(TICKET_COOKIE));
    return { ok: true, personId: entry.person.id, provider, returnTo, cookies };
  }

  /**
   * What the account page's links to a provider carry. Linking begins with a GET, because a form could
   * not lead to the provider; without this a page elsewhere could send a person's browser there while it
   * is signed in at the provider as somebody else, who would then sign in here as the person.
   */
  async linkToken(request: Request): Promise<string> {
    return this.#options.keyring.sign('link-identity', readCookie(request, SESSION_COOKIE) ?? '');
  }

  /** The person who is signed in, if the link is from their own account page in this browser. */
  async linking(request: Request, token: string): Promise<SignInSession | undefined> {
    const value = readCookie(request, SESSION_COOKIE) ?? '';
    return (await this.#options.keyring.verify('link-identity', value, token)) ? this.current(request) : undefined;
  }

  /** Links an identity with the person who is signed in in this browser, and who asked for it. */
  async link(context: SignInRequest, identity: Vouched, personId: string, returnTo: string): Promise<SignInResult> {
    const { repo, audit } = this.#options;
    const { requestId } = context;
    const session = await this.current(context.request);
    const { provider } = identity;
    if (session?.person.id !== personId)
      return this.refuse(context, provider, { ...LOST, reason: 'person_changed' }, returnTo);
    if (!(await repo.linkIdentity(session.person, identity, Date.now())))
      return this.refuse(
        context,
        provider,
        { problem: 'This account signs in here already.', reason: 'identity_taken' },
        returnTo,
      );
    await audit.record({ action: 'identity_linked', personId, requestId, detail: { provider } });
    return { ok: true, personId, provider, returnTo, cookies: withoutAttempt(context) };
  }

  /** A refusal, written to the audit. */
  async refuse(
    context: SignInRequest,
    provider: string,
    {
      problem,
      reason,
      personId,
    }: { readonly problem: string; readonly reason: string; readonly personId?: string | undefined },
    returnTo: string,
  ): Promise<SignInRefusal> {
    const { requestId } = context;
    await this.#options.audit.record({ action: 'sign_in_refused', personId, requestId, detail: { provider, reason } });
    return { ok: false, problem, returnTo, cookies: withoutAttempt(context) };
  }

  /** What the ticket of this browser is worth. */
  async ticket(request: Request): Promise<Ticket | undefined> {
    return this.#options.admission.ticket(readCookie(request, TICKET_COOKIE));
  }

  /** Whether somebody owns this deployment: until then nobody gets in but with the owner's code. */
  async isClaimed(): Promise<boolean> {
    return this.#options.admission.isClaimed();
  }

  /** Gives the browser a ticket to be let in with. @returns the cookie, or undefined for one worth nothing */
  async giveTicket(kind: Ticket['kind'], value: string): Promise<string | undefined> {
    const ticket = `${kind}.${value}`;
    if (!/^[\w-]{1,100}$/.test(value) || !(await this.#options.admission.ticket(ticket))) return undefined;
    return hostCookie(TICKET_COOKIE, ticket, TICKET_SECONDS);
  }

  /** Who is signed in in the browser that sent this request. */
  async current(request: Request): Promise<SignInSession | undefined> {
    const value = readCookie(request, SESSION_COOKIE);
    return value === undefined || value === '' ? undefined : this.#options.directory.signIn(value);
  }

  /** What tells this browser's session from the person's others; it opens nothing. */
  async sessionId(request: Request): Promise<string | undefined> {
    const value = readCookie(request, SESSION_COOKIE);
    return value === undefined || value === '' ? undefined : sha256Hex(value);
  }

  /** Ends the browser's session. @returns the `Set-Cookie` that removes its secret */
  async end(request: Request): Promise<string> {
    const value = readCookie(request, SESSION_COOKIE);
    if (value !== undefined && value !== '') await this.#options.directory.closeSignIn(value);
    return clearHostCookie(SESSION_COOKIE);
  }
}

export const signInRequest = ({ request, url, origin, requestId }: HttpContext): SignInRequest => ({
  request,
  facts: { hostname: url.hostname, origin, headers: request.headers },
  requestId,
});

/** Where a provider sends the browser back to, as it is registered with the provider. */
function callbackUri({ facts }: SignInRequest, name: string): string {
  return `${facts.origin}/sign-in/${name}/callback`;
}

/** Removes the secret of an attempt that has come to its end, where there is one. */
function withoutAttempt({ request }: SignInRequest): string[] {
  return readCookie(request, ATTEMPT_COOKIE) === undefined ? [] : [clearHostCookie(ATTEMPT_COOKIE)];
}

/** 43 characters that nobody can guess. */
function secret(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}
