import * as z from 'zod';

import type { PasskeyRepo } from '../../directory/passkey-repo.ts';
import { fromBase64Url, toBase64Url, utf8 } from '../../lib/encoding.ts';
import { parseJson } from '../../lib/json.ts';
import { isLoopbackHostname } from '../../lib/loopback.ts';
import type { PasskeyAccount, PasskeyProvider, PasskeyRequest, SignInFacts, SignInOutcome } from '../provider.ts';

/** Loaded when somebody signs in: most isolates never need it. */
const webauthn = async () => import('@simplewebauthn/server');

/** EdDSA, ES256, RS256 (IANA, COSE algorithms): what authenticators have and the runtime can check. */
const ALGORITHMS = [-8, -7, -257];

/** How long the browser waits for the person, in ms: looking for a key in a drawer takes a while. */
const PATIENCE_MS = 300_000;

const bytes = z.base64url().max(100_000);
/** WebAuthn §4: an id has at most 1023 bytes. */
const credentialId = z.base64url().min(1).max(1364);

const assertion = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: bytes,
    authenticatorData: bytes,
    signature: bytes,
  }),
});

const attestation = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: bytes,
    attestationObject: bytes,
    transports: z.array(z.string().max(30)).max(10).default([]),
  }),
});

const clientData = z.object({
  type: z.string(),
  challenge: z.string(),
  origin: z.string(),
  crossOrigin: z.boolean().optional(),
});

const keptSignIn = z.object({ challenge: z.string() });
const keptRegistration = z.object({ challenge: z.string(), name: z.string(), email: z.string().optional() });

const PROBLEMS = {
  malformed: 'This browser did not answer as a passkey does. Try another browser.',
  wrong_type: 'This passkey answered something else than it was asked. Begin again.',
  wrong_challenge: 'This passkey answered a question that was asked before. Begin again.',
  wrong_origin: 'This passkey answered for another address than this one. Open this page anew and begin again.',
  framed: 'This passkey was asked from inside another page. Open this page by itself and begin again.',
  unknown_credential: 'This passkey is not known here: it may have been removed. Use another one or a recovery code.',
  not_verified: 'This passkey did not prove itself. Begin again, or use another one.',
  counter_back:
    'This passkey was refused, because it looks like a copy: it counts fewer uses than it has had. Sign in in another way and remove it.',
  attestation_unasked: 'This device says more of itself than was asked. Make the passkey with another one.',
  identity_taken: 'This passkey is known here already. Sign in with it.',
} as const;

function refused(reason: keyof typeof PROBLEMS, personId?: string): SignInOutcome & { ok: false } {
  return { ok: false, reason, problem: PROBLEMS[reason], ...(personId === undefined ? {} : { personId }) };
}

/**
 * What is wrong with the part of an answer that the browser itself wrote. The library checks it too,
 * but throws sentences; the audit wants to know which it was.
 */
function faultOf(
  encoded: string,
  expected: { type: string; challenge: string; origin: string },
): keyof typeof PROBLEMS | undefined {
  const decoded = fromBase64Url(encoded);
  const data = clientData.safeParse(decoded && parseJson(new TextDecoder().decode(decoded))).data;
  if (!data) return 'malformed';
  if (data.type !== expected.type) return 'wrong_type';
  if (data.challenge !== expected.challenge) return 'wrong_challenge';
  if (data.origin !== expected.origin) return 'wrong_origin';
  // No page may frame ours, so no honest answer comes from inside one.
  return data.crossOrigin === true ? 'framed' : undefined;
}

/** Passkeys (WebAuthn level 3): keys that an authenticator of the person's own uses for this host alone. */
export class WebAuthnProvider implements PasskeyProvider {
  readonly name = 'passkey';
  readonly label = 'Sign in with a passkey';
  readonly kind = 'passkey';
  readonly #enabled: boolean;
  readonly #passkeys: PasskeyRepo;

  constructor(settings: { readonly passkeySignIn: boolean }, passkeys: PasskeyRepo) {
    this.#enabled = settings.passkeySignIn;
    this.#passkeys = passkeys;
  }

