import type { InputRequests, InputRequiredResult, InputResponseView } from '@modelcontextprotocol/server';
import type * as z from 'zod';

import type { OpenWorkspace } from '../workspace/client.ts';

/** Who is behind a request that bears an access token. */
export interface Principal {
  readonly personId: string;
  /** The workspace that the request works in: today always the person's own. */
  readonly workspaceId: string;
  readonly grantId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** How the person is called on pages. */
  readonly label: string;
  /** Of a job's step: what is stored under this name is stored once. */
  readonly once?: string;
}

/** What a list, a resource or a completion gets. */
export interface RequestContext {
  readonly principal: Principal;
  readonly workspace: OpenWorkspace;
  /** The origin of this deployment, for addresses that a result names. */
  readonly origin: string;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/** What a tool or a prompt gets besides its input. */
export interface CallContext extends RequestContext {
  /** Tells the client how far a long call is, in any unit. Nothing happens where it did not ask to be told. */
  progress(done: number, total?: number, message?: string): Promise<void>;
  /** Whether the client understands tasks: a handler may return a {@link StartedTask}. */
  readonly takesTasks: boolean;
  /** A message for the client's log, which a toolset with the capability `logging` may send. */
  log(level: 'debug' | 'info' | 'warning' | 'error', data: unknown): Promise<void>;
  /**
   * Asks the person behind the client, or the client's model, before the call goes on: the handler
   * returns what this gives, and is called again, with the same arguments, when the answers are there.
   * Build the questions with `inputRequired.elicit`, `.createMessage` and `.listRoots` of the SDK.
   *
   * @param state comes back in {@link CallContext.state}: signed for this caller, call and arguments and
   *   for ten minutes, but readable by the client and not used up by being used
   * @throws CarrelError `unsupported` for a client of the 2025 era, which cannot be asked. What a client of
   *   2026 did not declare, the protocol refuses.
   */
  ask(questions: InputRequests, state?: unknown): Promise<InputRequiredResult>;
  /**
   * Whether the client declared that it can be asked so; `url` is elicitation that opens an address. A client of the
   * 2025 era declares it when it connects, which a stateless endpoint does not see.
   */
  canAsk(capability: 'elicitation' | 'url' | 'sampling' | 'roots'): boolean;
  /** What the person filled in, if they were asked, accepted, and it fits; undefined otherwise. */
  accepted<Schema extends z.ZodType>(question: string, schema: Schema): z.output<Schema> | undefined;
  /** The answer to a question of whatever kind. It comes from the client and was not checked. */
  answer(question: string): InputResponseView;
  /** What `ask` was given along with the question, null for nothing; undefined in the first round. */
  state(): unknown;
}
