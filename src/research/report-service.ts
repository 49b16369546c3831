import type { FileBucket } from '../files/bucket.ts';
import type { AddressOwner, FileEntry } from '../files/model.ts';
import type { FileWorkspace } from '../files/service.ts';
import type { UploadService } from '../files/upload-service.ts';
import { CarrelError } from '../lib/errors.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import { allSources } from './all-pages.ts';
import type { Section, SessionRef, StoredSource } from './model.ts';
import { referenceOfSource, provenanceOf } from './provenance.ts';
import { prepareText } from './quotes/passages.ts';
import type { PreparedText } from './quotes/passages.ts';
import type { Style } from './references/cited-works.ts';
import { checkReport } from './report/check-report.ts';
import type { ReportCheck } from './report/check-report.ts';
import type { ReportDocument } from './report/model.ts';
import { readReport } from './report/read-report.ts';
import type { OutlineEntry, Report } from './report-store.ts';
import { storedText } from './stored-text.ts';

export type ReportWorkspace = FileWorkspace & Pick<OpenWorkspace, 'desks' | 'sources' | 'reports'>;

export const FORMATS = ['markdown', 'html', 'docx', 'bibtex', 'ris', 'csl-json'] as const;
export type Format = (typeof FORMATS)[number];

const ENDINGS: Readonly<Record<Format, readonly [ending: string, type: string]>> = {
  markdown: ['md', 'text/markdown'],
  html: ['html', 'text/html'],
  docx: ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  bibtex: ['bib', 'text/x-bibtex'],
  ris: ['ris', 'application/x-research-info-systems'],
  'csl-json': ['csl.json', 'application/vnd.citationstyles.csl+json'],
};

/** What was found in a report, and of what of it whether it came in an archive: then it is somebody else's words. */
export type CheckedReport = Omit<ReportCheck, 'findings'> & {
  readonly session: SessionRef;
  readonly findings: readonly (ReportCheck['findings'][number] & { readonly isImported: boolean })[];
};

/** Texts in which quotations are looked up that are kept at hand: each may have some MB. */
const TEXTS_AT_HAND = 8;

export interface ReportServiceOptions {
  readonly bucket: FileBucket;
  readonly uploads: UploadService;
}

/** The report of a research: written section by section, checked claim by claim, and made into documents. */
export class ReportService {
  readonly #bucket: FileBucket;
  readonly #uploads: UploadService;

  constructor({ bucket, uploads }: ReportServiceOptions) {
    this.#bucket = bucket;
    this.#uploads = uploads;
  }

  async get({ reports }: Pick<ReportWorkspace, 'reports'>, session: string | undefined): Promise<Report> {
    return reports.get(session);
  }

  /** @param named number, heading or id. @throws CarrelError `not_found` */
  async section(
    { reports }: Pick<ReportWorkspace, 'reports'>,
    session: string | undefined,
    named: string,
  ): Promise<{ session: SessionRef; section: Section }> {
    return reports.section(session, named);
  }

  /** @throws CarrelError `invalid_input` for two sections of one heading: they are named by it */
  async outline(
    { reports }: Pick<ReportWorkspace, 'reports'>,
    session: string | undefined,
    input: { readonly title: string | undefined; readonly sections: readonly OutlineEntry[] | undefined },
  ): Promise<Report> {
    const headings = (input.sections ?? []).map(({ heading }) => heading.toLowerCase());
    if (new Set(headings).size < headings.length)
      throw new CarrelError('invalid_input', 'Two sections have one heading. Give each a heading of its own.');
    return reports.outline(session, input, Date.now());
  }

  async write(
    { reports, sources }: Pick<ReportWorkspace, 'reports' | 'sources'>,
    input: {
      readonly session?: string | undefined;
      readonly section: string;
      readonly text: string;
      readonly expectedVersion: number | undefined;
    },
  ): Promise<{ session: SessionRef; section: Section; cited: readonly string[]; unknown: readonly string[] }> {
    const known = new Set(await sources.keys(input.session));
    const cited = citationsOf(input.text, known);
    const written = await reports.write(
      input.session,
      input.section,
      input.text,
      cited,
      input.expectedVersion,
      Date.now(),
    );
    return { ...written, cited, unknown: cited.filter((key) => !known.has(key)) };
  }

