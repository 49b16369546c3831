import * as z from 'zod';

import { readForm } from '../../http/body.ts';
import { html, seeOther } from '../../http/html.ts';
import type { Route } from '../../http/route.ts';
import type { SignedIn, SignedInContext } from '../../identity/signed-in.ts';
import { CarrelError } from '../../lib/errors.ts';
import { downloadResponse, zipResponse } from '../download.ts';
import { NewSharePage, SharesPage, VisitPage } from './pages.tsx';
import type { ShareForm } from './pages.tsx';
import { shareSubject, shareTerms } from './service.ts';
import type { ShareService } from './service.ts';

interface ShareRoutesOptions {
  readonly signedIn: SignedIn;
  readonly shares: ShareService;
}

const PATH = '/account/shares';
const NEW = `${PATH}/new`;

/** @throws CarrelError `invalid_input`: an address that somebody made up, or a form that was changed */
function subjectOf(fields: URLSearchParams): z.output<typeof shareSubject> {
  const { data } = shareSubject.safeParse(Object.fromEntries(fields));
  if (!data) throw new CarrelError('invalid_input', 'Choose a file or a folder from the list of your files.');
  return data;
}

/** The pages on which a person shares what is theirs, and the one that visitors see. */
export function shareRoutes({ signedIn, shares }: ShareRoutesOptions): Route[] {
  const newShare = async (
    { shell }: Pick<SignedInContext, 'shell'>,
    subject: z.output<typeof shareSubject>,
    form?: ShareForm,
    headers: HeadersInit = {},
  ) => {
    const offered = await shares.offer(shell.person, subject);
    const page = <NewSharePage {...shell} subject={subject} offered={offered} form={form} />;
    return html(page, { status: form ? 400 : 200, headers });
  };

  return [
    {
      path: PATH,
      methods: {
        GET: signedIn.page(async ({ shell, headers, origin }) =>
          html(<SharesPage {...shell} origin={origin} shares={await shares.list(shell.person)} />, { headers }),
        ),
        POST: signedIn.form(PATH, async ({ shell, form, requestId }) => {
          const subject = subjectOf(form);
          const given = {
            days: form.get('days') ?? '',
            uses: form.get('uses') ?? '',
            password: form.get('password') ?? '',
          };
          const terms = shareTerms.safeParse(given);
          if (!terms.success) {
            const faults = z.flattenError(terms.error).fieldErrors;
            return newShare({ shell }, subject, { ...given, faults });
          }
          await shares.make(shell.person, subject, terms.data, requestId);
          return seeOther(PATH);
        }),
      },
    },
    {
      path: NEW,
      methods: {
        GET: signedIn.page(async (context) =>
          newShare(context, subjectOf(context.url.searchParams), undefined, context.headers),
        ),
      },
    },
    {
      path: `${PATH}/end`,
      methods: {
        POST: signedIn.form(PATH, async ({ session, form, requestId }) => {
          await shares.end(session.person, form.get('share') ?? '', requestId);
          return seeOther(PATH);
        }),
      },
    },
    {
      path: '/s/:address',
      methods: {
        // Asking changes nothing: chats and scanners of mail open links before people do.
        GET: async ({ params }) => html(<VisitPage visit={await shares.visit(params['address'] ?? '')} />),
        POST: async ({ request, params }) => {
          const address = params['address'] ?? '';
          const password = request.body === null ? '' : ((await readForm(request)).get('password') ?? '');
          const found = await shares.download(address, password);
          if (found.kind === 'wrong_password')
            return html(<VisitPage visit={await shares.visit(address)} isWrong />, { status: 403 });
          if (found.kind === 'zip') return zipResponse(request, found.zip);
          const { file } = found;
          return downloadResponse(request, file, (range) => shares.bytes(file, range));
        },
      },
    },
  ];
}
