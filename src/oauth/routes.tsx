import { readForm } from '../http/body.ts';
import { endpoint, way } from '../http/endpoint.ts';
import { checkSender } from '../http/form-token.ts';
import type { FormTokens } from '../http/form-token.ts';
import { formTarget, html, seeOther } from '../http/html.ts';
import type { HttpContext, Route } from '../http/route.ts';
import type { SignInSession } from '../directory/types.ts';
import type { SignInService } from '../identity/sign-in.ts';
import { CarrelError } from '../lib/errors.ts';
import type { AuthorizeService, ConsentQuestion } from './authorize.ts';
import { ConsentPage } from './pages.tsx';
import type { Registrations } from './registrations.ts';
import type { AuthorizationServers, OAuthEnv } from './server.ts';
import { NO_CONTEXT } from './token-endpoint.ts';
import type { TokenEndpoint } from './token-endpoint.ts';

interface OAuthRoutesOptions {
  readonly authorize: AuthorizeService;
  readonly tokens: TokenEndpoint;
  readonly servers: AuthorizationServers;
  readonly env: OAuthEnv;
  readonly signIn: SignInService;
  readonly formTokens: FormTokens;
  readonly registrations: Registrations;
}

const noSuchDocument = () => new CarrelError('not_found', 'There is no such discovery document here.');

/** The authorization server: /authorize with the consent page, /token, /register, its metadata. */
export function oauthRoutes(options: OAuthRoutesOptions): Route[] {
  const { authorize, tokens, servers, env, signIn, formTokens, registrations } = options;

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

  const metadata = way({
    handle: async ({ request, origin, requestId }: HttpContext) => {
      await authorize.noteDiscovery(requestId);
      return servers.for(origin).fetch(request, env, NO_CONTEXT);
    },
  });

  const register = way({
    handle: ({ request, origin, requestId }: HttpContext) =>
      registrations.within(request.headers.get('CF-Connecting-IP') ?? undefined, requestId, () =>
        servers.for(origin).fetch(request, env, NO_CONTEXT),
      ),
  });

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

  const token = way({
    handle: ({ request, origin, requestId }: HttpContext) => tokens.serve(request, origin, requestId),
  });

  const documents = () => import('./operations.ts');

  return [
    {
      path: '/register',
      methods: { POST: endpoint(async () => (await documents()).registerClient, register) },
      crossOrigin: 'any',
    },
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
    {
      path: '/token',
      methods: { POST: endpoint(async () => (await documents()).token, token) },
      crossOrigin: 'any',
    },
    {
      path: '/.well-known/oauth-authorization-server',
      methods: { GET: endpoint(async () => (await documents()).authorizationServer, metadata) },
      crossOrigin: 'any',
    },
    // Clients look for more documents than there are. In a browser, a 404 that they may not read looks like
    // a server that is down, and they do not go on to the next.
    { path: '/.well-known/*', methods: { GET: () => Promise.reject(noSuchDocument()) }, crossOrigin: 'any' },
  ];
}
