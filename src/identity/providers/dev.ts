import * as z from 'zod';

import { isLoopbackHostname } from '../../lib/loopback.ts';
import type { FormProvider, SignInFacts, SignInOutcome } from '../provider.ts';

/** Headers that a proxy or a tunnel adds: behind one, a loopback host name says nothing of who asks. */
const FORWARDING_HEADERS = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
];

const email = z.email().max(254);

/**
 * Lets any e-mail address sign in, for development. It exists only where all of these hold: the flag
 * that only the local start sets, a deployment that is not production, a loopback host, and a request
 * that nothing forwarded. A tunnel to a laptop must not let the internet in as anybody.
 */
export class DevProvider implements FormProvider {
  readonly name = 'dev';
  readonly label = 'Continue';
  readonly kind = 'email-form';
  readonly #enabled: boolean;

  constructor(settings: { readonly devSignIn: boolean; readonly deployment: string }) {
    this.#enabled = settings.devSignIn && settings.deployment === 'development';
  }

  exists({ hostname, headers }: SignInFacts): boolean {
    return this.#enabled && isLoopbackHostname(hostname) && !FORWARDING_HEADERS.some((name) => headers.has(name));
  }

  async signIn(form: URLSearchParams): Promise<SignInOutcome> {
    const parsed = email.safeParse(form.get('email')?.trim().toLowerCase());
    if (!parsed.success)
      return {
        ok: false,
        problem: 'This is no e-mail address. Write it like ada@example.com.',
        reason: 'no_address',
      };
    const address = parsed.data;
    return {
      ok: true,
      identity: {
        provider: this.name,
        subject: address,
        email: address,
        label: address,
        // Nobody has: it counts for nothing but this sign-in, which exists on this machine only.
        emailVerified: false,
        groups: [],
      },
    };
  }
}
