import type { AuthRequest } from '@cloudflare/workers-oauth-provider';

import type { AttemptRepo } from '../../directory/attempt-repo.ts';
import type { AuditTrail } from '../../directory/audit.ts';
import type { DeviceAnswer, DeviceRepo } from '../../directory/device-repo.ts';
import type { PeopleRepo } from '../../directory/people-repo.ts';
import type { Person } from '../../directory/types.ts';
import { CarrelError } from '../../lib/errors.ts';
import type { Keyring } from '../../lib/keyring.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Workspaces } from '../../workspace/client.ts';
import { DEVICE_GRANT, deviceRedirect } from '../model.ts';
import type { PersonIds } from '../person-ids.ts';
import { tokenParts } from '../person-ids.ts';
import { canonicaliseResources } from '../resource.ts';
import type { Scope } from '../scopes.ts';
import type { AuthorizationServers, OAuthEnv } from '../server.ts';
import { presentedClient, serveToken } from '../token-endpoint.ts';
import type { DeviceCall } from '../token-endpoint.ts';
import { hashOfDeviceCode, newDeviceCode, newUserCode, parseUserCode } from './codes.ts';

/** How long a code can be entered and its answer fetched, in seconds. */
const LIFETIME_SECONDS = 900;
/** How long a client waits between two polls, in seconds, and how much longer after one that came too early. */
const INTERVAL_SECONDS = 5;
const MAX_INTERVAL_SECONDS = 60;
/** How much too early a poll may come, in ms: clocks and networks are not exact. */
const JITTER_MS = 1000;
const HOUR_MS = 3_600_000;
/** Requests of devices in an hour: of one address, which may be an office, and of all. */
const REQUESTS = { ofKey: 60, inAll: 1000 } as const;
/** Wrong codes that one person may enter within {@link GUESS_MS}. With 34 bits a code that is none of theirs is not found. */
const GUESSES = 10;
const GUESS_MS = 900_000;

interface DeviceGrantsOptions {
  readonly repo: DeviceRepo;
  readonly attempts: AttemptRepo;
  readonly servers: AuthorizationServers;
  readonly env: OAuthEnv;
  readonly workspaces: Workspaces;
  readonly people: Pick<PeopleRepo, 'find'>;
  readonly personIds: PersonIds;
  readonly keyring: Keyring;
  readonly scopes: readonly Scope[];
  readonly audit: AuditTrail;
  readonly telemetry: Telemetry;
}

/** What a device asks of the person who has its code. */
export interface DeviceQuestion {
  /** Untrusted: whatever the client calls itself. */
  readonly clientName: string;
  readonly userCode: string;
  /** Those that the client asked for are checked, all if it asked for none. */
  readonly scopes: readonly (Scope & { readonly checked: boolean })[];
  /** Names this question to this person; it can be answered once. */
  readonly handle: string;
}

/**
 * Lets a device in that has no browser (RFC 8628). Its client gets two codes: one to poll with, and one that
 * a person types into our page in a browser of their own. What a person allows is made into a grant when the
 * client comes for it, in the person's object, so that no token or code waits anywhere.
 *
 * Only clients that registered for it: a client that is known by its document would lend its verified name
 * to whoever begins a request with it, because no redirect leads back to the client.
 */
export class DeviceGrants {
  readonly #options: DeviceGrantsOptions;

  constructor(options: DeviceGrantsOptions) {
    this.#options = options;
  }

