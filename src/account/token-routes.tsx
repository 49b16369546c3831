import * as z from 'zod';

import { readForm } from '../http/body.ts';
import type { FormTokens } from '../http/form-token.ts';
import { html, seeOther } from '../http/html.ts';
import type { HttpContext, Route } from '../http/route.ts';
import type { SignInSession } from '../directory/types.ts';
import type { SignInService } from '../identity/sign-in.ts';
import { hasHiddenText } from '../lib/hidden-text.ts';
import { PERSONAL_TOKEN_LIFETIMES } from '../oauth/model.ts';
import type { PersonalTokens } from '../oauth/personal-tokens.ts';
import type { TokenForm } from './token-pages.tsx';

interface TokenRoutesOptions {
  readonly signIn: SignInService;
  readonly formTokens: FormTokens;
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
export function tokenRoutes({ signIn, formTokens, tokens }: TokenRoutesOptions): Route[] {
  const page = async (
    { request }: HttpContext,
    { person }: SignInSession,
    shown: { readonly made?: string; readonly refused?: { readonly problem: string; readonly form: TokenForm } } = {},
  ) => {
    const { token, cookie } = await formTokens.bind(request);
    // Pages that few requests need are modules of their own: see scripts/lib/bundle.ts.
    const { TokensPage } = await import('./token-pages.tsx');
    return html(
      <TokensPage
        tokens={await tokens.list(person)}
        scopes={tokens.scopes}
        formToken={token}
        now={Date.now()}
        {...shown}
      />,
      { status: shown.refused ? 400 : 200, headers: cookie === undefined ? {} : { 'Set-Cookie': cookie } },
    );
  };

  const toSignIn = () => seeOther(`/sign-in?${new URLSearchParams({ return_to: PATH }).toString()}`);

  return [
    {
      path: PATH,
      methods: {
        GET: async (context) => {
          const session = await signIn.current(context.request);
          return session ? page(context, session) : toSignIn();
        },
        POST: async (context) => {
          const form = await readForm(context.request);
          await formTokens.check(context.request, form, context.origin);
          const session = await signIn.current(context.request);
          if (!session) return toSignIn();
          const scopes = form.getAll('scope');
          const name = tokenName.safeParse(form.get('name') ?? '');
          const lifetime = days.safeParse(form.get('days')).data ?? PERSONAL_TOKEN_LIFETIMES[0];
          const given = { name: (form.get('name') ?? '').slice(0, 200), scopes, days: lifetime };
          const problem = name.success
            ? scopes.length === 0
              ? 'Choose at least one thing that it may do.'
              : undefined
            : (name.error.issues[0]?.message ?? '');
          if (problem !== undefined || !name.success)
            return page(context, session, { refused: { problem: problem ?? '', form: given } });
          const made = await tokens.make(
            session.person,
            { name: name.data, scopes, days: lifetime },
            context.requestId,
          );
          return page(context, session, { made });
        },
      },
    },
    {
      path: `${PATH}/end`,
      methods: {
        POST: async (context) => {
          const form = await readForm(context.request);
          await formTokens.check(context.request, form, context.origin);
          const session = await signIn.current(context.request);
          if (!session) return toSignIn();
          await tokens.end(session.person, form.get('token') ?? '', context.requestId);
          return seeOther(PATH);
        },
      },
    },
  ];
}
