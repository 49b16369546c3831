import { CarrelError } from '../lib/errors.ts';
import type { CallContext, RequestContext } from '../mcp/context.ts';
import type { CallIntent } from './model.ts';

/** What a round was waiting for: the answer to an approval, or to a question of a call that was approved. */
export interface Held {
  readonly id?: string;
  readonly claim?: string;
}

/** The state of a round that belongs to an approval. */
export interface HeldState {
  readonly 'carrel/approval'?: Held;
  /** The state of the call itself. */
  readonly inner?: unknown;
}

/** A request of a client: of a tool, with what can be asked through it, or over HTTP. */
export type GatedContext = Pick<RequestContext, 'workspace' | 'principal' | 'origin' | 'requestId'> &
  Partial<Pick<CallContext, 'ask' | 'canAsk' | 'answer' | 'accepted' | 'state'>>;

/** What a call that changes something brings before a person, where that is needed. */
export interface GatedCall {
  readonly intent: CallIntent;
  /** What is done, in a line. */
  readonly summary: string;
  /** As the client sent them: JSON. */
  readonly arguments: unknown;
}

/** Goes on with a call that a rule held up. */
export interface Gatekeeper {
  /** @throws CarrelError `forbidden` with the address at which the person answers */
  admit<Context extends GatedContext, Result>(
    context: Context,
    call: GatedCall,
    run: (context: Context) => Promise<Result>,
    held: Held | undefined,
  ): Promise<Result>;
}

/**
 * Makes a call that changes something. Where no rule of the person is about it, that costs nothing: the check is part
 * of the call's own first round trip. What it needs where one is, is loaded then.
 */
export async function gated<Context extends GatedContext, Result>(
  keeper: () => Promise<Gatekeeper>,
  context: Context,
  call: GatedCall,
  run: (context: Context) => Promise<Result>,
): Promise<Result> {
  const held = (context.state?.() as HeldState | null | undefined)?.['carrel/approval'];
  if (!held)
    try {
      return await run({ ...context, workspace: context.workspace.asking(call.intent) });
    } catch (thrown) {
      if (!(thrown instanceof CarrelError && thrown.details['approval_required'])) throw thrown;
    }
  return (await keeper()).admit(context, call, run, held);
}
