import type { AuditRepo } from '../directory/audit-repo.ts';
import type { AuditAction, AuditLine } from '../directory/types.ts';
import type { ClientName, ClientNames } from '../oauth/client-names.ts';

/** How far back connections are shown, in ms. */
const SHOWN_MS = 7 * 86_400_000;
const MAX_LINES = 500;
const MAX_CONNECTIONS = 20;

/** What a client goes through before it can work, in this order. */
export const CONNECTION_STEPS = ['registered', 'opened', 'allowed', 'exchanged', 'used'] as const;
export type ConnectionStep = (typeof CONNECTION_STEPS)[number];

/** One attempt of an app to connect, as far as it came. */
export interface Connection {
  /** Undefined for an app that came with an id that nobody here knows. */
  readonly clientId: string | undefined;
  /** ms since the epoch. */
  readonly startedAt: number;
  /** When each step was taken, ms since the epoch. */
  readonly steps: Readonly<Partial<Record<ConnectionStep, number>>>;
  /** What happened last, where that was no step but an end; in a word of the audit. */
  readonly stopped: { readonly at: number; readonly reason: string } | undefined;
}

export type NamedConnection = Connection & ClientName;

const STEP_OF: Partial<Readonly<Record<AuditAction, ConnectionStep>>> = {
  authorize_opened: 'opened',
  consent_given: 'allowed',
  code_exchanged: 'exchanged',
  grant_first_used: 'used',
};
/** Only what the person has seen: what comes with a token could otherwise put any app's name onto their page. */
const BEGINS: ReadonlySet<AuditAction> = new Set(['authorize_opened', 'authorize_refused', 'consent_given']);
const STOPS: ReadonlySet<AuditAction> = new Set([
  'authorize_refused',
  'consent_denied',
  'consent_refused',
  'token_refused',
  'grant_revoked',
]);
const ACTIONS: readonly AuditAction[] = [...(Object.keys(STEP_OF) as AuditAction[]), ...STOPS];

type Attempt = { -readonly [Name in keyof Connection]: Connection[Name] };

/**
 * Tells the lines of one person's audit as the story of each attempt to connect, newest first.
 *
 * @param lines oldest first
 */
function connectionsOf(lines: readonly AuditLine[]): Connection[] {
  const attempts: Attempt[] = [];
  const current = new Map<string | undefined, Attempt>();
  for (const { action, at, clientId, detail } of lines) {
    const step = STEP_OF[action];
    let attempt = current.get(clientId);
    const isOpen = attempt !== undefined && attempt.stopped === undefined && attempt.steps.allowed === undefined;
    // Another visit to a question that nobody has answered yet is the same attempt.
    if (BEGINS.has(action) && !isOpen) {
      attempt = { clientId, startedAt: at, steps: {}, stopped: undefined };
      attempts.push(attempt);
      current.set(clientId, attempt);
    }
    if (!attempt) continue;
    if (step) {
      attempt.steps = { ...attempt.steps, [step]: attempt.steps[step] ?? at };
      attempt.stopped = undefined;
    } else if (action !== 'consent_refused' || isOpen) {
      // An answer that came twice changes nothing about the first.
      attempt.stopped = { at, reason: stopOf(action, detail) };
    }
  }
  return attempts.toReversed();
}

function stopOf(action: AuditAction, detail: AuditLine['detail']): string {
  if (action === 'consent_denied') return 'denied';
  if (action === 'grant_revoked') return detail['by'] === 'code_replayed' ? 'code_replayed' : 'disconnected';
  return String(detail['reason'] ?? action);
}

/** How the apps of a person came to be connected, or where they stopped. */
export class Connections {
  readonly #lines: AuditRepo;
  readonly #clients: ClientNames;

  constructor(lines: AuditRepo, clients: ClientNames) {
    this.#lines = lines;
    this.#clients = clients;
  }

  async list(personId: string, origin: string): Promise<NamedConnection[]> {
    const query = { since: Date.now() - SHOWN_MS, person: personId, actions: ACTIONS, limit: MAX_LINES };
    const lines = await this.#lines.ofPerson(query);
    const connections = connectionsOf(lines.toReversed()).slice(0, MAX_CONNECTIONS);
    const ids = [...new Set(connections.map(({ clientId }) => clientId))].filter((id) => id !== undefined);
    const [registered, names] = await Promise.all([
      this.#lines.registrations(ids),
      Promise.all(ids.map(async (id) => [id, await this.#clients.of(id, origin)] as const)),
    ]);
    const named = new Map(names);
    return connections.map((connection) => {
      const { clientId = '' } = connection;
      const at = registered.get(clientId);
      return {
        ...connection,
        name: named.get(clientId)?.name,
        domain: named.get(clientId)?.domain,
        steps: at === undefined ? connection.steps : { ...connection.steps, registered: at },
      };
    });
  }
}
