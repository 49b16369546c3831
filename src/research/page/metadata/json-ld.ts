/** What JSON-LD says of the page's article (schema.org). Texts are as they came. */
export interface LinkedData {
  /** The headline and the name. Which of them is the title is told by what else the page is called. */
  readonly titles: readonly string[];
  readonly authors: readonly string[];
  readonly published: string | undefined;
  readonly site: string | undefined;
  readonly language: string | undefined;
  readonly url: string | undefined;
  readonly description: string | undefined;
  /** Texts and addresses among which a DOI may be. */
  readonly identifiers: readonly string[];
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Thing = { [name: string]: Json };

/** Things that are looked at. */
const THINGS = 2000;
const DEPTH = 12;
const AUTHORS = 200;

const ARTICLE =
  /^(?:\w*Article|BlogPosting|SocialMediaPosting|LiveBlogPosting|Report|Book|Chapter|Thesis|CreativeWork|TechArticle|HowTo|Recipe|Review|Dataset|DigitalDocument|DiscussionForumPosting|QAPage|LearningResource|Course|PodcastEpisode|VideoObject)$/;
const PAGE = /^(?:WebPage|\w+Page)$/;

/** @param scripts texts of `application/ld+json`; what is no JSON is left out */
export function readLinkedData(scripts: readonly string[]): LinkedData | undefined {
  const things = scripts.flatMap((script) => thingsIn(parsed(script)));
  const byId = new Map<string, Thing>();
  // The same thing may be described and, elsewhere, only named.
  for (const thing of things)
    if (typeof thing['@id'] === 'string' && Object.keys(thing).length > 1) byId.set(thing['@id'], thing);
  const article = things.find((thing) => isOf(thing, ARTICLE)) ?? things.find((thing) => isOf(thing, PAGE));
  if (!article) return undefined;
  const resolved = (value: Json | undefined) =>
    list(value).map((item) =>
      isThing(item) && typeof item['@id'] === 'string' ? (byId.get(item['@id']) ?? item) : item,
    );
  const site = things.find((thing) => isOf(thing, /^WebSite$/));
  return {
    titles: [textOf(article['headline']), textOf(article['name'])].filter((title) => title !== undefined),
    authors: [...resolved(article['author']), ...(article['author'] === undefined ? resolved(article['creator']) : [])]
      .slice(0, AUTHORS)
      .flatMap((author) => textOf(author) ?? []),
    published: textOf(article['datePublished']) ?? textOf(article['dateCreated']) ?? textOf(article['uploadDate']),
    site: resolved(article['publisher']).map(textOf)[0] ?? textOf(site?.['name']),
    language: textOf(article['inLanguage']),
    url: textOf(article['url']),
    description: textOf(article['description']),
    identifiers: ['identifier', 'sameAs', '@id', 'doi', 'url']
      .flatMap((name) => list(article[name]))
      .flatMap((value) =>
        isThing(value) ? (textOf(value['value']) ?? textOf(value['@id']) ?? []) : (textOf(value) ?? []),
      ),
  };
}

/** JSON, also with the mistakes that many make: comments around it, line breaks within a text, a comma too many. */
function parsed(script: string): Json {
  const text = script
    .replace(/^\s*(?:<!\[CDATA\[|<!--|\/\*\s*<!\[CDATA\[\s*\*\/)/, '')
    .replace(/(?:\]\]>|-->|\/\*\s*\]\]>\s*\*\/)?\s*;?\s*$/, '');
  try {
    return JSON.parse(text) as Json;
  } catch {
    try {
      // oxlint-disable-next-line no-control-regex -- JSON has none within its texts.
      return JSON.parse(text.replaceAll(/[\0-\x1F]+/g, ' ').replaceAll(/,\s?(?=[\]}])/g, '')) as Json;
    } catch {
      return null;
    }
  }
}

/** Every thing that is described, those within others after them. */
function thingsIn(root: Json): Thing[] {
  const things: Thing[] = [];
  let level: Json[] = [root];
  for (let depth = 0; depth < DEPTH && level.length > 0 && things.length < THINGS; depth += 1) {
    const next: Json[] = [];
    for (const value of level.slice(0, THINGS)) {
      if (Array.isArray(value)) next.push(...value.slice(0, THINGS));
      else if (isThing(value)) {
        things.push(value);
        next.push(...Object.values(value).filter((inner) => typeof inner === 'object'));
      }
      if (next.length > THINGS) break;
    }
    level = next;
  }
  return things;
}

function isThing(value: Json | undefined): value is Thing {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOf(thing: Thing, type: RegExp): boolean {
  return list(thing['@type']).some((name) => typeof name === 'string' && type.test(name.replace(/^.*[/:#]/, '')));
}

function list(value: Json | undefined): Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value.slice(0, AUTHORS) : [value];
}

/** A text, or that of a thing which has a name, or the first of several. */
function textOf(value: Json | undefined): string | undefined {
  if (Array.isArray(value))
    return value
      .slice(0, 5)
      .map(textOf)
      .find((text) => text !== undefined);
  if (isThing(value)) return textOf(value['name'] ?? value['@value'] ?? value['alternateName']) ?? whole(value);
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** Some write a person in parts. */
function whole({ givenName, familyName }: Thing): string | undefined {
  const parts = [givenName, familyName].filter((part) => typeof part === 'string');
  return parts.length === 0 ? undefined : parts.join(' ');
}
