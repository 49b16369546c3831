import {
  CLIENT_CAPABILITIES_META_KEY,
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
} from '@modelcontextprotocol/server';
import type { ClientCapabilities, RequestStateCodec, ServerContext } from '@modelcontextprotocol/server';

import { CarrelError } from '../lib/errors.ts';
import { canonicalJson } from '../lib/json.ts';
import type { Keyring } from '../lib/keyring.ts';
import type { CallContext, RequestContext } from './context.ts';

/** How long a person may take to answer, in seconds. */
const ROUND_SECONDS = 600;

/**
 * Calls that need an answer first (MCP 2026-07-28, multi-round-trip requests). Nothing is kept here
 * between the rounds: the state travels through the client, sealed.
 */
export class Rounds {
  readonly #keyring: Keyring;
  readonly #context: RequestContext;
  readonly #body: unknown;

  /** @param body the JSON-RPC request */
  constructor(keyring: Keyring, context: RequestContext, body: unknown) {
    this.#keyring = keyring;
    this.#context = context;
    this.#body = body;
  }

  /** @throws Error for a state that is not ours, not for this call, or too old */
  async verify(state: string, context: ServerContext): Promise<unknown> {
    return (await this.#codec()).verify(state, context);
  }

  /** The part of a handler's context that asks and reads answers. */
  context(
    era: 'legacy' | 'modern',
    server: ServerContext,
  ): Pick<CallContext, 'ask' | 'canAsk' | 'accepted' | 'answer' | 'state'> {
    const { inputResponses, envelope, requestState } = server.mcpReq;
    const declared = (envelope as Record<string, unknown> | undefined)?.[CLIENT_CAPABILITIES_META_KEY] as
      | ClientCapabilities
      | undefined;
    // Answers count only beside the state of a question that was put: a client that sends its own with the
    // first request would agree for the person.
    const answers = requestState() === undefined ? undefined : inputResponses;
    return {
      ask: async (questions, state) => {
        if (era === 'legacy')
          throw new CarrelError(
            'unsupported',
            'This needs an answer from the person, and this client cannot be asked. Use a client of MCP 2026-07-28.',
          );
        const signed = await (await this.#codec()).mint(state ?? null, server);
        return inputRequired({ inputRequests: questions, requestState: signed });
      },
      canAsk: (capability) =>
        (capability === 'url' ? declared?.elicitation?.url : declared?.[capability]) !== undefined,
      accepted: (question, schema) => acceptedContent(answers, question, schema) as never,
      answer: (question) => inputResponse(answers, question),
      state: () => requestState(),
    };
  }

  /**
   * For this caller, this call and these arguments: an answer that was given for one thing must not
   * approve another.
   */
  async #codec(): Promise<RequestStateCodec> {
    const { method, params } = this.#body as { method?: string; params?: { name?: string; arguments?: unknown } };
    const { personId, grantId } = this.#context.principal;
    const bound = [personId, grantId, method, params?.name, params?.arguments ?? {}];
    return createRequestStateCodec({
      key: await this.#keyring.derivedSecret('round-state'),
      ttlSeconds: ROUND_SECONDS,
      bind: () => canonicalJson(bound),
    });
  }
}
