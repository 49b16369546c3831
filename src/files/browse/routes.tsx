import { html, seeOther } from '../../http/html.ts';
import type { Route } from '../../http/route.ts';
import type { SignedIn } from '../../identity/signed-in.ts';
import { downloadResponse, zipResponse } from '../download.ts';
import { FoundPage, LevelPage, SessionsPage, TrashPage } from './pages.tsx';
import { place } from './service.ts';
import type { BrowseService } from './service.ts';

interface BrowseRoutesOptions {
  readonly signedIn: SignedIn;
  readonly browse: BrowseService;
}

const PATH = '/account/files';
const TRASH = '/account/files/trash';

/** A person's files in the browser: to find, to download, to share. */
export function browseRoutes({ signedIn, browse }: BrowseRoutesOptions): Route[] {
  return [
    {
      path: PATH,
      methods: {
        GET: signedIn.page(async ({ shell, headers, url }) => {
          const { session, folder, cursor, q } = place.parse(Object.fromEntries(url.searchParams));
          const { person } = shell;
          if (q !== '')
            return html(<FoundPage {...shell} query={q} found={await browse.search(person, q)} />, { headers });
          if (session === undefined)
            return html(<SessionsPage {...shell} page={await browse.sessions(person, cursor)} />, { headers });
          return html(<LevelPage {...shell} level={await browse.level(person, { session, folder, cursor })} />, {
            headers,
          });
        }),
      },
    },
    {
      path: `${PATH}/zip`,
      methods: {
        GET: signedIn.page(async ({ shell, request, url }) => {
          const { session, folder } = place.parse(Object.fromEntries(url.searchParams));
          return zipResponse(request, await browse.zip(shell.person, session, folder));
        }),
      },
    },
    // Before the one with a variable.
    {
      path: TRASH,
      methods: {
        GET: signedIn.page(async ({ shell, headers, url }) => {
          const { cursor } = place.parse(Object.fromEntries(url.searchParams));
          return html(<TrashPage {...shell} trash={await browse.trash(shell.person, cursor)} />, { headers });
        }),
      },
    },
    {
      path: `${TRASH}/put-back`,
      methods: {
        POST: signedIn.form(TRASH, async ({ session, form }) => {
          await browse.putBack(session.person, form.get('file') ?? '');
          return seeOther(TRASH);
        }),
      },
    },
    {
      path: `${TRASH}/empty`,
      methods: {
        POST: signedIn.form(TRASH, async ({ session }) => {
          await browse.emptyTrash(session.person);
          return seeOther(TRASH);
        }),
      },
    },
    {
      path: `${PATH}/:id`,
      methods: {
        GET: signedIn.page(async ({ shell, request, params }) => {
          const file = await browse.file(shell.person, params['id'] ?? '');
          return downloadResponse(request, file, (range) => browse.bytes(file, range));
        }),
      },
    },
  ];
}
