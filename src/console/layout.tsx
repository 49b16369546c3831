import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';

import { Button, HiddenFields } from './components.tsx';
import { STYLESHEET_PATH } from './stylesheet.ts';
import { ICON_URL, Wordmark } from './wordmark.tsx';

/** Who is signed in, for the header. */
export interface SignedInPerson {
  readonly email: string;
  /** Binds the sign-out form to this browser. Without it the header shows no way to sign out. */
  readonly formToken?: string | undefined;
}

interface PageProps {
  /** Of the window and the browser's history. Never text from outside. */
  readonly title: string;
  /** Stands before the title, so that a screen reader says it first: `Error`, `404`. */
  readonly status?: string | undefined;
  readonly person?: SignedInPerson | undefined;
  /** For pages to read rather than forms to fill in. */
  readonly wide?: boolean;
  readonly children: Child;
}

function Person({ email, formToken }: SignedInPerson) {
  return (
    <div class="person">
      <a href="/account">
        <bdi class="untrusted">{email}</bdi>
      </a>
      {formToken !== undefined && (
        <form method="post" action="/sign-out">
          <HiddenFields values={{ form_token: formToken, return_to: '/' }} />
          <Button variant="quiet">Sign out</Button>
        </form>
      )}
    </div>
  );
}

/** The shell of every page: a whole HTML document with header, main and footer. */
export function Page({ title, status, person, wide = false, children }: PageProps) {
  const width = wide ? ' wide' : '';
  return (
    <>
      {raw('<!doctype html>')}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <meta name="robots" content="noindex" />
          <title>{`${status === undefined ? '' : `${status}: `}${title} · Carrel`}</title>
          <link rel="icon" href={ICON_URL} />
          <link rel="stylesheet" href={STYLESHEET_PATH} />
        </head>
        <body>
          <a class="skip" href="#main">
            Skip to the content
          </a>
          <header class={`header${width}`}>
            <Wordmark />
            {person !== undefined && <Person {...person} />}
          </header>
          <main id="main" class={`main${width}`} tabindex={-1}>
            {children}
          </main>
          <footer class="footer">Carrel: a quiet desk for you and your assistants.</footer>
        </body>
      </html>
    </>
  );
}
