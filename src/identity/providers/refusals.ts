import type { Vouched } from '../../directory/types.ts';
import type { SignInOutcome } from '../provider.ts';

/** Why a sign-in at a provider is refused: a word of ours, for the audit. */
export class ProviderFault extends Error {
  override readonly name = 'ProviderFault';
  readonly reason: string;

  constructor(reason: string, options: { readonly cause?: unknown } = {}) {
    super(`sign-in refused: ${reason}`, options);
    this.reason = reason;
  }
}

/**
 * What came of asking a provider who somebody is. A {@link ProviderFault} is a refusal, with a sentence
 * for the person; anything else that is thrown is a fault of ours.
 *
 * @param label how the person knows the provider
 */
export async function outcomeOf(label: string, ask: () => Promise<Vouched>): Promise<SignInOutcome> {
  try {
    return { ok: true, identity: await ask() };
  } catch (error) {
    if (!(error instanceof ProviderFault)) throw error;
    return { ok: false, reason: error.reason, problem: sentence(error.reason, label) };
  }
}

/** What the person is told. Nothing of it comes from the provider: its words could be anybody's. */
function sentence(reason: string, label: string): string {
  switch (reason) {
    case 'provider_said_no':
      return `${label} did not sign you in. Try again there, or choose another way to sign in.`;
    case 'state_differs':
    case 'provider_changed':
      return 'This sign-in was mixed up with another one. Begin again.';
    case 'code_refused':
    case 'expired':
      return `What ${label} sent is no longer good. Sign in again.`;
    case 'unreachable':
    case 'too_slow':
      return `${label} did not answer. Try again in a minute.`;
    case 'client_refused':
      return `${label} does not accept this deployment. Tell whoever runs it: its client ID or secret is not right there.`;
    case 'not_in_organisation':
      return `Only members of certain ${label} organisations may sign in here, and this account is in none of them that ${label} would tell us of.`;
    default:
      return `What ${label} sent cannot be trusted, so you are not signed in. Try again; if it happens again, tell whoever runs this deployment.`;
  }
}
