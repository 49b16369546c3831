import { html } from '../../http/html.ts';
import type { Route } from '../../http/route.ts';
import type { SignedIn } from '../../identity/signed-in.ts';
import type { DeviceGrants } from './grants.ts';
import { DeviceConsentPage, DeviceDonePage, DevicePage } from './pages.tsx';

interface DeviceRoutesOptions {
  readonly devices: DeviceGrants;
  readonly signedIn: SignedIn;
}

const NOT_FOUND = 'No device waits with this code. It lives a quarter of an hour: look at the device again.';
const CHOOSE = 'Choose at least one permission, or deny the request.';

/** Where a person enters the code of a device without a browser. What its client asks is beside /token. */
export function deviceRoutes({ devices, signedIn }: DeviceRoutesOptions): Route[] {
  const signed = ({ person, formToken }: { person: { email: string | undefined; id: string }; formToken: string }) => ({
    email: person.email ?? person.id,
    formToken,
  });

  return [
    {
      path: '/device',
      methods: {
        GET: signedIn.page(async ({ shell, headers, url }) =>
          html(<DevicePage {...signed(shell)} userCode={url.searchParams.get('user_code')?.slice(0, 20)} />, {
            headers,
          }),
        ),
        POST: signedIn.form('/device', async ({ session, shell, form, origin, requestId }) => {
          const typed = form.get('user_code') ?? '';
          const question = await devices.question(typed, session.person, origin, requestId);
          return question
            ? html(<DeviceConsentPage {...signed(shell)} question={question} />)
            : html(<DevicePage {...signed(shell)} userCode={typed.slice(0, 20)} problem={NOT_FOUND} />, {
                status: 400,
              });
        }),
      },
    },
    {
      path: '/device/answer',
      methods: {
        POST: signedIn.form('/device', async ({ session, shell, form, origin, requestId }) => {
          const scopes = form.get('decision') === 'approve' ? form.getAll('scope') : undefined;
          if (scopes?.length === 0) {
            const question = await devices.question(form.get('user_code') ?? '', session.person, origin, requestId);
            // What a person has taken away must not be back after an error.
            const unticked = question && {
              ...question,
              scopes: question.scopes.map((scope) => ({ ...scope, checked: false })),
            };
            return unticked
              ? html(<DeviceConsentPage {...signed(shell)} question={unticked} problem={CHOOSE} />, { status: 400 })
              : html(<DevicePage {...signed(shell)} problem={NOT_FOUND} />, { status: 400 });
          }
          const answer = await devices.answer(form.get('handle') ?? '', scopes, session.person, requestId);
          return html(<DeviceDonePage {...signed(shell)} answer={answer} />);
        }),
      },
    },
  ];
}
