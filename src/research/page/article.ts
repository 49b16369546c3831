import { Readability } from '@mozilla/readability';

import type { PageDocument, PageElement } from './dom.ts';

export interface Article {
  readonly content: PageElement;
  readonly title: string | undefined;
  /** The line that names who wrote it, where that is marked in the text and not in the head. */
  readonly byline: string | undefined;
}

/**
 * The element that holds the article, by Readability. It rebuilds the document as it goes: what is not in the
 * content is lost. Undefined when it finds none.
 */
export function findArticle(document: PageDocument): Article | undefined {
  try {
    const article = new Readability<unknown>(document, {
      // Our metadata knows more vocabularies, and how much it may read.
      disableJSONLD: true,
      keepClasses: true,
      serializer: (content: unknown) => content,
    }).parse();
    if (!article?.content) return undefined;
    return {
      content: article.content as PageElement,
      title: article.title ?? undefined,
      byline: article.byline ?? undefined,
    };
  } catch {
    // Such as a stack that is too small for a tree of which nobody thought.
    return undefined;
  }
}

/** Around an article, by what it is. */
const AROUND: ReadonlySet<string> = new Set(['aside', 'footer', 'nav', 'search']);
const AROUND_ROLES = /^(?:navigation|search|banner|contentinfo|complementary|menu|menubar|dialog|alert|alertdialog)$/;
/** Around an article, by its name. */
const AROUND_NAMES =
  /(?:^|[\s_-])(?:ads?|advert\w*|breadcrumbs?|comments?|disqus|footer|masthead|menu|nav|navbar|navigation|newsletter|pagination|promo|related|share|sharing|sidebar|skip-link|social|subscribe|toolbar)(?:$|[\s_-])/i;

/** The element that holds what is left of a page without what stands around an article by its names. */
export function withoutSurroundings({ body }: PageDocument): PageElement {
  const all = body.getElementsByTagName('*');
  const mains = all.filter(({ localName }) => localName === 'main');
  const articles = all.filter(({ localName }) => localName === 'article');
  const [only] = mains.length === 1 ? mains : articles;
  const root =
    only && mains.length + articles.length >= 1 && (mains.length === 1 || articles.length === 1) ? only : body;
  for (const element of all) {
    const named = `${element.className} ${element.getAttribute('id') ?? ''}`;
    const role = element.getAttribute('role') ?? '';
    const around = AROUND.has(element.localName) || AROUND_ROLES.test(role) || AROUND_NAMES.test(named);
    if (around && element !== root && !holds(element, root)) element.remove();
  }
  return root;
}

function holds(element: PageElement, inner: PageElement): boolean {
  for (let around: PageElement | null = inner; around; around = around.parentNode) if (around === element) return true;
  return false;
}
