import { readForm } from '../http/body.ts';
import { endpoint, way } from '../http/endpoint.ts';
import { checkSender } from '../http/form-token.ts';
import type { FormTokens } from '../http/form-token.ts';
import { formTarget, html, seeOther } from '../http/html.ts';
import type { HttpContext, Route } from '../http/route.ts';
import type { SignInSession } from '../directory/types.ts';
import type { SignInService } from '../identity/sign-in.ts';
import type { AuthorizeService, ConsentQuestion } from './authorize.ts';
import { ConsentPage } from './pages.tsx';

interface AuthorizeRoutesOptions {
  readonly authorize: AuthorizeService;
  readonly signIn: SignInService;
  readonly formTokens: FormTokens;
}

/** Where clients send people: /authorize with the consent page. */
export function authorizeRoutes({ authorize, signIn, formTokens }: AuthorizeRoutesOptions): Route[] {
  const consent = async (context: HttpContext, question: ConsentQuestion, session: SignInSession, error?: string) => {
    const { handle, cookie } = await authorize.begin(question, session, context.origin);
    const form = await formTokens.bind(context.request);
    const headers = new Headers();
    for (const value of [cookie, form.cookie]) if (value) headers.append('Set-Cookie', value);
    const { description, request } = question;
    const redirect = new URL(request.redirectUri);
    return html(
      <ConsentPage
        clientName={description.clientName}
        clientDomain={description.clientDomain}
        clientUri={description.clientUri}
        redirectHost={question.redirectIsPrivateUse ? redirect.protocol : redirect.host}
        redirectIsLoopback={description.redirectIsLoopback}
        redirectIsPrivateUse={question.redirectIsPrivateUse}
        personEmail={session.person.email ?? session.person.id}
        // What a person has taken away must not be back after an error.
        scopes={authorize
          .choices(request.scope)
          .map((scope) => (error === undefined ? scope : { ...scope, checked: false }))}
        handle={handle}
        mayRemember={question.mayRemember}
        action={context.url.pathname + context.url.search}
        formToken={form.token}
        returnTo={context.url.pathname + context.url.search}
        error={error}
      />,
      { status: error === undefined ? 200 : 400, headers, formTargets: [formTarget(request.redirectUri)] },
    );
  };

  const toSignIn = ({ url }: HttpContext) =>
    seeOther(`/sign-in?${new URLSearchParams({ return_to: url.pathname + url.search }).toString()}`);

  const toClient = ({ location, cookies }: { location: string; cookies: readonly string[] }) => {
    const headers = new Headers();
    for (const cookie of cookies) headers.append('Set-Cookie', cookie);
    return seeOther(location, headers);
  };

  const ask = way({
    handle: async (context: HttpContext) => {
      const { request, origin, requestId } = context;
      const session = await signIn.current(request);
      const question = await authorize.question(request, origin, session, requestId);
      if (!session || !question) return toSignIn(context);
      if (!(await authorize.isRemembered(request, question, session, origin)))
        return consent(context, question, session);
      return toClient({
        location: await authorize.grant(question.request, session, origin, requestId, 'remembered'),
        cookies: [],
      });
    },
  });

  const documents = () => import('./operations.ts');

  return [
    {
      path: '/authorize',
      methods: {
        GET: endpoint(async () => (await documents()).authorize, ask),
        POST: async (context) => {
          const { request, origin, requestId } = context;
          checkSender(request, origin);
          const form = await readForm(request);
          const session = await signIn.current(request);
          if (!session) return toSignIn(context);
          const handle = form.get('handle') ?? '';
          if (form.get('decision') !== 'approve')
            return toClient(await authorize.deny(request, handle, session, origin, requestId));
          const scopes = form.getAll('scope');
          if (scopes.length === 0) {
            const question = await authorize.question(request, origin, session, requestId);
            const problem = 'Choose at least one permission, or deny the request.';
            return question ? consent(context, question, session, problem) : toSignIn(context);
          }
          const answer = { handle, scopes, remember: form.get('remember') === 'yes' };
          return toClient(await authorize.approve(request, answer, session, origin, requestId));
        },
      },
    },
  ];
}
