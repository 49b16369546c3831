import { html } from '../../http/html.ts';
import type { Route } from '../../http/route.ts';
import type { SignedIn } from '../../identity/signed-in.ts';
import { downloadResponse, zipResponse } from '../download.ts';
import { FoundPage, LevelPage, SessionsPage } from './pages.tsx';
import { place } from './service.ts';
import type { BrowseService } from './service.ts';

interface BrowseRoutesOptions {
  readonly signedIn: SignedIn;
  readonly browse: BrowseService;
}

const PATH = '/account/files';

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