  /** Browsers have passkeys for names alone, never for addresses such as 127.0.0.1, and only where nobody listens. */
  exists({ hostname, origin }: SignInFacts): boolean {
    const isAddress = /^[\d.]+$|^\[/.test(hostname);
    return this.#enabled && !isAddress && (origin.startsWith('https:') || isLoopbackHostname(hostname));
  }

  async beginSignIn({ hostname }: SignInFacts): Promise<PasskeyRequest> {
    const { generateAuthenticationOptions } = await webauthn();
    // No list of credentials: the authenticator knows its own, and nobody learns who has one here.
    const options = await generateAuthenticationOptions({
      rpID: hostname,
      userVerification: 'preferred',
      timeout: PATIENCE_MS,
    });
    return { options, kept: { challenge: options.challenge } satisfies z.input<typeof keptSignIn> };
  }

  async finishSignIn({ hostname, origin }: SignInFacts, response: unknown, kept: unknown): Promise<SignInOutcome> {
    const { challenge } = keptSignIn.parse(kept);
    const answer = assertion.safeParse(response).data;
    if (!answer) return refused('malformed');
    const fault = faultOf(answer.response.clientDataJSON, { type: 'webauthn.get', challenge, origin });
    if (fault) return refused(fault);
    const passkey = await this.#passkeys.find(answer.id);
    if (!passkey) return refused('unknown_credential');
    const { personId } = passkey;

    const { verifyAuthenticationResponse } = await webauthn();
    const checked = await proved(async () =>
      verifyAuthenticationResponse({
        response: { ...answer, response: answer.response, clientExtensionResults: {} },
        expectedChallenge: challenge,
        expectedOrigin: origin,
        expectedRPID: hostname,
        requireUserVerification: false,
        credential: {
          id: passkey.credentialId,
          publicKey: fromBase64Url(passkey.publicKey) ?? new Uint8Array(),
          // Below any count: it is compared by the statement that stores it, once the signature is good.
          counter: -1,
        },
      }),
    );
    if (!checked?.verified) return refused('not_verified', personId);
    if (!(await this.#passkeys.countUse(passkey.credentialId, checked.authenticationInfo.newCounter)))
      return refused('counter_back', personId);
    return { ok: true, identity: this.#identity(passkey.credentialId, passkey.name, undefined) };
  }

  async beginRegistration({ hostname }: SignInFacts, account: PasskeyAccount): Promise<PasskeyRequest> {
    const { generateRegistrationOptions } = await webauthn();
    const { personId, accountName, email, passkeyName } = account;
    const known = personId === undefined ? [] : await this.#passkeys.list(personId);
    const options = await generateRegistrationOptions({
      rpName: 'Carrel',
      rpID: hostname,
      userName: accountName,
      userDisplayName: accountName,
      ...(personId === undefined ? {} : { userID: utf8(personId) }),
      attestationType: 'none',
      timeout: PATIENCE_MS,
      // One authenticator, one passkey of a person: a second one would be offered beside the first for ever.
      excludeCredentials: known.map((each) => ({ id: each.credentialId, transports: [...each.transports] })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
      supportedAlgorithmIDs: ALGORITHMS,
    });
    const kept: z.input<typeof keptRegistration> = { challenge: options.challenge, name: passkeyName, email };
    return { options, kept };
  }

  async finishRegistration(
    { hostname, origin }: SignInFacts,
    response: unknown,
    kept: unknown,
  ): Promise<SignInOutcome> {
    const { challenge, name, email } = keptRegistration.parse(kept);
    const answer = attestation.safeParse(response).data;
    if (!answer) return refused('malformed');
    const fault = faultOf(answer.response.clientDataJSON, { type: 'webauthn.create', challenge, origin });
    if (fault) return refused(fault);

    const { verifyRegistrationResponse } = await webauthn();
    const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers');
    const object = await proved(async () =>
      decodeAttestationObject(fromBase64Url(answer.response.attestationObject) ?? new Uint8Array()),
    );
    // We ask for none, and browsers then pass on at most what the new key says of itself. Whoever sends
    // certificates all the same wants them read, and their lists of revoked ones fetched.
    const format = object?.get('fmt');
    if (object && format !== 'none' && (format !== 'packed' || object.get('attStmt').get('x5c') !== undefined))
      return refused('attestation_unasked');
    const checked = await proved(async () =>
      verifyRegistrationResponse({
        response: { ...answer, response: { ...answer.response, transports: [] }, clientExtensionResults: {} },
        expectedChallenge: challenge,
        expectedOrigin: origin,
        expectedRPID: hostname,
        requireUserVerification: false,
        supportedAlgorithmIDs: ALGORITHMS,
      }),
    );
    if (!checked?.verified) return refused('not_verified');
    const { id, publicKey, counter } = checked.registrationInfo.credential;
    // What signs is what the id names: the browser says the id twice.
    if (id !== answer.id) return refused('malformed');
    // An answer proves that its key is there, and nothing of whose the id was: it may be copied.
    if (await this.#passkeys.find(id)) return refused('identity_taken');
    const key = { publicKey: toBase64Url(publicKey), counter, transports: answer.response.transports };
    return { ok: true, identity: { ...this.#identity(id, name, email), passkey: key } };
  }

  #identity(subject: string, label: string, email: string | undefined) {
    return { provider: this.name, subject, label, email, emailVerified: false, groups: [] };
  }
}

/** What a check of the library says. It throws where an answer is not as it must be. */
async function proved<Result>(check: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await check();
  } catch {
    return undefined;
  }
}
