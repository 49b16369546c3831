import type { AuthRequest } from '@cloudflare/workers-oauth-provider';

import type { AttemptRepo } from '../../directory/attempt-repo.ts';
import type { AuditTrail } from '../../directory/audit.ts';
import type { DeviceAnswer, DeviceRepo } from '../../directory/device-repo.ts';
import type { PeopleRepo } from '../../directory/people-repo.ts';
import type { Person } from '../../directory/types.ts';
import { CarrelError } from '../../lib/errors.ts';
import type { Keyring } from '../../lib/keyring.ts';
import type { Workspaces } from '../../workspace/client.ts';
import { DEVICE_GRANT, deviceRedirect } from '../model.ts';
import type { PersonIds } from '../person-ids.ts';
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
  async begin({ request, form, origin, requestId }: DeviceCall, address: string | undefined): Promise<Response> {
    const { repo, attempts, keyring, scopes, audit } = this.#options;
    canonicaliseResources(form, origin);
    const known = await this.#client(request, form, origin);
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
  async token({ request, form, origin, requestId }: DeviceCall): Promise<Response> {
    const { repo, keyring, audit } = this.#options;
    const deviceHash = await hashOfDeviceCode(keyring, form.get('device_code') ?? '');
    if (deviceHash === undefined) return refusal('invalid_grant', 'This is no device code of ours.');
    // Before anything is taken: who has a device's code alone must not use it up.
    const known = await this.#client(request, form, origin);
    if (known instanceof Response) return known;
    const { clientId } = known;
    const now = Date.now();
    const given = await repo.claim(deviceHash, clientId, now);
    if (given?.answer === 'denied') return refusal('access_denied', 'The person denied it.');
    if (given) return this.#give(given, clientId, { request, form, origin, requestId });
    const waiting = await repo.find(deviceHash, clientId);
    if (!waiting) {
      await audit.record({ action: 'token_refused', clientId, requestId, detail: { reason: 'device_code_unknown' } });
      return refusal('invalid_grant', 'This device code was used, or is another client’s.');
    }
    if (waiting.expiresAt <= now) return refusal('expired_token', 'Nobody answered in time. Begin anew.');
    const early = waiting.polledAt + waiting.intervalSeconds * 1000 > now;
    await repo.notePoll(deviceHash, waiting.intervalSeconds + (early ? INTERVAL_SECONDS : 0), now);
    return early
      ? refusal('slow_down', 'Wait five seconds longer between two requests.')
      : refusal('authorization_pending', 'The person has not answered yet.');
  }

  /** Makes the grant that a person allowed and gives its first tokens, all in the person's object. */
  async #give(
    { personId, scopes }: Extract<DeviceAnswer, { answer: 'allowed' }>,
    clientId: string,
    { request, form, origin, requestId }: DeviceCall,
  ): Promise<Response> {
    const { workspaces, personIds, people } = this.#options;
    const person = await people.find(personId);
    if (!person) return refusal('access_denied', 'The person is no longer here.');
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
    const input = { origin, request: asked, personId, outwardPerson, scopes, props };
    const credentials = { authorization: request.headers.get('Authorization'), secret: form.get('client_secret') };
    return workspaces.authorizeDevice(input, credentials, requestId);
  }

  async sweep(now: number): Promise<void> {
    await this.#options.repo.sweep(now);
    await this.#options.attempts.sweep(now - HOUR_MS);
  }

  /** Has the library authenticate the client: asked for something that it refuses only after that. */
  async #client(
    request: Request,
    form: URLSearchParams,
    origin: string,
  ): Promise<{ readonly clientId: string } | Response> {
    const { servers, env } = this.#options;
    const clientId = presentedClient(request, form) ?? '';
    // Nothing of a client's own document is fetched for a stranger.
    if (URL.canParse(clientId)) return unregistered();
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
    if (refused?.reason !== AUTHENTICATED) return response;
    const client = await servers.for(origin).getOAuthApi(env).lookupClient(clientId);
    return client?.grantTypes?.includes(DEVICE_GRANT) === true ? { clientId } : unregistered();
  }

  async #userCodeHash(userCode: string): Promise<string> {
    return this.#options.keyring.sign('user-code', userCode);
  }
}

/** Why the library refuses a refresh token that is none, once it knows who asks. */
const AUTHENTICATED = 'refresh_token_malformed';

const unregistered = () =>
  refusal('unauthorized_client', `Register with the grant type ${DEVICE_GRANT} to use it (RFC 7591).`);

function refusal(error: string, description: string): Response {
  return json({ error, error_description: description }, 400);
}

function json(body: object, status = 200): Response {
  return Response.json(body, { status, headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache' } });
}
