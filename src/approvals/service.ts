import type { AuditTrail } from '../directory/audit.ts';
import type { Person } from '../directory/types.ts';
import { CarrelError } from '../lib/errors.ts';
import { isPersonalGrant } from '../oauth/personal-token.ts';
import type { GrantSummary } from '../oauth/model.ts';
import type { OpenWorkspace, Workspaces } from '../workspace/client.ts';
import type { ApprovalList } from './decision-store.ts';
import { auditDetail } from './model.ts';
import type { Approval, ApprovalRules, Decided, Decision } from './model.ts';

/** A client, as its person knows it. */
export interface KnownClient extends Pick<GrantSummary, 'grantId' | 'clientId' | 'redirectUri'> {
  /** Untrusted: what it calls itself. */
  readonly name: string | undefined;
  /** Whose document describes it; undefined where nobody vouches for the name. */
  readonly domain: string | undefined;
  readonly onDevice: boolean;
}

/** Who asks for an approval, as its page says it. */
export interface AskedBy {
  /** Untrusted. */
  readonly name: string;
  readonly domain: string | undefined;
  /** Where its access went: a host, or what else it is. */
  readonly place: string;
}

/** A tool that changes something, for the page of the rules. */
export interface RuleTool {
  readonly name: string;
  readonly title: string;
  readonly toolset: string;
}

interface ApprovalServiceOptions {
  readonly workspaces: Pick<Workspaces, 'open' | 'personalTokens'>;
  readonly audit: Pick<AuditTrail, 'record'>;
  /** The clients that a person let in. */
  readonly clients: (personId: string, origin: string) => Promise<readonly KnownClient[]>;
  readonly tools: () => Promise<readonly RuleTool[]>;
  /** Has a job go on that waited for an approval. */
  readonly continueJob?: (personId: string, jobId: string) => Promise<void>;
}

/** The personal token that answers, or the person themselves on a page. */
type Answerer = 'page' | { readonly grantId: string };

/** Approvals, for those who answer them, and the rules by which they are asked for. */
export class ApprovalService {
  readonly #options: ApprovalServiceOptions;

  constructor(options: ApprovalServiceOptions) {
    this.#options = options;
  }

  /** The workspace of somebody who is signed in in a browser. */
  own({ id }: Person): OpenWorkspace {
    return this.#options.workspaces.open(id, { kind: 'person' });
  }

  async list({ decisions }: OpenWorkspace): Promise<ApprovalList> {
    return decisions.list(Date.now());
  }

  /** @throws CarrelError `not_found`, also for one of somebody else */
  async get({ decisions }: OpenWorkspace, id: string): Promise<Approval> {
    return decisions.get(id, Date.now());
  }

  /**
   * Answers one; of several answers the first counts. A job that waited for it goes on, also where it must ask anew.
   *
   * @throws CarrelError `not_found`, `forbidden` (by the token that asked)
   */
  async decide(
    { decisions }: OpenWorkspace,
    id: string,
    decision: Decision,
    by: Answerer,
    requestId: string,
  ): Promise<Decided & { readonly jobId: string | undefined }> {
    const { audit, continueJob } = this.#options;
    const who = by === 'page' ? by : by.grantId;
    const decided = await decisions.decide(id, decision, who, Date.now());
    const { approval, done } = decided;
    const { personId, clientId, grantId, jobId } = approval;
    if (done) {
      const action = decision === 'approved' ? 'approval_given' : 'approval_denied';
      const detail = { ...auditDetail(approval), by: personId, through: who };
      await audit.record({ action, personId, clientId, grantId, requestId, detail });
    }
    if (jobId !== undefined && (done || approval.status === 'outdated')) await continueJob?.(personId, jobId);
    return { ...decided, jobId };
  }

  /** How many wait for an answer. */
  async count(person: Person): Promise<number> {
    return this.own(person).decisions.count(Date.now());
  }

  /** Who asked, for each of these by the id of their grant. */
  async askers(person: Person, approvals: readonly Approval[], origin: string): Promise<ReadonlyMap<string, AskedBy>> {
    const { clients, workspaces } = this.#options;
    if (approvals.length === 0) return new Map();
    const [known, tokens] = await Promise.all([clients(person.id, origin), workspaces.personalTokens(person.id)]);
    return new Map(
      approvals.map(({ grantId }) => {
        const client = known.find((each) => each.grantId === grantId);
        const token = tokens.find((each) => each.grantId === grantId);
        if (token) return [grantId, { name: token.name, domain: undefined, place: 'a personal token of yours' }];
        if (!client && isPersonalGrant(grantId))
          return [grantId, { name: 'A personal token', domain: undefined, place: 'it has ended since' }];
        if (!client) return [grantId, { name: 'An app', domain: undefined, place: 'it is not connected any more' }];
        const { name = 'An app without a name', domain } = client;
        return [grantId, { name, domain, place: placeOf(client) }];
      }),
    );
  }

  /** The rules, with what they can be about. */
  async rules(person: Person, origin: string) {
    const { clients, tools } = this.#options;
    const [rules, known, all] = await Promise.all([
      this.own(person).approvalRules.read(),
      clients(person.id, origin),
      tools(),
    ]);
    const apps = [...new Map(known.map((client) => [client.clientId, client])).values()];
    return { rules, apps, tools: all };
  }

  /** @throws CarrelError `invalid_input` for a tool or a client that there is not */
  async setRules(person: Person, rules: ApprovalRules, origin: string, requestId: string): Promise<void> {
    const { rules: before, apps, tools } = await this.rules(person, origin);
    const isKnown =
      rules.tools.every((name) => before.tools.includes(name) || tools.some((tool) => tool.name === name)) &&
      rules.clients.every((id) => apps.some(({ clientId }) => clientId === id));
    if (!isKnown) throw new CarrelError('invalid_input', 'Choose among what the page offers.');
    await this.own(person).approvalRules.write(rules);
    const detail = {
      by: person.id,
      always: rules.always,
      destructive: rules.destructive,
      tools: rules.tools.length,
      bytes: rules.bytes ?? 'any',
      clients: rules.clients.length,
    };
    await this.#options.audit.record({ action: 'approval_rule_changed', personId: person.id, requestId, detail });
  }
}

function placeOf({ redirectUri, onDevice }: KnownClient): string {
  if (onDevice) return 'a device whose code you entered';
  const url = URL.parse(redirectUri ?? '');
  if (!url) return 'unknown';
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.host : `${url.protocol} links on a device`;
}
