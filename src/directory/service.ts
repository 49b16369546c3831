import { sha256Hex, toBase64Url } from '../lib/encoding.ts';
import type { DirectoryRepo } from './repo.ts';
import type { Identity, Person, Role, SignInSession } from './types.ts';

/** How long a browser stays signed in, in seconds. */
export const SIGN_IN_SECONDS = 14 * 86_400;

/** Writes a person's standing into that person's own object. */
export type WriteStanding = (personId: string, standing: { role: Role; disabled: boolean }) => Promise<void>;

/** Who the people of this deployment are, and which browsers are signed in. */
export class DirectoryService {
  readonly #repo: DirectoryRepo;
  readonly #writeStanding: WriteStanding;

  constructor(repo: DirectoryRepo, writeStanding: WriteStanding) {
    this.#repo = repo;
    this.#writeStanding = writeStanding;
  }

  async find(identity: Pick<Identity, 'provider' | 'subject'>): Promise<Person | undefined> {
    return this.#repo.personByIdentity(identity);
  }

  /**
   * Makes a person of an identity that was let in.
   *
   * @returns undefined for a second owner
   */
  async create(id: string, identity: Identity, role: Role): Promise<Person | undefined> {
    const person: Person = { id, email: identity.email, role, disabledAt: undefined };
    // The object first: a person in the directory whose object knows no standing could not do
    // anything, while an object that the directory never names is only a few bytes.
    await this.writeStanding(person);
    if (!(await this.#repo.insertPerson(person, identity, Date.now()))) return undefined;
    // Two first sign-ins at the same time: one insert wins, and both get the person of that one.
    return (await this.#repo.personByIdentity(identity)) ?? person;
  }

  /** Writes what the directory says of a person into the person's own object, where it is checked. */
  async writeStanding({ id, role, disabledAt }: Person): Promise<void> {
    await this.#writeStanding(id, { role, disabled: disabledAt !== undefined });
  }

  /** Opens a sign-in session. @returns the secret for the cookie; only its hash is stored. */
  async openSignIn(person: Person, provider: string): Promise<string> {
    const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
    const now = Date.now();
    await this.#repo.insertSignIn(await sha256Hex(secret), person.id, provider, now, now + SIGN_IN_SECONDS * 1000);
    return secret;
  }

  /** The session of a cookie's secret; undefined when it ended or its person was disabled. */
  async signIn(secret: string): Promise<SignInSession | undefined> {
    const session = await this.#repo.signInSession(await sha256Hex(secret), Date.now());
    return session?.person.disabledAt === undefined ? session : undefined;
  }

  async closeSignIn(secret: string): Promise<void> {
    await this.#repo.deleteSignIn(await sha256Hex(secret));
  }
}
