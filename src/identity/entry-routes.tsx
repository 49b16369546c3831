import { readForm } from '../http/body.ts';
import type { FormTokens } from '../http/form-token.ts';
import { html, seeOther } from '../http/html.ts';
import type { HttpContext, Route } from '../http/route.ts';
import { isLoopbackHostname } from '../lib/loopback.ts';
import type { Admission } from './admission.ts';
import { ClaimPage, InvitationGonePage, InvitationPage } from './entry-pages.tsx';
import type { SignInService } from './sign-in.ts';

interface EntryRoutesOptions {
  readonly signIn: SignInService;
  readonly admission: Admission;
  readonly formTokens: FormTokens;
}

/** The pages that let a person in: each gives the browser a ticket, which the next sign-in takes. */
export function entryRoutes({ signIn, admission, formTokens }: EntryRoutesOptions): Route[] {
  const claim = async ({ request, url }: HttpContext, wrong = false) => {
    const { token, cookie } = await formTokens.bind(request);
    const command = isLoopbackHostname(url.hostname) ? 'npm run owner-code' : 'npm run owner-code -- --remote';
    return html(
      <ClaimPage
        formToken={token}
        claimed={await admission.isClaimed()}
        command={command}
        error={wrong ? 'This is not the code. It is what the command printed, as a whole.' : undefined}
      />,
      { status: wrong ? 400 : 200, headers: cookie === undefined ? {} : { 'Set-Cookie': cookie } },
    );
  };

  const gone = () => html(<InvitationGonePage />, { status: 410 });

  return [
    {
      path: '/claim',
      methods: {
        GET: (context) => claim(context),
        POST: async (context) => {
          const { request, origin, requestId } = context;
          const form = await readForm(request);
          await formTokens.check(request, form, origin);
          const cookie = await signIn.giveTicket('owner', form.get('code')?.trim() ?? '');
          if (cookie !== undefined) return seeOther('/sign-in', { 'Set-Cookie': cookie });
          await admission.noteRefusal('owner', requestId);
          return claim(context, true);
        },
      },
    },
    {
      path: '/invite/:secret',
      methods: {
        // It reads and nothing else: chats and mail scanners open links before people do.
        GET: async ({ request, url, params }) => {
          const offer = await admission.offer(params['secret'] ?? '');
          if (!offer) return gone();
          const session = await signIn.current(request);
          const { token, cookie } = await formTokens.bind(request);
          return html(
            <InvitationPage
              offer={offer}
              action={url.pathname}
              formToken={token}
              signedInAs={session && (session.person.email ?? session.person.id)}
            />,
            { headers: cookie === undefined ? {} : { 'Set-Cookie': cookie } },
          );
        },
        POST: async ({ request, origin, params, requestId }) => {
          await formTokens.check(request, await readForm(request), origin);
          const cookie = await signIn.giveTicket('invitation', params['secret'] ?? '');
          if (cookie !== undefined) return seeOther('/sign-in', { 'Set-Cookie': cookie });
          await admission.noteRefusal('invitation', requestId);
          return gone();
        },
      },
    },
  ];
}
