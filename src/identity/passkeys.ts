import * as z from 'zod';

import type { AdmissionRepo } from '../directory/admission-repo.ts';
import type { AuditTrail } from '../directory/audit.ts';
import type { PeopleRepo } from '../directory/people-repo.ts';
import type { PasskeyRepo } from '../directory/passkey-repo.ts';
import type { Passkey, Person } from '../directory/types.ts';
import { sha256Hex } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { toBase32 } from '../lib/ids.ts';
import type { PasskeyAccount, PasskeyProvider } from './provider.ts';
import { LOST } from './sign-in.ts';
import type { SignInRefusal, SignInRequest, SignInResult, SignInService } from './sign-in.ts';

/** Passkeys of a person. More would make a list that nobody tells apart. */
const MAX_PASSKEYS = 20;
const RECOVERY_CODES = 10;
/** 80 bits: they name nobody, so that guessing one means guessing among all numbers. */
const CODE_BYTES = 10;

/** What the browser's script begins with, and the cookie that binds its end to this browser. */
export type Begun = { readonly ok: true; readonly options: object; readonly cookie: string } | SignInRefusal;

const keptOwn = z.object({ purpose: z.enum(['sign-in', 'entry', 'addition']), kept: z.unknown() });
type Purpose = z.infer<typeof keptOwn>['purpose'];

const address = z.email().max(254);
const name = z
  .string()
  .trim()
  .min(1)
  .max(60)
  // A name with line breaks or overrides of direction would reorder the page that lists it.
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u);

interface PasskeyServiceOptions {
  readonly signIn: SignInService;
  readonly passkeys: PasskeyRepo;
  readonly identities: AdmissionRepo;
  readonly people: PeopleRepo;
  readonly audit: AuditTrail;
}

/** What a person sees of their passkeys. */
export interface PasskeyOverview {
  readonly passkeys: readonly Passkey[];
  /** Whether one may be removed: the last way in may not. */
  readonly removable: boolean;
  readonly codesLeft: number;
}

/** Signing in with passkeys, making them, and getting in without one. */
export class PasskeyService {
  readonly #options: PasskeyServiceOptions;

  constructor(options: PasskeyServiceOptions) {
    this.#options = options;
  }

  /** @throws CarrelError `not_found` where passkeys do not exist for this request */
  provider({ facts }: SignInRequest): PasskeyProvider {
    const provider = this.#options.signIn.provider(facts, 'passkey');
    if (!provider) throw new CarrelError('not_found', 'There is no such way to sign in here.');
    return provider;
  }

