import { readForm } from '../http/body.ts';
import type { FormTokens } from '../http/form-token.ts';
import { formTarget, html, seeOther } from '../http/html.ts';
import type { HttpContext, Route } from '../http/route.ts';
import { CarrelError } from '../lib/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { SignedOutPage, SignInPage } from './pages.tsx';
import { safeReturnTo } from './return-to.ts';
import { signInRequest } from './sign-in.ts';
import type { SignInResult, SignInService } from './sign-in.ts';

interface IdentityRoutesOptions {
  readonly signIn: SignInService;
  readonly formTokens: FormTokens;
  readonly telemetry: Telemetry;
}

/** What follows a sign-in that went well: on to where the person wanted to go. */
function goOn({ returnTo, cookies }: { readonly returnTo: string; readonly cookies: readonly string[] }): Response {
  const headers = new Headers();
  for (const cookie of cookies) headers.append('Set-Cookie', cookie);
  return seeOther(returnTo, headers);
}

/**
 * Where the sign-in form may end up when it leads back to a client's request: a remembered consent or
 * an error goes on to the client at once, which `form-action` would block in Chromium.
 */
function clientOf(returnTo: string, origin: string): string | undefined {
  const url = new URL(returnTo, origin);
  return url.pathname === '/authorize' ? formTarget(url.searchParams.get('redirect_uri') ?? '') : undefined;
}

const noSuchProvider = () => new CarrelError('not_found', 'There is no such way to sign in here.');

/** The pages for signing in and out. */
export function identityRoutes({ signIn, formTokens, telemetry }: IdentityRoutesOptions): Route[] {
  const page = async (
    context: HttpContext,
    returnTo: string,
    failed?: { readonly problem: string; readonly email?: string; readonly cookies?: readonly string[] },
  ) => {
    const { request, origin } = context;
    const { facts } = signInRequest(context);
    const { token, cookie } = await formTokens.bind(request);
    const providers = signIn.providers(facts).map(({ name, label, kind }) => ({ name, label, kind }));
    const headers = new Headers();
    for (const value of [cookie, ...(failed?.cookies ?? [])])
      if (value !== undefined) headers.append('Set-Cookie', value);
    return html(
      <SignInPage
        providers={providers}
        ticket={await signIn.ticket(request)}
        // The development sign-in lets anybody in, whoever owns the place.
        unclaimed={!providers.some(({ kind }) => kind === 'email-form') && !(await signIn.isClaimed())}
        formToken={token}
        returnTo={returnTo}
        error={failed?.problem}
        email={failed?.email}
      />,
      {
        status: failed ? 400 : 200,
        headers,
        formTargets: [clientOf(returnTo, origin)],
        script: providers.some(({ kind }) => kind === 'passkey'),
      },
    );
  };

  const finished = (context: HttpContext, result: SignInResult | undefined, email?: string) => {
    if (!result) throw noSuchProvider();
    if (!result.ok) return page(context, result.returnTo, { ...result, ...(email === undefined ? {} : { email }) });
    const { personId, provider } = result;
    telemetry.record({ type: 'signed_in', personId, provider, requestId: context.requestId });
    return goOn(result);
  };

  return [
    {
      path: '/sign-in',
      methods: {
        GET: (context) => page(context, safeReturnTo(context.url.searchParams.get('return_to'), context.origin)),
        POST: async (context) => {
          const form = await readForm(context.request);
          await formTokens.check(context.request, form, context.origin);
          const returnTo = safeReturnTo(form.get('return_to'), context.origin);
          const result = await signIn.byForm(signInRequest(context), form.get('provider'), form, returnTo);
          return finished(context, result, form.get('email')?.slice(0, 254) ?? '');
        },
      },
    },
    {
      // A link and no form: what a form leads to must stand in the page's policy, and who a provider's
      // authorization server is, is known only when it is asked.
      path: '/sign-in/:provider',
      methods: {
        GET: async (context) => {
          const { url, origin, params } = context;
          const returnTo = safeReturnTo(url.searchParams.get('return_to'), origin);
          const link = url.searchParams.get('link');
          const session = link === null ? undefined : await signIn.linking(context.request, link);
          if (link !== null && !session)
            throw new CarrelError(
              'forbidden',
              'Begin at your account page: this link is of another browser or too old.',
            );
          const begun = await signIn.begin(
            signInRequest(context),
            params['provider'] ?? '',
            returnTo,
            session?.person.id,
          );
          if (!begun) throw noSuchProvider();
          return seeOther(begun.location, { 'Set-Cookie': begun.cookie });
        },
      },
    },
    {
      path: '/sign-in/:provider/callback',
      methods: {
        GET: async (context) =>
          finished(context, await signIn.finish(signInRequest(context), context.params['provider'] ?? '', context.url)),
      },
    },
    {
      path: '/sign-out',
      methods: {
        POST: async (context) => {
          const form = await readForm(context.request);
          await formTokens.check(context.request, form, context.origin);
          const cookie = await signIn.end(context.request);
          const returnTo = safeReturnTo(form.get('return_to'), context.origin);
          return returnTo === '/'
            ? html(<SignedOutPage />, { headers: { 'Set-Cookie': cookie } })
            : seeOther(returnTo, { 'Set-Cookie': cookie });
        },
      },
    },
  ];
}
