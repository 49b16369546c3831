import type { AuditTrail } from '../directory/audit.ts';
import type { Person } from '../directory/types.ts';
import { sha256Hex } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import type { Workspaces } from '../workspace/client.ts';
import { MAX_PERSONAL_TOKEN_DAYS } from './model.ts';
import type { PersonalToken } from './model.ts';
import type { PersonIds } from './person-ids.ts';
import { makePersonalToken } from './personal-token.ts';
import type { Scope } from './scopes.ts';

const DAY_MS = 86_400_000;

interface PersonalTokensOptions {
  readonly workspaces: Workspaces;
  readonly personIds: PersonIds;
  readonly scopes: readonly Scope[];
  readonly audit: AuditTrail;
}

/** Personal access tokens, for scripts and CI: made, listed and ended by the person whose they are. */
export class PersonalTokens {
  readonly #options: PersonalTokensOptions;

  constructor(options: PersonalTokensOptions) {
    this.#options = options;
  }

  get scopes(): readonly Scope[] {
    return this.#options.scopes;
  }

  async list(person: Person): Promise<readonly PersonalToken[]> {
    return this.#options.workspaces.personalTokens(person.id);
  }

  /**
   * @returns the token, which nobody can be shown a second time
   * @throws CarrelError `invalid_input`, or `limit_exceeded` for one too many
   */
  async make(
    person: Person,
    input: { readonly name: string; readonly scopes: readonly string[]; readonly days: number },
    requestId: string,
  ): Promise<string> {
    const { workspaces, personIds, scopes, audit } = this.#options;
    const offered = new Set(scopes.map(({ name }) => name));
    if (input.scopes.length === 0 || input.scopes.some((scope) => !offered.has(scope)))
      throw new CarrelError('invalid_input', 'Choose at least one of the permissions that the page offers.');
    const days = Math.min(Math.max(Math.trunc(input.days), 1), MAX_PERSONAL_TOKEN_DAYS);
    const { token, grantId } = makePersonalToken(await personIds.outward(person.id));
    const now = Date.now();
    const made = { grantId, name: input.name, label: person.email ?? person.id, scopes: [...input.scopes] };
    const isKept = await workspaces.addPersonalToken(
      person.id,
      { ...made, createdAt: now, expiresAt: now + days * DAY_MS },
      await sha256Hex(token),
    );
    if (!isKept) throw new CarrelError('limit_exceeded', 'You have as many tokens as one may have. End one first.');
    const detail = { scopes: input.scopes.join(' '), days };
    await audit.record({ action: 'token_made', personId: person.id, grantId, requestId, detail });
    return token;
  }

  /** @throws CarrelError `not_found`, also for a token of somebody else */
  async end(person: Person, grantId: string, requestId: string): Promise<void> {
    if (!(await this.#options.workspaces.removePersonalToken(person.id, grantId)))
      throw new CarrelError('not_found', 'There is no such token. It may have been ended before.');
    await this.#options.audit.record({ action: 'token_ended', personId: person.id, grantId, requestId });
  }
}
