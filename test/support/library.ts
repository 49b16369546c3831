import { gzipSync } from 'node:zlib';

import type { TestProject } from 'vitest/node';

import { listen } from './listen.ts';

/** Types of what {@link setup} tells the tests. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** The origin of a server on this machine with pages that are worth reading. */
    readonly library: string;
  }
}

/** What the pages of the library are about; each has a passage that no other has. */
export function passageOf(number: number): string {
  return `The survey of district ${number} found ${number * 7 + 3} working wells, of which the older half had been dug by hand before the railway came.`;
}

/** A page with all around it that pages have. `edition` changes one paragraph. */
export function pageOf(number: number, edition = 1): string {
  const year = 2000 + (number % 25);
  return `<!doctype html><html lang="en"><head><title>Wells of district ${number} | The Library</title>
<meta property="og:title" content="Wells of district ${number}"><meta name="author" content="Ada Writer${String.fromCodePoint(97 + (number % 26))}">
<meta property="article:published_time" content="${year}-03-0${(number % 9) + 1}"><meta property="og:site_name" content="The Library">
</head><body><nav><a href="/">Home</a> <a href="/all">All articles of the library</a></nav>
<article><h1>Wells of district ${number}</h1>
<p>Nobody had counted them since the old land register was closed, and the register itself was known to leave out what stood on common land.</p>
<h2>What was found</h2>
<p>${passageOf(number)}</p>
<p>Two thirds of the wells carry water all through the year; the rest fall dry in the weeks before the autumn rains, and are then filled from carts.</p>
<h2>What it means</h2>
<p>${edition === 1 ? 'The council will decide in spring whether the wells are to be kept.' : `The council has decided, in edition ${edition}, that the wells are kept.`}</p>
<p>It is the third survey of its kind in the province, and the first one that asked the people who draw the water what they think of its taste.</p>
</article><footer>Cookies help us to deliver our services. <a href="/legal">Legal notice of the library</a></footer></body></html>`;
}

const located = (kind: string, addresses: readonly string[]) =>
  addresses.map((address) => `<${kind}><loc>\n ${address} </loc><lastmod>2026-01-01</lastmod></${kind}>`).join('');
const urlset = (addresses: readonly string[]) =>
  `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${located('url', addresses)}</urlset>`;

function sitemapOf(name: string, origin: string): string | Buffer | undefined {
  const articles = (...numbers: number[]) => numbers.map((number) => `${origin}/article/${number}`);
  if (name === 'index')
    return `<sitemapindex>${located(
      'sitemap',
      ['missing', 'packed', 'text', 'plain'].map((each) => `${origin}/sitemap/${each}`),
    )}</sitemapindex>`;
  if (name === 'packed') return gzipSync(urlset(articles(10, 11, 12)));
  if (name === 'text') return `${articles(12, 13).join('\n')}\n`;
  return name === 'plain' ? urlset(articles(14, 15, 16, 17)) : undefined;
}

/**
 * `/edition?of=3&is=2` has `/article/3` say something else; `/counted/3` says the same each time in other bytes.
 * `/fleeting/9` is there until somebody asks for `/vanish/9`. `/sitemap/index` leads to three sitemaps, one of them packed,
 * and to one that is not there.
 * `/held/3` waits when it is asked for again: `/arrived` until it is, and `/release` has it be answered.
 */
export async function openLibrary(): Promise<Awaited<ReturnType<typeof listen>>> {
  const editions = new Map<string, number>();
  let visits = 0;
  const gone = new Set<string>();
  const seen = new Set<string>();
  let held: (() => void) | undefined;
  let told: (() => void) | undefined;
  return listen((request, response) => {
    const url = new URL(request.url ?? '/', 'http://library');
    const [, kind, name = ''] = url.pathname.split('/');
    if (kind === 'article') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(pageOf(Number(name), editions.get(`${name}${url.search}`) ?? 1));
    } else if (kind === 'edition') {
      editions.set(url.searchParams.get('of') ?? '', Number(url.searchParams.get('is')));
      response.end();
    } else if (kind === 'fleeting' && !gone.has(name)) {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(pageOf(Number(name)));
    } else if (kind === 'vanish') {
      gone.add(name);
      response.end();
    } else if (kind === 'sitemap') {
      const body = sitemapOf(name, `http://${request.headers.host ?? ''}`);
      if (body === undefined) response.writeHead(404);
      else response.setHeader('Content-Type', name === 'packed' ? 'application/gzip' : 'application/xml');
      response.end(body);
    } else if (kind === 'counted') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(`${pageOf(Number(name))}<!-- ${(visits += 1)} -->`);
    } else if (kind === 'held') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      const answer = () => void response.end(pageOf(Number(name)));
      if (seen.has(name)) {
        held = answer;
        told?.();
      } else answer();
      seen.add(name);
    } else if (kind === 'arrived') {
      told = () => void response.end();
      if (held) told();
    } else if (kind === 'release') {
      held?.();
      response.end();
    } else if (kind === 'note.md') {
      response
        .setHeader('Content-Type', 'text/markdown')
        .end('# A note\n\nWritten in *Markdown*, as the reader asked.');
    } else if (kind === 'empty-page') {
      response
        .setHeader('Content-Type', 'text/html')
        .end('<!doctype html><html><body><script>run()</script></body></html>');
    } else if (kind === 'redirect') {
      response.writeHead(302, { Location: url.searchParams.get('to') ?? '' }).end();
    } else {
      response.writeHead(404).end('no');
    }
  });
}

let close = () => {};

/** Runs the library beside the tests of a project. */
export async function setup(project: TestProject): Promise<void> {
  const library = await openLibrary();
  project.provide('library', library.url);
  ({ close } = library);
}

export function teardown(): void {
  close();
}
