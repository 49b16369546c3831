import { sha256Hex } from '../../src/lib/encoding.ts';
import { formAt, Visitor } from './people.ts';
import { Owner } from './files.ts';
import { rpc } from './mcp.ts';
import type { RpcAnswer } from './mcp.ts';
import { OAuthClient, send, tokens } from './person.ts';

type Fields = Record<string, string | readonly string[] | undefined>;

/** What a tool said that was held up. */
export interface HeldUp {
  readonly code: string;
  readonly message: string;
  readonly approval_required?: boolean;
  readonly approval: string;
  readonly url: string;
  readonly expires_at: string;
  readonly approval_status?: string;
}

export interface CallOptions {
  readonly era?: '2025' | '2026';
  readonly capabilities?: Record<string, unknown>;
  /** Of a further round. */
  readonly answers?: Record<string, unknown>;
}

/** Somebody with an assistant, a browser, and rules about what the one must ask in the other. */
export class Keeper extends Visitor {
  owner: Owner = undefined as never;

  static async come(email: string): Promise<Keeper> {
    const keeper = new Keeper(email);
    const connection = await keeper.connect(await OAuthClient.register());
    keeper.owner = new Owner(connection.client, connection.tokens);
    return keeper;
  }

  /** A further app of theirs. */
  async another(scopes?: readonly string[]): Promise<Owner> {
    const connection = await this.connect(await OAuthClient.register(), {}, scopes);
    return new Owner(connection.client, connection.tokens);
  }

  /** Saves the page of the rules with these, and no others. */
  async rule(fields: Fields = {}) {
    const page = await this.browser.open('/approvals/rules');
    const nothing = { always: undefined, destructive: undefined, tool: undefined, client: undefined, megabytes: '' };
    return this.browser.submit(page, formAt('/approvals/rules'), { ...nothing, ...fields });
  }

  /** Presses a button on the page of an approval. @returns the page that follows */
  async press(id: string, button: 'approve' | 'deny') {
    return this.post('/approvals', `/approvals/${id}/${button}`);
  }

  /** Makes a personal token on the page. */
  async token(scope: readonly string[]): Promise<string> {
    const page = await this.browser.open('/account/tokens');
    const { body } = await this.browser.submit(page, formAt('/account/tokens'), { name: 'Script', days: '30', scope });
    return /carrel_pat_[0-9a-z]+/.exec(body)?.[0] ?? '';
  }

  /** How the assistant reaches the object. */
  async caller() {
    return { kind: 'token', grantId: this.owner.grantId, tokenHash: await sha256Hex(this.owner.accessToken) } as const;
  }

  /** A further access token of the assistant: the one before has ended. */
  async renewed(): Promise<string> {
    const answer = await tokens(await this.owner.client.refresh(this.owner.refreshToken));
    this.owner = new Owner(this.owner.client, answer);
    return answer.access_token;
  }

  /** What the object has of approvals, oldest first. */
  async approvals(): Promise<Record<string, unknown>[]> {
    return this.owner.rows('approvals');
  }
}

/** A tool call as it goes over the wire. */
export async function wire(
  token: string,
  name: string,
  input: unknown,
  { answers = {}, ...options }: CallOptions = {},
): Promise<RpcAnswer> {
  return rpc(token, 'tools/call', { name, arguments: input, ...answers }, options);
}

/** What a call came to: its structured content, or its error. */
export function outcomeOf({ message }: RpcAnswer): { ok: Record<string, unknown> } | { error: HeldUp } {
  const { result } = message;
  if (!result) throw new Error(JSON.stringify(message));
  if (result.isError === true) return { error: (result['_meta'] as Record<string, HeldUp>)['carrel/error'] as HeldUp };
  return { ok: result.structuredContent ?? result };
}

/** A call that must be held up. */
export async function heldUp(token: string, name: string, input: unknown, options?: CallOptions): Promise<HeldUp> {
  const outcome = outcomeOf(await wire(token, name, input, options));
  if (!('error' in outcome)) throw new Error(`${name} was done: ${JSON.stringify(outcome.ok)}`);
  if (outcome.error.approval_required !== true) throw new Error(`${name}: ${outcome.error.message}`);
  return outcome.error;
}

/** A call that must be done. */
export async function done(
  token: string,
  name: string,
  input: unknown,
  options?: CallOptions,
): Promise<Record<string, unknown>> {
  const outcome = outcomeOf(await wire(token, name, input, options));
  if ('error' in outcome) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome.ok;
}

/** A request of a script with a token. */
export async function ask(token: string, path: string, method = 'GET'): Promise<Response> {
  return send(path, { method, headers: { Authorization: `Bearer ${token}` } });
}
