import { html, seeOther } from '../http/html.ts';
import type { Route } from '../http/route.ts';
import type { SignInService } from '../identity/sign-in.ts';
import { AppsPage } from './app-pages.tsx';
import { ConnectionsPage } from './connection-pages.tsx';
import type { Connections } from './connections.ts';
import { AccountPage } from './pages.tsx';
import type { AccountService } from './service.ts';
import type { SignedIn } from '../identity/signed-in.ts';

interface AccountRoutesOptions {
  readonly account: AccountService;
  readonly signedIn: SignedIn;
  readonly signIn: SignInService;
  readonly connections: Connections;
}

/** A person's own pages: how they get in, where they are, which apps they let in. */
export function accountRoutes({ account, signedIn, signIn, connections }: AccountRoutesOptions): Route[] {
  return [
    {
      path: '/account',
      methods: {
        GET: signedIn.page(async ({ session, shell, headers, request, url, origin }) => {
          const { id } = session.person;
          const providers = signIn.providers({ hostname: url.hostname, origin, headers: request.headers });
          const [identities, sessions, current] = await Promise.all([
            account.identities(id),
            account.sessions(id),
            signIn.sessionId(request),
          ]);
          return html(
            <AccountPage
              {...shell}
              identities={identities}
              providers={new Map(providers.map((provider) => [provider.name, nameOf(provider)]))}
              linkToken={await signIn.linkToken(request)}
              linkable={providers
                .filter(({ kind }) => kind === 'redirect')
                .map((provider) => ({ name: provider.name, label: nameOf(provider) }))}
              sessions={sessions}
              session={current}
            />,
            { headers },
          );
        }),
      },
    },
    {
      path: '/account/identities/remove',
      methods: {
        POST: signedIn.form('/account', async ({ session, form, request, requestId }) => {
          const identity = { provider: form.get('provider') ?? '', subject: form.get('subject') ?? '' };
          await account.unlink(session.person.id, identity, await signIn.sessionId(request), requestId);
          return seeOther('/account');
        }),
      },
    },
    {
      path: '/account/sessions/end-others',
      methods: {
        POST: signedIn.form('/account', async ({ session, request, requestId }) => {
          await account.signOutElsewhere(session.person.id, await signIn.sessionId(request), requestId);
          return seeOther('/account');
        }),
      },
    },
    {
      path: '/account/apps',
      methods: {
        GET: signedIn.page(async ({ session, shell, headers, origin }) =>
          html(<AppsPage {...shell} apps={await account.apps(session.person.id, origin)} />, { headers }),
        ),
      },
    },
    {
      path: '/account/apps/:grant/narrow',
      methods: {
        POST: signedIn.form('/account/apps', async ({ session, params, form, requestId }) => {
          await account.narrow(session.person.id, params['grant'] ?? '', form.getAll('scope'), requestId);
          return seeOther('/account/apps');
        }),
      },
    },
    {
      path: '/account/connections',
      methods: {
        GET: signedIn.page(async ({ session, shell, headers, origin }) =>
          html(<ConnectionsPage {...shell} connections={await connections.list(session.person.id, origin)} />, {
            headers,
          }),
        ),
      },
    },
    {
      path: '/account/apps/:grant/revoke',
      methods: {
        POST: signedIn.form('/account/apps', async ({ session, params, requestId }) => {
          await account.revoke(session.person.id, params['grant'] ?? '', requestId);
          return seeOther('/account/apps');
        }),
      },
    },
  ];
}

/** How a way to sign in is called where it is listed: its button says "Sign in with GitHub". */
function nameOf({ kind, label }: { readonly kind: string; readonly label: string }): string {
  if (kind === 'email-form') return 'Development sign-in';
  if (kind === 'passkey') return 'Passkey';
  return label.replace(/^(?:Sign in|Continue) with /, '');
}
