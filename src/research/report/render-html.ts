import { toBase64, utf8 } from '../../lib/encoding.ts';
import type { CitationPart } from '../references/format.ts';
import type { Run } from '../references/runs.ts';
import { BIBLIOGRAPHY, compose } from './compose.ts';
import type { Composed, Entry } from './compose.ts';
import type { ReportDocument } from './model.ts';
import { parser } from './read-report.ts';
import { STYLESHEET } from './stylesheet.ts';

/** Languages that are written from right to left. */
const RIGHT_TO_LEFT = /^(?:ar|arc|ckb|dv|fa|he|ku-Arab|ps|sd|ug|ur|yi)\b/i;

/**
 * A report as one HTML file that needs nothing else and runs nothing: its policy lets in no script, no image and no style
 * but its own. Citations lead to their entries.
 *
 * @throws CarrelError as `readReport` does
 */
export async function renderHtml(document: ReportDocument): Promise<string> {
  const report = compose(document);
  const { title, sections, entries } = report;
  const language = document.language ?? 'en';
  const direction = RIGHT_TO_LEFT.test(language) ? ' dir="rtl"' : '';
  const hash = toBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(STYLESHEET))));
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const day = new Date(document.createdAt).toISOString().slice(0, 10);
  return [
    '<!doctype html>',
    `<html lang="${escaped(language)}"${direction}>`,
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${escaped(title)}</title>`,
    `<style>${STYLESHEET}</style>`,
    '</head>',
    '<body>',
    '<main>',
    `<header><h1>${escaped(title)}</h1><p class="day"><time datetime="${day}">${day}</time></p></header>`,
    ...sections.map((section, index) => sectionOf(section, index, report)),
    ...(entries.length === 0 ? [] : [bibliography(entries)]),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function sectionOf({ heading, depth, tokens }: Composed['sections'][number], index: number, report: Composed): string {
  const rendering: Rendering = { parts: report.parts, inLink: false };
  const environment = { docId: String(index + 1), [UNDER]: rendering };
  const body = parser.renderer.render([...tokens], { ...parser.options, ...RENDERING }, environment);
  return `<section>\n<h${depth}>${escaped(heading)}</h${depth}>\n${body}</section>`;
}

const RENDERING = { xhtmlOut: false, breaks: false, langPrefix: 'language-' };

function bibliography(entries: readonly Entry[]): string {
  const items = entries.map(({ key, label, line, provenance }) =>
    [
      `<li id="${idOf(key)}">`,
      label === undefined ? '' : `<span class="label">${escaped(label)}</span> `,
      line.map(runOf).join(''),
      provenance === undefined ? '' : `<span class="provenance">${escaped(provenance)}</span>`,
      '</li>',
    ].join(''),
  );
  const kind = entries[0]?.label === undefined ? 'authors' : 'numbers';
  return `<section>\n<h2>${BIBLIOGRAPHY}</h2>\n<ul class="references ${kind}">\n${items.join('\n')}\n</ul>\n</section>`;
}

function idOf(key: string): string {
  return `ref-${escaped(key)}`;
}

function escaped(text: string): string {
  return parser.utils.escapeHtml(text);
}

function textOf({ text, italic }: Run): string {
  return italic === true ? `<i>${escaped(text)}</i>` : escaped(text);
}

function runOf(run: Run): string {
  const { link } = run;
  const shown = textOf(run);
  return link === undefined ? shown : `<a href="${escaped(link)}">${shown}</a>`;
}

/** Within a link there can be none. */
function partOf({ runs, key }: CitationPart, isInLink: boolean): string {
  const shown = runs.map(textOf).join('');
  return key === undefined || isInLink ? shown : `<a class="citation" href="#${idOf(key)}">${shown}</a>`;
}

/** What the rules below share while they write one section. */
interface Rendering {
  readonly parts: Composed['parts'];
  inLink: boolean;
}

const UNDER = 'rendering';

function renderingOf(environment: Record<string, unknown> | undefined): Rendering {
  return environment?.[UNDER] as Rendering;
}

const { rules } = parser.renderer;
rules['text_special'] = (tokens, index) => escaped(tokens[index]?.content ?? '');
rules['citation'] = (tokens, index, _options, environment) => {
  const token = tokens[index];
  const { parts, inLink } = renderingOf(environment);
  return ((token && parts(token)) ?? []).map((part) => partOf(part, inLink)).join('');
};
rules['link_open'] = (tokens, index, options, environment, renderer) => {
  renderingOf(environment).inLink = true;
  return renderer.renderToken(tokens, index, options);
};
rules['link_close'] = (tokens, index, options, environment, renderer) => {
  renderingOf(environment).inLink = false;
  return renderer.renderToken(tokens, index, options);
};
// The file shows nothing that lies elsewhere.
rules['image'] = (tokens, index, _options, environment) => {
  const token = tokens[index];
  const text = escaped(token?.content === '' ? 'image' : (token?.content ?? ''));
  return renderingOf(environment).inLink
    ? text
    : `<a href="${escaped(String(token?.attrGet('src') ?? ''))}">${text}</a>`;
};
// Its policy lets in no style attributes.
for (const type of ['th_open', 'td_open'])
  rules[type] = (tokens, index) => {
    const [, alignment] = /text-align:(\w+)/.exec(String(tokens[index]?.attrGet('style') ?? '')) ?? [];
    return `<${tokens[index]?.tag ?? 'td'}${alignment === undefined ? '' : ` class="${alignment}"`}>`;
  };