  /** Begins: the answer of the device authorization endpoint (RFC 8628 §3.2). @param address of the client */
  async begin(call: DeviceCall, address: string | undefined): Promise<Response> {
    const { form, origin, requestId } = call;
    const { repo, attempts, keyring, scopes, audit } = this.#options;
    if (isRepeating(form)) return repeated();
    canonicaliseResources(form, origin);
    const known = await this.#client(call);
    if (known instanceof Response) return known;
    const resource = form.getAll('resource');
    if (resource.some((each) => each !== origin)) return refusal('invalid_target', 'There is no such resource here.');
    const scope = (form.get('scope') ?? '').split(' ').filter((name) => name !== '');
    if (scope.length > 0 && !scope.some((name) => scopes.some((each) => each.name === name)))
      return refusal('invalid_scope', 'None of these scopes exist here.');

    const now = Date.now();
    const limit = { ...REQUESTS, ofKey: address === undefined ? REQUESTS.inAll : REQUESTS.ofKey };
    const key = await keyring.sign('client-address', address ?? '');
    if ((await attempts.take({ kind: 'device_request', key, ...limit, since: now - HOUR_MS }, now)) === undefined)
      throw new CarrelError('limit_exceeded', 'Too many devices have asked in the last hour. Try again later.', {
        details: { retry_after: HOUR_MS / 1000 / 4 },
      });

    const deviceCode = await newDeviceCode(keyring);
    const deviceHash = await hashOfDeviceCode(keyring, deviceCode);
    if (deviceHash === undefined) throw new TypeError('a code of ours is not ours');
    const asked = {
      deviceHash,
      clientId: known.clientId,
      scope: scope.join(' ').slice(0, 2000),
      expiresAt: now + LIFETIME_SECONDS * 1000,
      intervalSeconds: INTERVAL_SECONDS,
      polledAt: 0,
    };
    let userCode = newUserCode();
    while (!(await repo.insert(asked, await this.#userCodeHash(userCode), now))) userCode = newUserCode();
    await audit.record({ action: 'device_code_made', clientId: known.clientId, requestId });
    return json({
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: `${origin}/device`,
      verification_uri_complete: `${origin}/device?user_code=${userCode}`,
      expires_in: LIFETIME_SECONDS,
      interval: INTERVAL_SECONDS,
    });
  }

  /**
   * What the device of a code asks, for the person who typed it. Wrong ones are counted where the data is:
   * of many guesses at once no more than the limit are compared.
   *
   * @throws CarrelError `limit_exceeded` after too many wrong codes
   */
  async question(
    typed: string,
    person: Person,
    origin: string,
    requestId: string,
  ): Promise<DeviceQuestion | undefined> {
    const { repo, attempts, keyring, scopes, servers, env, audit } = this.#options;
    const now = Date.now();
    const about = { personId: person.id, requestId };
    const limit = { kind: 'device_code_guess', key: person.id, ofKey: GUESSES, since: now - GUESS_MS } as const;
    const slot = await attempts.take(limit, now);
    if (slot === undefined) {
      await audit.record({ ...about, action: 'device_code_refused', detail: { reason: 'too_many_guesses' } });
      throw new CarrelError('limit_exceeded', 'Too many wrong codes. Wait a quarter of an hour, then begin anew.', {
        details: { retry_after: GUESS_MS / 1000 },
      });
    }
    const userCode = parseUserCode(typed);
    const found =
      userCode === undefined ? undefined : await repo.open({ userCodeHash: await this.#userCodeHash(userCode) }, now);
    const client = found && (await servers.for(origin).getOAuthApi(env).lookupClient(found.clientId));
    if (userCode === undefined || !found || !client) {
      await audit.record({ ...about, action: 'device_code_refused', detail: { reason: 'unknown_code' } });
      return undefined;
    }
    await attempts.release(slot);
    await audit.record({ ...about, action: 'authorize_opened', clientId: found.clientId });
    const asked = found.scope.split(' ').filter((name) => name !== '');
    const mark = await keyring.sign('device-consent', `${found.deviceHash}\n${person.id}`);
    return {
      clientName: client.clientName ?? client.clientId,
      userCode,
      scopes: scopes.map((scope) => ({ ...scope, checked: asked.length === 0 || asked.includes(scope.name) })),
      handle: `${found.deviceHash}.${mark}`,
    };
  }

  /**
   * Answers a device, once.
   *
   * @param scopes what it may do; undefined to deny it
   * @throws CarrelError `forbidden` for somebody else's question, `conflict` for one that is closed
   */
  async answer(
    handle: string,
    scopes: readonly string[] | undefined,
    person: Person,
    requestId: string,
  ): Promise<'allowed' | 'denied'> {
    const { repo, keyring, audit } = this.#options;
    const [deviceHash = '', mark = ''] = handle.split('.');
    const about = { personId: person.id, requestId };
    if (!(await keyring.verify('device-consent', `${deviceHash}\n${person.id}`, mark))) {
      await audit.record({ ...about, action: 'consent_refused', detail: { reason: 'other_person' } });
      throw new CarrelError('forbidden', 'This question was put to somebody else. Enter the code again.');
    }
    const offered = new Set(this.#options.scopes.map(({ name }) => name));
    if (scopes && (scopes.length === 0 || scopes.some((scope) => !offered.has(scope))))
      throw new CarrelError('invalid_input', 'Choose at least one of the permissions that the page offers.');
    const now = Date.now();
    const found = await repo.open({ deviceHash }, now);
    const given: DeviceAnswer = scopes ? { answer: 'allowed', personId: person.id, scopes } : { answer: 'denied' };
    if (!found || !(await repo.answer(deviceHash, given, now))) {
      await audit.record({ ...about, action: 'consent_refused', detail: { reason: 'question_closed' } });
      throw new CarrelError('conflict', 'This code was answered before, or has expired. Begin anew on the device.');
    }
    const { clientId } = found;
    if (!scopes) await audit.record({ ...about, action: 'consent_denied', clientId });
    else
      await audit.record({
        ...about,
        action: 'consent_given',
        clientId,
        detail: { consent: 'device', scopes: scopes.join(' ') },
      });
    return given.answer;
  }

  /** A client's poll at the token endpoint (RFC 8628 §3.4 and §3.5). */
  async token(call: DeviceCall): Promise<Response> {
    const { repo, keyring } = this.#options;
    const { form } = call;
    if (isRepeating(form)) return repeated();
    const code = form.get('device_code') ?? '';
    if (code === '') return refusal('invalid_request', 'Send the device_code.');
    const deviceHash = await hashOfDeviceCode(keyring, code);
    if (deviceHash === undefined) return refusal('invalid_grant', 'This is no device code of ours.');
    // Before anything is taken: who has a device's code alone must not use it up.
    const known = await this.#client(call);
    if (known instanceof Response) return known;
    const { clientId } = known;
    const now = Date.now();
    const given = await repo.claim(deviceHash, clientId, now);
    if (given?.answer === 'denied') {
      await repo.finish(deviceHash);
      return refusal('access_denied', 'The person denied it.');
    }
    if (given) return this.#deliver(given, { deviceHash, clientId }, call);
    const waiting = await repo.find(deviceHash, clientId);
    if (!waiting) {
      await this.#refused(call, { clientId }, 'device_code_unknown');
      return refusal('invalid_grant', 'This device code was used, or is another client’s.');
    }
    if (waiting.expiresAt <= now) {
      await this.#refused(call, { clientId }, 'device_code_expired');
      return refusal('expired_token', 'Nobody answered in time. Begin anew.');
    }
    const interval = waiting.intervalSeconds;
    // Another poll is about to get the answer: this one must neither get it as well nor hear that nobody has answered.
    const early = waiting.answered || waiting.polledAt + interval * 1000 - JITTER_MS > now;
    const next = early ? Math.min(interval + INTERVAL_SECONDS, MAX_INTERVAL_SECONDS) : interval;
    await repo.notePoll(deviceHash, next, now);
    return early
      ? refusal('slow_down', 'Wait five seconds longer between two requests.')
      : refusal('authorization_pending', 'The person has not answered yet.');
  }

  /** Gives what a person allowed. What fails on the way leaves the answer where it is, for the next poll. */
  async #deliver(
    given: Allowed,
    device: { readonly deviceHash: string; readonly clientId: string },
    call: DeviceCall,
  ): Promise<Response> {
    const { repo, workspaces, telemetry } = this.#options;
    const { deviceHash, clientId } = device;
    const response = await this.#give(given, device, call).catch(async (thrown: unknown) => {
      // Where this fails too, the claim lapses by itself.
      await Promise.allSettled([repo.release(deviceHash)]);
      throw thrown;
    });
    const answer = await repo.finish(deviceHash);
    if (!response.ok) return response;
    if (answer === 'denied') {
      // Its person took it back while the grant was made, too late to see it on their page.
      const { access_token: token } = await response.json<{ access_token: string }>();
      await workspaces.revokeGrant(given.personId, tokenParts(token)?.grantId ?? '');
      return refusal('access_denied', 'The person took it back.');
    }
    const { personId, scopes } = given;
    telemetry.record({ type: 'grant_made', personId, clientId, scopes, requestId: call.requestId });
    return response;
  }

  /** Makes the grant that a person allowed and gives its first tokens, all in the person's object. */
  async #give(
    { personId, scopes }: Allowed,
    { deviceHash, clientId }: { readonly deviceHash: string; readonly clientId: string },
    call: DeviceCall,
  ): Promise<Response> {
    const { request, form, origin, requestId } = call;
    const { workspaces, personIds, people } = this.#options;
    const person = await people.find(personId);
    if (!person) {
      await this.#refused(call, { clientId, personId }, 'person_deleted');
      return refusal('access_denied', 'The person is no longer here.');
    }
    const asked: AuthRequest = {
      responseType: 'code',
      clientId,
      redirectUri: deviceRedirect(origin),
      scope: [...scopes],
      state: '',
      resource: origin,
    };
    const props = { label: person.email ?? person.id };
    const outwardPerson = await personIds.outward(personId);
    const input = { origin, request: asked, personId, outwardPerson, scopes, props, deviceHash };
    const credentials = { authorization: request.headers.get('Authorization'), secret: form.get('client_secret') };
    return workspaces.authorizeDevice(input, credentials, requestId);
  }

  /** Writes down that a client was refused, as far as it is known who that is. */
  async #refused(
    { requestId }: DeviceCall,
    about: { readonly clientId?: string; readonly personId?: string },
    reason: string,
  ): Promise<void> {
    await this.#options.audit.record({ ...about, action: 'token_refused', requestId, detail: { reason } });
  }

  async sweep(now: number): Promise<void> {
    await this.#options.repo.sweep(now);
    await this.#options.attempts.sweep(now - HOUR_MS);
  }

  /** Has the library authenticate the client: asked for something that it refuses only after that. */
  async #client(call: DeviceCall): Promise<{ readonly clientId: string } | Response> {
    const { request, form, origin } = call;
    const { servers, env } = this.#options;
    const clientId = presentedClient(request, form) ?? '';
    // Nothing of a client's own document is fetched for a stranger.
    if (URL.canParse(clientId)) {
      await this.#refused(call, {}, 'client_not_registered');
      return unregistered();
    }
    const asked = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'none' });
    for (const name of ['client_id', 'client_secret']) {
      const value = form.get(name);
      if (value !== null) asked.set(name, value);
    }
    const headers = new Headers({ 'Content-Type': 'application/x-www-form-urlencoded' });
    const authorization = request.headers.get('Authorization');
    if (authorization !== null) headers.set('Authorization', authorization);
    const probe = new Request(`${origin}/token`, { method: 'POST', headers, body: asked.toString() });
    const { response, refusal: refused } = await serveToken(servers.for(origin), probe, env);
    if (refused?.reason !== AUTHENTICATED) {
      // What it says of itself is a stranger's text.
      await this.#refused(call, {}, refused?.reason ?? 'unknown');
      return response;
    }
    const client = await servers.for(origin).getOAuthApi(env).lookupClient(clientId);
    if (client?.grantTypes?.includes(DEVICE_GRANT) === true) return { clientId };
    await this.#refused(call, { clientId }, 'grant_type_not_registered');
    return unregistered();
  }

  async #userCodeHash(userCode: string): Promise<string> {
    return this.#options.keyring.sign('user-code', userCode);
  }
}

/** Why the library refuses a refresh token that is none, once it knows who asks. */
const AUTHENTICATED = 'refresh_token_malformed';

type Allowed = Extract<DeviceAnswer, { answer: 'allowed' }>;

/** Whether a parameter is there twice, which RFC 6749 §3.2 forbids; RFC 8707 allows several resources. */
function isRepeating(form: URLSearchParams): boolean {
  const names = [...form].filter(([name, value]) => name !== 'resource' && value !== '').map(([name]) => name);
  return new Set(names).size < names.length;
}

const repeated = () => refusal('invalid_request', 'A parameter is there more than once.');

const unregistered = () =>
  refusal('unauthorized_client', `Register with the grant type ${DEVICE_GRANT} to use it (RFC 7591).`);

function refusal(error: string, description: string): Response {
  return json({ error, error_description: description }, 400);
}

function json(body: object, status = 200): Response {
  return Response.json(body, { status, headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache' } });
}
