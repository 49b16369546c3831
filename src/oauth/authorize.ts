import { AuthorizationError, CimdFetchError } from '@cloudflare/workers-oauth-provider';
import type { AuthRequest, ConsentDescription } from '@cloudflare/workers-oauth-provider';

import type { AuditTrail } from '../directory/audit.ts';
import type { SignInSession } from '../directory/types.ts';
import { CarrelError } from '../lib/errors.ts';
import { hasVisibleText } from '../lib/hidden-text.ts';
import type { Keyring } from '../lib/keyring.ts';
import { isLoopbackHostname } from '../lib/loopback.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Workspaces } from '../workspace/client.ts';
import { INVALID_REDIRECT, UNKNOWN_CLIENT } from './library-words.ts';
import type { PersonIds } from './person-ids.ts';
import { tokenParts } from './person-ids.ts';
import { canonicaliseResources } from './resource.ts';
import type { Scope } from './scopes.ts';
import type { AuthorizationServers, OAuthEnv } from './server.ts';
import { HandleAlreadyUsed } from './storage.ts';

interface AuthorizeServiceOptions {
  readonly servers: AuthorizationServers;
  readonly env: OAuthEnv;
  readonly workspaces: Workspaces;
  readonly personIds: PersonIds;
  readonly scopes: readonly Scope[];
  readonly keyring: Keyring;
  readonly telemetry: Telemetry;
  readonly audit: AuditTrail;
}

/** A client's request, as the consent page shows it. */
export interface ConsentQuestion {
  readonly request: AuthRequest;
  readonly description: ConsentDescription;
  readonly redirectIsPrivateUse: boolean;
  /** Whether the answer may be remembered: never where any program could be the one that receives it. */
  readonly mayRemember: boolean;
}

/** What the person answered on the consent page. */
export interface ConsentAnswer {
  readonly handle: string;
  readonly scopes: readonly string[];
  readonly remember: boolean;
}

/**
 * From a client's request to its code. Validating the request, binding the page to the browser and
 * making the redirect are the OAuth library's; the code is made in the person's own object.
 */
export class AuthorizeService {
  readonly #options: AuthorizeServiceOptions;

  constructor(options: AuthorizeServiceOptions) {
    this.#options = options;
  }

