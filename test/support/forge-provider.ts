import * as z from 'zod';

import type { RedirectProvider, SignInOutcome } from '../../src/identity/provider.ts';
import { codeOf, newProof } from '../../src/identity/providers/code-flow.ts';
import { providerFetch } from '../../src/identity/providers/outbound.ts';
import type { OutboundRequest } from '../../src/identity/providers/outbound.ts';
import { outcomeOf, ProviderFault } from '../../src/identity/providers/refusals.ts';

const keptSchema = z.object({ verifier: z.string() });
const tokenSchema = z.object({ access_token: z.string() });
const userSchema = z.object({ id: z.int(), name: z.string(), email: z.email(), confirmed: z.boolean() });

/** Our own forge, at forge.example. */
export class ForgeProvider implements RedirectProvider {
  readonly kind = 'redirect';
  readonly name = 'forge';
  readonly label = 'Sign in with the forge';
  readonly #client: { readonly id: string; readonly secret: string } | undefined;
  readonly #fetch = providerFetch({ development: false });

  constructor(settings: { readonly forge?: { readonly id: string; readonly secret: string } }) {
    this.#client = settings.forge;
  }

  exists(): boolean {
    return this.#client !== undefined;
  }

  async begin(redirectUri: string, state: string) {
    const { verifier, challenge } = await newProof();
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: this.#client?.id ?? '',
      redirect_uri: redirectUri,
      state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    return { location: `https://forge.example/authorize?${query.toString()}`, kept: { verifier } };
  }

  async finish(callback: URL, redirectUri: string, state: string, kept: unknown): Promise<SignInOutcome> {
    return outcomeOf('the forge', async () => {
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        code: codeOf(callback, state),
        redirect_uri: redirectUri,
        client_id: this.#client?.id ?? '',
        client_secret: this.#client?.secret ?? '',
        code_verifier: keptSchema.parse(kept).verifier,
      });
      const token = await this.#ask('/token', tokenSchema, { method: 'POST', body });
      const user = await this.#ask('/me', userSchema, { headers: { Authorization: `Bearer ${token.access_token}` } });
      return {
        provider: this.name,
        subject: String(user.id),
        email: user.email,
        emailVerified: user.confirmed,
        label: user.name,
        groups: [],
      };
    });
  }

  async #ask<Output>(path: string, schema: z.ZodType<Output>, request: OutboundRequest) {
    const response = await this.#fetch(`https://forge.example${path}`, request);
    const answer = schema.safeParse(response.ok ? await response.json().catch(() => undefined) : undefined);
    if (!answer.success) throw new ProviderFault('malformed_answer');
    return answer.data;
  }
}