  async beginSignIn(context: SignInRequest, returnTo: string): Promise<Begun> {
    const { options, kept } = await this.provider(context).beginSignIn(context.facts);
    return { ok: true, options, cookie: await this.#keep(context, 'sign-in', kept, returnTo) };
  }

  /** A first passkey for somebody with a ticket, whom {@link finishRegistration} makes a person. */
  async beginEntry(context: SignInRequest, email: string, passkeyName: string, returnTo: string): Promise<Begun> {
    const provider = this.provider(context);
    // Asked now as well as at the end: a passkey that opens nothing would stay on the device for ever.
    if (!(await this.#options.signIn.ticket(context.request)))
      return this.#options.signIn.refuse(context, provider.name, NO_TICKET, returnTo);
    const parsed = address.safeParse(email.trim().toLowerCase());
    if (!parsed.success)
      throw new CarrelError('invalid_input', 'This is no e-mail address. Write it like ada@example.com.');
    return this.#beginRegistration(
      context,
      { personId: undefined, accountName: parsed.data, email: parsed.data, passkeyName },
      returnTo,
    );
  }

  /** Another passkey for the person who is signed in. */
  async beginAddition(context: SignInRequest, person: Person, passkeyName: string, returnTo: string): Promise<Begun> {
    if ((await this.#options.passkeys.list(person.id)).length >= MAX_PASSKEYS)
      throw new CarrelError('limit_exceeded', `You have ${MAX_PASSKEYS} passkeys. Remove one that you do not need.`);
    const { id, email } = person;
    return this.#beginRegistration(context, { personId: id, accountName: email ?? id, email, passkeyName }, returnTo);
  }

  async finishSignIn(context: SignInRequest, response: unknown): Promise<SignInResult> {
    const { signIn } = this.#options;
    const provider = this.provider(context);
    const attempt = await this.#take(context, 'sign-in');
    if (!attempt) return signIn.refuse(context, provider.name, { ...LOST, reason: 'attempt_lost' }, '/');
    const outcome = await provider.finishSignIn(context.facts, response, attempt.kept);
    return outcome.ok
      ? signIn.enter(context, outcome.identity, attempt.returnTo)
      : signIn.refuse(context, provider.name, outcome, attempt.returnTo);
  }

  /** A new passkey enters with the ticket of this browser, or is linked with the person who asked for it. */
  async finishRegistration(
    context: SignInRequest,
    purpose: 'entry' | 'addition',
    response: unknown,
  ): Promise<SignInResult> {
    const { signIn } = this.#options;
    const provider = this.provider(context);
    const attempt = await this.#take(context, purpose);
    if (!attempt) return signIn.refuse(context, provider.name, { ...LOST, reason: 'attempt_lost' }, '/');
    const outcome = await provider.finishRegistration(context.facts, response, attempt.kept);
    if (!outcome.ok) return signIn.refuse(context, provider.name, outcome, attempt.returnTo);
    return attempt.linkTo === undefined
      ? signIn.enter(context, outcome.identity, attempt.returnTo)
      : signIn.link(context, outcome.identity, attempt.linkTo, attempt.returnTo);
  }

  /** Signs in with a recovery code, which is used up by it. */
  async recover(context: SignInRequest, code: string, returnTo: string): Promise<SignInResult> {
    const { signIn, passkeys, audit } = this.#options;
    // Where there are no passkeys, what recovers them is no way in either.
    this.provider(context);
    const person = await passkeys.takeCode(await codeHash(code));
    if (!person) return signIn.refuse(context, 'recovery', WRONG_CODE, returnTo);
    await audit.record({
      action: 'recovery_code_used',
      personId: person.id,
      requestId: context.requestId,
      detail: { left: await passkeys.codesLeft(person.id) },
    });
    return signIn.readmit(context, person, 'recovery', returnTo);
  }

  async overview(personId: string): Promise<PasskeyOverview> {
    const { passkeys, identities } = this.#options;
    const [list, all, codesLeft] = await Promise.all([
      passkeys.list(personId),
      identities.identities(personId),
      passkeys.codesLeft(personId),
    ]);
    return { passkeys: list, removable: all.length > 1, codesLeft };
  }

  /** @throws CarrelError `not_found` for a passkey that is not this person's */
  async rename(person: Person, credentialId: string, newName: string): Promise<void> {
    if (!(await this.#options.passkeys.rename(person.id, credentialId, checkedName(newName)))) throw noSuchPasskey();
  }

  /**
   * Takes a passkey away, and signs out whoever came in with one elsewhere: it may be in other hands.
   *
   * @param session of the browser that asks, which stays
   * @throws CarrelError `conflict` for the last way in that a person has
   */
  async remove(person: Person, credentialId: string, session: string | undefined, requestId: string): Promise<void> {
    const { identities, people, passkeys, audit } = this.#options;
    if ((await passkeys.find(credentialId))?.personId !== person.id) throw noSuchPasskey();
    if (!(await identities.unlinkIdentity(person.id, 'passkey', credentialId)))
      throw new CarrelError('conflict', 'This is your only way to sign in. Make another passkey before removing it.');
    const sessions = await people.endSessions(person.id, { except: session, provider: 'passkey' });
    await audit.record({
      action: 'identity_removed',
      personId: person.id,
      requestId,
      detail: { provider: 'passkey', sessions },
    });
  }

  /** @returns new codes in place of all earlier ones; only their hashes are stored */
  async makeCodes(person: Person, requestId: string): Promise<string[]> {
    const { passkeys, audit } = this.#options;
    const codes = Array.from({ length: RECOVERY_CODES }, newCode);
    await passkeys.replaceCodes(person.id, await Promise.all(codes.map(codeHash)), Date.now());
    await audit.record({
      action: 'recovery_codes_made',
      personId: person.id,
      requestId,
      detail: { count: RECOVERY_CODES },
    });
    return codes;
  }

  async #beginRegistration(context: SignInRequest, account: PasskeyAccount, returnTo: string): Promise<Begun> {
    const provider = this.provider(context);
    const named = { ...account, passkeyName: checkedName(account.passkeyName) };
    const { options, kept } = await provider.beginRegistration(context.facts, named);
    const purpose = account.personId === undefined ? 'entry' : 'addition';
    return { ok: true, options, cookie: await this.#keep(context, purpose, kept, returnTo, account.personId) };
  }

  async #keep(context: SignInRequest, purpose: Purpose, kept: unknown, returnTo: string, linkTo?: string) {
    const own: z.input<typeof keptOwn> = { purpose, kept };
    return this.#options.signIn.keepAttempt(this.provider(context).name, { returnTo, linkTo, own });
  }

  /** What was kept for this very purpose; an attempt of another one is used up all the same. */
  async #take(context: SignInRequest, purpose: Purpose) {
    const attempt = await this.#options.signIn.takeAttempt(context, this.provider(context).name);
    const own = keptOwn.safeParse(attempt?.own).data;
    return attempt && own?.purpose === purpose ? { ...attempt, kept: own.kept } : undefined;
  }
}

const NO_TICKET = {
  problem: 'You need an invitation to make an account here. Ask whoever runs this deployment.',
  reason: 'not_admitted',
};

const WRONG_CODE = {
  problem: 'This code opens nothing: it is wrong, was used, or was replaced by newer ones.',
  reason: 'wrong_code',
};

const noSuchPasskey = () => new CarrelError('not_found', 'You have no such passkey. Open the page again.');

/** @throws CarrelError `invalid_input` */
function checkedName(text: string): string {
  const parsed = name.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new CarrelError('invalid_input', 'Name the passkey in 1 to 60 characters, all on one line.');
}

/** Such as `7h2k-9mq4-x0c8-v5t1`. */
function newCode(): string {
  const text = toBase32(crypto.getRandomValues(new Uint8Array(CODE_BYTES)));
  return text.match(/.{4}/g)?.join('-') ?? text;
}

/** Of a code however it was copied: in capitals, with other gaps, with letters that read like its digits. */
async function codeHash(code: string): Promise<string> {
  const plain = code.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1');
  return sha256Hex(`recovery-code:${plain}`);
}