  /** Looks at each claim, citation and quotation of the report. */
  async check(
    workspace: Pick<ReportWorkspace, 'reports' | 'sources'>,
    session: string | undefined,
  ): Promise<CheckedReport> {
    const report = await workspace.reports.get(session);
    const all = await allSources(workspace, report.session.id);
    const byKey = new Map(all.map((source) => [source.key, source]));
    const texts = new Texts(this.#bucket);
    const check = await checkReport({
      outline: report.sections.map(({ heading, level }) => ({ heading, level })),
      sections: sectionsOf(report),
      sources: new Map(
        all.map(({ key, title, state }) => [
          key,
          { title, state: state === 'dropped' ? 'dropped' : 'kept', hasPassage: true },
        ]),
      ),
      standsIn: async (key, words) => {
        const source = byKey.get(key);
        return source !== undefined && (await texts.has(source, words));
      },
    });
    const findings = check.findings.map((finding) => ({
      ...finding,
      isImported: report.sections.some(
        ({ number, heading, isHeadingImported, isTextImported }) =>
          (isTextImported && number - 1 === finding.section) || (isHeadingImported && heading === finding.heading),
      ),
    }));
    return { ...check, findings, session: report.session };
  }

  /** Makes documents of the report, as files of the shelf. @param input.folder with its slash, or empty */
  async export(
    workspace: ReportWorkspace,
    owner: AddressOwner,
    input: {
      readonly session?: string | undefined;
      readonly formats: readonly Format[];
      readonly style: Style;
      readonly folder: string;
    },
  ): Promise<{ session: SessionRef; files: readonly FileEntry[] }> {
    const { session, document } = await this.document(workspace, input.session, input.style);
    const files: FileEntry[] = [];
    for (const format of input.formats) {
      const [ending, type] = ENDINGS[format];
      files.push(
        await this.#uploads.write(workspace, owner, {
          session: session.id,
          path: `${input.folder}${session.slug}.${ending}`,
          type,
          content: await documentAs(document, format),
        }),
      );
    }
    return { session, files };
  }

  /** The report as it is printed. @throws CarrelError `conflict` when nobody has written anything */
  async document(
    workspace: Pick<ReportWorkspace, 'reports' | 'sources'>,
    session: string | undefined,
    style: Style,
  ): Promise<{ session: SessionRef; document: ReportDocument }> {
    const report = await workspace.reports.get(session);
    if (report.sections.every(({ text }) => text === ''))
      throw new CarrelError('conflict', 'Nobody has written anything of this report. `report_write` does.');
    const all = await allSources(workspace, report.session.id);
    const document = {
      title: report.title,
      language: undefined,
      sections: sectionsOf(report),
      references: all.map((source) => referenceOfSource(source)),
      provenance: new Map(all.map((source) => [source.key, provenanceOf(source)])),
      style,
      createdAt: Date.now(),
    };
    return { session: report.session, document };
  }
}

/** Keys that a text cites, each once. */
export function citationsOf(markdown: string, known: ReadonlySet<string>): readonly string[] {
  return readReport([{ heading: '', level: 1, markdown }], known).keys;
}

function sectionsOf({ sections }: Report) {
  return sections.map(({ heading, level, text }) => ({ heading, level, markdown: text }));
}

/** The document in one format. */
export async function documentAs(document: ReportDocument, format: Format): Promise<string | Uint8Array<ArrayBuffer>> {
  switch (format) {
    case 'markdown':
      return (await import('./report/render-markdown.ts')).renderMarkdown(document);
    case 'html':
      return (await import('./report/render-html.ts')).renderHtml(document);
    case 'docx':
      return (await import('./report/render-docx.ts')).renderDocx(document);
    case 'bibtex':
      return (await import('./references/bibtex.ts')).toBibtex(citedIn(document));
    case 'ris':
      return (await import('./references/ris.ts')).toRis(citedIn(document));
    case 'csl-json':
      return (await import('./references/csl-json.ts')).toCslJson(citedIn(document));
  }
}

/** The works of a bibliography: those that the report cites, or all where it cites none. */
function citedIn({ sections, references }: ReportDocument) {
  const keys = new Set(readReport(sections, new Set(references.map(({ key }) => key))).keys);
  const cited = references.filter(({ key }) => keys.has(key));
  return cited.length > 0 ? cited : references;
}

/** Texts of sources in which many quotations are looked up. */
class Texts {
  readonly #bucket: FileBucket;
  readonly #prepared = new Map<string, { readonly text: string; readonly passages: PreparedText }>();

  constructor(bucket: FileBucket) {
    this.#bucket = bucket;
  }

  async has(source: StoredSource, words: string): Promise<boolean> {
    const { text, passages } = await this.#of(source);
    try {
      return passages.find(words) !== undefined;
    } catch (thrown) {
      // Too short or too long for a quote of its own: then it must stand there as it is.
      if (thrown instanceof CarrelError) return text.includes(words.trim());
      throw thrown;
    }
  }

  async #of({ textKey }: StoredSource) {
    const there = this.#prepared.get(textKey);
    if (there) return there;
    const text = await storedText(this.#bucket, textKey);
    const made = { text, passages: prepareText(text) };
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size >= TEXTS_AT_HAND && oldest !== undefined) this.#prepared.delete(oldest);
    this.#prepared.set(textKey, made);
    return made;
  }
}