  /**
   * What a client asks of a person. Before anybody has signed in, neither an error that leads to the
   * client's address nor the fetch of a client's own document happens: this deployment must lend itself
   * to no stranger as a redirector (RFC 9700 §4.11.2) or as a fetcher.
   *
   * @returns undefined when that needs a signed-in person
   * @throws AuthorizationError or CimdFetchError of the OAuth library for a request that must be refused
   */
  async question(
    request: Request,
    origin: string,
    session: SignInSession | undefined,
    requestId: string,
  ): Promise<ConsentQuestion | undefined> {
    const clientId = new URL(request.url).searchParams.get('client_id') ?? undefined;
    const about = { personId: session?.person.id, requestId };
    try {
      const question = await this.#question(request, origin, session !== undefined);
      if (question && request.method === 'GET')
        await this.#options.audit.record({ ...about, action: 'authorize_opened', clientId });
      return question;
    } catch (thrown) {
      const reason = refusalReason(thrown);
      if (reason !== undefined) {
        const known = reason === 'client_unknown' ? undefined : clientId;
        await this.#options.audit.record({
          ...about,
          action: 'authorize_refused',
          clientId: known,
          detail: { reason },
        });
      }
      throw thrown;
    }
  }

  async #question(request: Request, origin: string, signedIn: boolean): Promise<ConsentQuestion | undefined> {
    const url = new URL(request.url);
    const document = URL.parse(url.searchParams.get('client_id') ?? '');
    // A document of ours would prove to describe anybody who finds a redirect here.
    if (document?.origin === origin)
      throw new CarrelError('invalid_input', 'This deployment is no app. Go back to the app and connect again.');
    if (document && !signedIn) return undefined;
    canonicaliseResources(url.searchParams, origin);
    const api = this.#api(origin);
    // Without the body: of an answer that is put anew it was read already.
    const parsed = await api
      .parseAuthRequest(new Request(url, { headers: request.headers }))
      .catch((thrown: unknown) => {
        if (!signedIn && thrown instanceof AuthorizationError && thrown.redirectTo !== undefined) return undefined;
        throw thrown;
      });
    if (!parsed) return undefined;
    const described = await api.describeConsent(parsed);
    // A name of spaces and invisible characters would leave nobody named on the page.
    const nameless = !hasVisibleText(described.clientName);
    const description = nameless ? { ...described, clientName: described.clientId } : described;
    const redirect = new URL(parsed.redirectUri);
    const redirectIsPrivateUse = redirect.protocol !== 'https:' && redirect.protocol !== 'http:';
    return {
      request: parsed,
      description,
      redirectIsPrivateUse,
      // A request that names no scopes is remembered by nothing: the next one may be about anything.
      mayRemember: redirect.protocol === 'https:' && !isLoopbackHostname(redirect.hostname) && parsed.scope.length > 0,
    };
  }

  /** The scopes that the page offers; those that the client asked for are chosen, all if it asked for none. */
  choices(requested: readonly string[]): (Scope & { checked: boolean })[] {
    const known = this.#options.scopes.filter(({ name }) => requested.includes(name));
    return this.#options.scopes.map((scope) => ({ ...scope, checked: known.length === 0 || known.includes(scope) }));
  }

  /**
   * Whether this person approved this client, redirect and scopes before, in this browser, and lets it
   * in to this day: a client whose access was ended must ask again, whatever the browser remembers.
   */
  async isRemembered(request: Request, question: ConsentQuestion, session: SignInSession, origin: string) {
    if (!question.mayRemember) return false;
    const secret = await this.#options.keyring.derivedSecret('remember');
    const remember = { secret, subject: session.person.id };
    if (!(await this.#api(origin).isConsentRemembered(request, question.request, remember))) return false;
    return this.#options.workspaces.holdsGrant(
      session.person.id,
      question.request.clientId,
      question.request.redirectUri,
      question.request.scope,
    );
  }

  /**
   * Begins the question. The handle in the form is bound to the browser by the library's cookie, and
   * to the person whom the page names: somebody else who signs in meanwhile must not be the one who
   * grants access.
   */
  async begin(
    question: ConsentQuestion,
    session: SignInSession,
    origin: string,
  ): Promise<{ handle: string; cookie: string | null }> {
    const { handle, headers } = await this.#api(origin).beginConsent(question.request);
    const mark = await this.#options.keyring.sign('consent', `${handle}\n${session.person.id}`);
    return { handle: `${handle}.${mark}`, cookie: headers.get('Set-Cookie') };
  }

  /**
   * Approves. Of two answers to one question the first that deletes the handle wins; the other is told
   * that it was used.
   *
   * @returns where to send the browser, with the cookies to set
   * @throws AuthorizationError for a handle that is not this browser's, expired or was used
   */
  async approve(
    request: Request,
    answer: ConsentAnswer,
    session: SignInSession,
    origin: string,
    requestId: string,
  ): Promise<{ location: string; cookies: readonly string[] }> {
    const offered = new Set(this.#options.scopes.map(({ name }) => name));
    if (answer.scopes.length === 0 || answer.scopes.some((scope) => !offered.has(scope)))
      throw new CarrelError('invalid_input', 'Choose at least one of the permissions that the page offers.');
    const secret = await this.#options.keyring.derivedSecret('remember');
    const approved = await this.#claim(request, answer.handle, session, requestId, (handle) =>
      this.#api(origin).approveConsent(request, handle, {
        scope: [...answer.scopes],
        ...(answer.remember ? { remember: { secret, subject: session.person.id } } : {}),
      }),
    );
    const location = await this.grant(
      approved.request,
      session,
      origin,
      requestId,
      answer.remember ? 'remember' : 'once',
    );
    return { location, cookies: approved.headers.getSetCookie() };
  }

  async deny(
    request: Request,
    handle: string,
    session: SignInSession,
    origin: string,
    requestId: string,
  ): Promise<{ location: string; cookies: readonly string[] }> {
    const denied = await this.#claim(request, handle, session, requestId, (claimed) =>
      this.#api(origin).denyConsent(request, claimed),
    );
    const [personId, { clientId }] = [session.person.id, denied.request];
    await this.#options.audit.record({ action: 'consent_denied', personId, clientId, requestId });
    return { location: denied.redirectTo, cookies: denied.headers.getSetCookie() };
  }

  /** Makes the grant and its code in the person's object. Only after consent. */
  async grant(
    request: AuthRequest,
    session: SignInSession,
    origin: string,
    requestId: string,
    consent: 'once' | 'remember' | 'remembered',
  ): Promise<string> {
    const { personIds, workspaces, telemetry, audit } = this.#options;
    const { person } = session;
    const location = await workspaces.authorize({
      origin,
      request,
      personId: person.id,
      outwardPerson: await personIds.outward(person.id),
      scopes: request.scope,
      props: { label: person.email ?? person.id },
    });
    telemetry.record({
      type: 'grant_made',
      personId: person.id,
      clientId: request.clientId,
      scopes: request.scope,
      requestId,
    });
    await audit.record({
      action: 'consent_given',
      personId: person.id,
      clientId: request.clientId,
      grantId: tokenParts(new URL(location).searchParams.get('code') ?? '')?.grantId,
      requestId,
      detail: { consent, scopes: request.scope.join(' ') },
    });
    return location;
  }

  /** Answers the question of a handle, if it was put to this person and nobody has answered it. */
  async #claim<Answer>(
    request: Request,
    marked: string,
    { person }: SignInSession,
    requestId: string,
    answer: (handle: string) => Promise<Answer>,
  ): Promise<Answer> {
    const refused = (reason: string, clientId?: string) =>
      this.#options.audit.record({
        action: 'consent_refused',
        personId: person.id,
        clientId,
        requestId,
        detail: { reason },
      });
    const [handle = '', mark = ''] = marked.split('.');
    if (!(await this.#options.keyring.verify('consent', `${handle}\n${person.id}`, mark))) {
      await refused('other_person');
      throw new CarrelError('forbidden', 'This question was put to somebody else. Start again from the app.');
    }
    try {
      return await answer(handle);
    } catch (thrown) {
      if (thrown instanceof HandleAlreadyUsed || thrown instanceof AuthorizationError)
        // The form goes to the address of the question, which was put to this person.
        await refused('question_closed', new URL(request.url).searchParams.get('client_id') ?? undefined);
      throw thrown;
    }
  }

  #api(origin: string) {
    return this.#options.servers.for(origin).getOAuthApi(this.#options.env);
  }
}

/** Why the library refused a client's request, in a word of ours; undefined for what is no refusal. */
function refusalReason(thrown: unknown): string | undefined {
  if (thrown instanceof CimdFetchError) return 'client_document_unreadable';
  if (!(thrown instanceof AuthorizationError)) return undefined;
  if (thrown.description === UNKNOWN_CLIENT) return 'client_unknown';
  if (thrown.description === INVALID_REDIRECT) return 'redirect_uri_invalid';
  return thrown.code;
}
