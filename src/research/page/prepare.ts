import type { PageElement } from './dom.ts';
import { PREFORMATTED } from './elements.ts';

/**
 * Makes links to parts of this page begin with `#`, which some pages write in full.
 *
 * @param addresses of the page, by whichever name it goes
 */
export function shortenLinks(body: PageElement, addresses: readonly (string | undefined)[]): void {
  const here = new Set(addresses.map((address) => address?.replace(/#.*$/s, '')));
  for (const link of body.getElementsByTagName('a')) {
    const href = link.getAttribute('href') ?? '';
    const hash = href.indexOf('#');
    if (hash > 0 && here.has(href.slice(0, hash))) link.setAttribute('href', href.slice(hash));
  }
}

/** Puts code in the place of the table that shows it beside the numbers of its lines. */
export function unwrapCodeTables(body: PageElement): void {
  for (const name of PREFORMATTED)
    for (const code of body.getElementsByTagName(name)) {
      const table = tableAround(code);
      if (table?.parentNode && onlyText(table, code)) table.parentNode.replaceChild(code, table);
    }
}

function tableAround(element: PageElement): PageElement | undefined {
  for (let around = element.parentNode, steps = 0; around && steps < 6; around = around.parentNode, steps += 1)
    if (around.localName === 'table') return around;
  return undefined;
}

function onlyText(table: PageElement, code: PageElement): boolean {
  return (table.textContent ?? '').trim().length === (code.textContent ?? '').trim().length;
}
