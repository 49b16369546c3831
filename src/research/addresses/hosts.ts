/** Where a URL is: a host by {@link normaliseHost}, and a path by `normaliseEncoding`. */
export interface Place {
  readonly host: string;
  readonly path: string;
}

/** Labels before a site's name that say for which device, or in which form, it is shown. */
const FORMS: ReadonlySet<string> = new Set(['www', 'm', 'mobile', 'amp']);

/** Below these, everybody has a name of their own: `amp.github.io` is somebody. */
const SHARED: ReadonlySet<string> = new Set(
  `github.io gitlab.io pages.dev workers.dev vercel.app netlify.app web.app firebaseapp.com herokuapp.com onrender.com
  fly.dev blogspot.com wordpress.com tumblr.com substack.com medium.com readthedocs.io neocities.org`.split(/\s+/),
);

/** The projects of Wikimedia have their mobile form behind the language: `en.m.wikipedia.org`. */
const WIKIMEDIA =
  /^([\w-]+\.)?m\.((?:wikipedia|wiktionary|wikimedia|wikisource|wikibooks|wikiquote|wikinews|wikiversity|wikivoyage|wikidata|mediawiki)\.org)$/;

/**
 * The host that stands for all forms of a site: without `www.`, `m.`, `mobile.`, `amp.` and the dot at the end. It is
 * to be compared, and not to be asked: some sites answer at none but `www.`.
 *
 * @param host as the URL parser gives it: in lower case, in punycode
 */
export function normaliseHost(host: string): string {
  let name = host.replace(/\.+$/, '');
  for (;;) {
    const dot = name.indexOf('.');
    const rest = name.slice(dot + 1);
    // `m.me` and `amp.dev` are names themselves, and so is whatever stands before an address of numbers.
    if (dot < 0 || !FORMS.has(name.slice(0, dot)) || !/\.[^.]*[a-z]/.test(rest) || SHARED.has(rest))
      return name.replace(WIKIMEDIA, '$1$2');
    name = rest;
  }
}
