import * as z from 'zod';

import { html, seeOther } from '../http/html.ts';
import type { Route } from '../http/route.ts';
import { hasHiddenText } from '../lib/hidden-text.ts';
import { PERSONAL_TOKEN_LIFETIMES } from '../oauth/model.ts';
import type { PersonalTokens } from '../oauth/personal-tokens.ts';
import type { SignedInShell, SignedIn } from '../identity/signed-in.ts';
import { TokensPage } from './token-pages.tsx';
import type { TokenForm } from './token-pages.tsx';

interface TokenRoutesOptions {
  readonly signedIn: SignedIn;
  readonly tokens: PersonalTokens;
}

const PATH = '/account/tokens';

const tokenName = z
  .string()
  .trim()
  .min(1, 'Give it a name, so that you know it again.')
  .max(60, 'A name has at most 60 characters.')
  .refine((name) => !hasHiddenText(name), 'The name has a character that cannot be seen.');

const days = z.coerce.number().refine((value) => PERSONAL_TOKEN_LIFETIMES.some((each) => each === value));

/** The page of a person's own access tokens. */
export function tokenRoutes({ signedIn, tokens }: TokenRoutesOptions): Route[] {
  const page = async (
    shell: SignedInShell,
    shown: { readonly made?: string; readonly refused?: { readonly problem: string; readonly form: TokenForm } } = {},
    headers: HeadersInit = {},
  ) =>
    html(<TokensPage {...shell} tokens={await tokens.list(shell.person)} scopes={tokens.scopes} {...shown} />, {
      status: shown.refused ? 400 : 200,
      headers,
    });

  return [
    {
      path: PATH,
      methods: {
        GET: signedIn.page(async ({ shell, headers }) => page(shell, {}, headers)),
        POST: signedIn.form(PATH, async ({ shell, session, form, requestId }) => {
          const scopes = form.getAll('scope');
          const name = tokenName.safeParse(form.get('name') ?? '');
          const lifetime = days.safeParse(form.get('days')).data ?? PERSONAL_TOKEN_LIFETIMES[0];
          const given = { name: (form.get('name') ?? '').slice(0, 200), scopes, days: lifetime };
          if (!name.success)
            return page(shell, { refused: { problem: name.error.issues[0]?.message ?? '', form: given } });
          if (scopes.length === 0)
            return page(shell, { refused: { problem: 'Choose at least one thing that it may do.', form: given } });
          const made = await tokens.make(session.person, { name: name.data, scopes, days: lifetime }, requestId);
          return page(shell, { made });
        }),
      },
    },
    {
      path: `${PATH}/end`,
      methods: {
        POST: signedIn.form(PATH, async ({ session, form, requestId }) => {
          await tokens.end(session.person, form.get('token') ?? '', requestId);
          return seeOther(PATH);
        }),
      },
    },
  ];
}
