import { html } from '../http/html.ts';
import type { FormTokens } from '../http/form-token.ts';
import type { Route } from '../http/route.ts';
import type { SignInService } from '../identity/sign-in.ts';
import { HomePage } from './home.tsx';
import { stylesheet, STYLESHEET_PATH } from './stylesheet.ts';

interface ConsoleRoutesOptions {
  readonly signIn: SignInService;
  readonly formTokens: FormTokens;
  readonly deployment: 'development' | 'production';
  readonly devSignIn: boolean;
  /** Of the MCP address, where it lists every tool only with it. */
  readonly longQuery: string | undefined;
}

/** The start page, and what all pages share. */
export function consoleRoutes({ signIn, formTokens, deployment, devSignIn, longQuery }: ConsoleRoutesOptions): Route[] {
  return [
    {
      path: '/',
      methods: {
        GET: async ({ request, origin }) => {
          const session = await signIn.current(request);
          const form = await formTokens.bind(request);
          return html(
            <HomePage
              origin={origin}
              mcpUrl={`${origin}/mcp`}
              longQuery={longQuery}
              deployment={deployment}
              devSignIn={devSignIn}
              personEmail={session && (session.person.email ?? session.person.id)}
              formToken={form.token}
            />,
            { headers: form.cookie === undefined ? {} : { 'Set-Cookie': form.cookie } },
          );
        },
      },
    },
    { path: STYLESHEET_PATH, methods: { GET: stylesheet } },
  ];
}
