import { readForm } from '../http/body.ts';
import type { FormTokens } from '../http/form-token.ts';
import { formTarget, html, seeOther } from '../http/html.ts';
import type { HttpContext, Route } from '../http/route.ts';
import { CarrelError } from '../lib/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { SignedOutPage, SignInPage } from './pages.tsx';
import { safeReturnTo } from './return-to.ts';
import type { SignInService } from './sign-in.ts';

interface IdentityRoutesOptions {
  readonly signIn: SignInService;
  readonly formTokens: FormTokens;
  readonly telemetry: Telemetry;
}

const facts = ({ request, url }: HttpContext) => ({ hostname: url.hostname, headers: request.headers });

/**
 * Where the sign-in form may end up when it leads back to a client's request: a remembered consent or
 * an error goes on to the client at once, which `form-action` would block in Chromium.
 */
function clientOf(returnTo: string, origin: string): string | undefined {
  const url = new URL(returnTo, origin);
  return url.pathname === '/authorize' ? formTarget(url.searchParams.get('redirect_uri') ?? '') : undefined;
}

/** The pages for signing in and out. */
export function identityRoutes({ signIn, formTokens, telemetry }: IdentityRoutesOptions): Route[] {
  const page = async (context: HttpContext, returnTo: string, failed?: { problem: string; email: string }) => {
    const { token, cookie } = await formTokens.bind(context.request);
    const providers = signIn.providers(facts(context)).map(({ name, label, kind }) => ({ name, label, kind }));
    return html(
      <SignInPage
        providers={providers}
        formToken={token}
        returnTo={returnTo}
        error={failed?.problem}
        email={failed?.email}
      />,
      {
        status: failed ? 400 : 200,
        headers: cookie === undefined ? {} : { 'Set-Cookie': cookie },
        formTargets: [clientOf(returnTo, context.origin)],
      },
    );
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
          const attempt = await signIn.attempt(facts(context), form.get('provider'), form);
          if (!attempt) throw new CarrelError('not_found', 'There is no such way to sign in here.');
          if (!attempt.ok)
            return page(context, returnTo, { problem: attempt.problem, email: form.get('email')?.slice(0, 254) ?? '' });
          // The session that this one replaces would live on with nobody to end it.
          await signIn.end(context.request);
          telemetry.record({
            type: 'signed_in',
            personId: attempt.personId,
            provider: attempt.provider,
            requestId: context.requestId,
          });
          return seeOther(returnTo, { 'Set-Cookie': attempt.cookie });
        },
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
