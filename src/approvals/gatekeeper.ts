import type { InputRequests, InputRequiredResult } from '@modelcontextprotocol/server';
import * as z from 'zod';

import type { AuditTrail } from '../directory/audit.ts';
import { CarrelError } from '../lib/errors.ts';
import { randomName } from '../lib/ids.ts';
import { canonicalJson } from '../lib/json.ts';
import type { GatedCall, GatedContext, Gatekeeper, Held, HeldState } from './gate.ts';
import { auditDetail } from './model.ts';
import type { Approval, Asker } from './model.ts';
import { visible } from './visible.ts';

/** The question of a form that asks for an approval through a client. */
const QUESTION = 'approval';
const answered = z.object({ approve: z.boolean() });
const REQUESTED = {
  type: 'object' as const,
  properties: {
    approve: { type: 'boolean' as const, title: 'Approve', description: 'Let it happen, once, exactly so' },
  },
  required: ['approve'],
};

/** Code units of the arguments in a question that is put through a client. */
const SHOWN = 2000;

/**
 * Goes on with calls that a rule of the person held up: with the approval that was given, or by asking for one. The
 * same for tools and for HTTP.
 */
export class ApprovalGate implements Gatekeeper {
  readonly #audit: Pick<AuditTrail, 'record'>;

  constructor(audit: Pick<AuditTrail, 'record'>) {
    this.#audit = audit;
  }

  async admit<Context extends GatedContext, Result>(
    context: Context,
    call: GatedCall,
    run: (context: Context) => Promise<Result>,
    held: Held | undefined,
  ): Promise<Result> {
    if (held?.claim !== undefined) {
      const claim = randomName();
      const isOurs = await context.workspace.approvals.reclaim(held.claim, claim, context.principal.grantId);
      // Sent a second time, or of an approval that is void by now.
      if (!isOurs) throw new CarrelError('forbidden', 'This approval was used. Make the call anew.');
      return run(claimed(context, call, claim, true));
    }
    // Who closes the question is not asked it over and over.
    const mayAsk = held?.id === undefined || (await this.#answer(context, held.id));
    return this.#ask(context, call, run, mayAsk);
  }

  async #ask<Context extends GatedContext, Result>(
    context: Context,
    call: GatedCall,
    run: (context: Context) => Promise<Result>,
    mayAsk: boolean,
  ): Promise<Result> {
    const { workspace, ask, canAsk } = context;
    const asker = askerOf(context);
    // A second time where a file was changed between the claim and the call: what is asked for then is something else.
    for (let attempt = 0; ; attempt++) {
      const claim = randomName();
      const asked = await workspace.approvals.ask(
        {
          ...call.intent,
          ...asker,
          claim,
          summary: call.summary,
          arguments: canonicalJson(call.arguments ?? {}),
        },
        Date.now(),
      );
      if (asked.outcome === 'pending') {
        const { approval, isNew, throughClient } = asked;
        if (isNew) await this.#audit.record({ ...asker, action: 'approval_asked', detail: auditDetail(approval) });
        if (throughClient && mayAsk && ask && canAsk?.('elicitation') === true)
          return (await ask(question(approval), heldState({ id: approval.id }))) as Result;
        throw pending(approval, context.origin);
      }
      if (asked.outcome === 'denied')
        throw new CarrelError('forbidden', 'The person denied this. Do something else, or ask them.', {
          details: { approval: asked.approval.id, approval_status: 'denied' },
        });
      try {
        return await run(claimed(context, call, asked.outcome === 'claimed' ? claim : undefined, false));
      } catch (thrown) {
        const isHeld = thrown instanceof CarrelError && thrown.details['approval_required'] === true;
        if (!isHeld || attempt > 0) throw thrown;
      }
    }
  }

  /**
   * Takes the answer that came through the client. Whether it counts, the workspace decides.
   *
   * @returns whether there was one
   */
  async #answer(context: GatedContext, id: string): Promise<boolean> {
    const answer = context.answer?.(QUESTION);
    if (answer?.kind !== 'elicit' || answer.action === 'cancel') return false;
    const decision = context.accepted?.(QUESTION, answered)?.approve === true ? 'approved' : 'denied';
    const asker = askerOf(context);
    const { approval, done } = await context.workspace.approvals.answerThroughClient(id, decision, asker, Date.now());
    if (!done) return true;
    const action = decision === 'approved' ? 'approval_given' : 'approval_denied';
    await this.#audit.record({ ...asker, action, detail: { ...auditDetail(approval), through: 'client' } });
    return true;
  }
}

const heldState = (held: Held, inner?: unknown): HeldState => ({ 'carrel/approval': held, inner });

const askerOf = ({ principal: { grantId, clientId, personId }, requestId }: GatedContext): Asker => ({
  grantId,
  clientId,
  personId,
  requestId,
});

/**
 * What the call gets: a workspace that lets it in, and no sight of the rounds that were about its approval. Where it
 * asks its person something itself, the next round goes on under the same approval.
 */
function claimed<Context extends GatedContext>(
  context: Context,
  { intent }: GatedCall,
  claim: string | undefined,
  isRound: boolean,
): Context {
  const workspace = context.workspace.asking({ ...intent, claim });
  const { ask, state } = context;
  if (!ask || !state) return { ...context, workspace };
  const inner = () => (state() as HeldState | undefined)?.inner;
  return {
    ...context,
    workspace,
    ask: async (questions: Parameters<typeof ask>[0], next?: unknown): Promise<InputRequiredResult> =>
      ask(questions, claim === undefined ? next : heldState({ claim }, next ?? null)),
    ...(isRound
      ? { state: inner }
      : {
          state: () => undefined,
          accepted: () => undefined,
          answer: () => ({ kind: 'missing' as const }),
        }),
  };
}

function pending(approval: Approval, origin: string): CarrelError {
  const [url, until] = [`${origin}/approvals/${approval.id}`, new Date(approval.expiresAt).toISOString()];
  return new CarrelError(
    'forbidden',
    `The person must approve this first (${approval.tool}), at ${url} until ${until}. Nothing was done. Tell them; once it is approved, the same call with the same arguments works.`,
    { details: { approval_required: true, approval: approval.id, url, expires_at: until } },
  );
}

function question({ tool, summary, arguments: text, files }: Approval): InputRequests {
  const affected = files.slice(0, 10).map(({ path, version, size }) => `${path} (version ${version}, ${size} bytes)`);
  const lines = [`Let ${tool} do this? ${summary}`, text.slice(0, SHOWN), ...affected];
  // The SDK's own builder would tear it out of the entry into a module of its own.
  const params = { mode: 'form' as const, message: lines.map(visible).join('\n'), requestedSchema: REQUESTED };
  return { [QUESTION]: { method: 'elicitation/create', params } };
}
