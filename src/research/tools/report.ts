import * as z from 'zod';

import { itemsWithinBudget } from '../../lib/budget.ts';
import { fenced, fencedLine, shownLine } from '../../lib/untrusted.ts';
import { defineTool, DESTROY, READ, UPDATE } from '../../mcp/toolset.ts';
import { sessionRef } from '../../sessions/model.ts';
import { folderPath } from '../../files/model.ts';
import { brief, heading, sectionText, MAX_SECTIONS, reference, topic } from '../model.ts';
import type { Section } from '../model.ts';
import { STYLES } from '../references/cited-works.ts';
import type { ReportService } from '../report-service.ts';
import { FORMATS } from '../report-service.ts';
import { counted, REMARK_CHARACTERS, requireFiles, session, withFenceNote } from './shared.ts';

const shownSection = z.object({
  number: z.int(),
  heading: z.string(),
  level: z.int(),
  brief: z.string().optional(),
  characters: z.int(),
  version: z.int(),
});
const sectionName = reference.describe('Number, heading or id');

/** Tools around the report of a research. */
export function reportTools(service: ReportService) {
  const outline = defineTool('report_outline', {
    title: 'Outline the report',
    description:
      'Gives the report its title and its sections in order, or shows them when none are given. Sections that are named again keep their text; one with text cannot be left out.',
    behaviour: UPDATE,
    input: z.strictObject({
      session,
      title: topic.optional(),
      sections: z
        .array(
          z.strictObject({
            heading,
            level: z.int().min(1).max(4).default(1),
            brief: brief.optional().describe('What is to stand there'),
          }),
        )
        .min(1)
        .max(MAX_SECTIONS)
        .optional(),
    }),
    output: z.object({ session: sessionRef, title: z.string(), sections: z.array(shownSection) }),
    handle: async ({ session: within, title, sections }, { workspace }) => {
      const report =
        sections === undefined && title === undefined
          ? await service.get(workspace, within)
          : await service.outline(workspace, within, {
              title,
              sections: sections?.map((each) => ({ ...each, brief: each.brief })),
            });
      return { session: report.session, title: report.title, sections: showSections(report.sections) };
    },
    text: ({ session: { slug }, title, sections }) =>
      withFenceNote(
        [`${title} (${slug})`, ...(sections.length === 0 ? ['No sections.'] : sections.map(line))].join('\n'),
      ),
  });

  const read = defineTool('report_read', {
    title: 'Read the report',
    description: 'The text of a section of the report as it was written, with its version.',
    behaviour: READ,
    input: z.strictObject({
      session,
      section: sectionName,
      offset: z.int().min(0).default(0),
      max_characters: z.int().min(200).max(30_000).default(20_000),
    }),
    output: z.object({
      session: sessionRef,
      section: shownSection,
      text: z.string(),
      next_offset: z.int().optional(),
    }),
    handle: async ({ session: within, section, offset, max_characters }, { workspace }) => {
      const found = await service.section(workspace, within, section);
      const end = Math.min(found.section.text.length, offset + max_characters);
      const text = found.section.text.slice(offset, end);
      return {
        session: found.session,
        section: showSection(found.section),
        text: found.section.isTextImported ? fenced(text) : text,
        ...(end < found.section.text.length ? { next_offset: end } : {}),
      };
    },
    text: ({ section, text, next_offset }) =>
      withFenceNote(
        `${line(section)}${next_offset === undefined ? '' : `; go on with offset ${next_offset}`}:\n${text}`,
      ),
  });

  const write = defineTool('report_write', {
    title: 'Write a section',
    description:
      'Writes the text of a section, in Markdown. Every claim cites a source: [@key], [@key, p. 4], [@a; @b]; what is your own conclusion ends with [@own]. An empty text deletes it.',
    behaviour: DESTROY,
    input: z.strictObject({
      session,
      section: sectionName,
      text: sectionText,
      expected_version: z.int().min(1).optional(),
    }),
    output: z.object({
      session: sessionRef,
      section: shownSection,
      cited: z.array(z.string()),
      unknown: z.array(z.string()).describe('Cited keys that are no source'),
    }),
    handle: async ({ expected_version: expectedVersion, ...input }, { workspace }) => {
      const written = await service.write(workspace, { ...input, expectedVersion });
      return {
        session: written.session,
        section: showSection(written.section),
        cited: [...written.cited],
        unknown: [...written.unknown],
      };
    },
    text: ({ section, cited, unknown }) =>
      withFenceNote(
        [
          `Written: ${line(section)}, cites ${cited.length === 0 ? 'nothing' : cited.join(', ')}`,
          ...(unknown.length === 0 ? [] : [`No source has the key ${unknown.join(', ')}.`]),
        ].join('\n'),
      ),
  });

  const check = defineTool('report_check', {
    title: 'Check the report',
    description:
      'Checks the report claim by claim: claims without citation, citations without source, quotations that stand in no snapshot, empty sections, dropped sources.',
    behaviour: READ,
    input: z.strictObject({ session }),
    output: z.object({
      session: sessionRef,
      passed: z.boolean(),
      claims: z.int(),
      quotations: z.int(),
      findings: z.array(
        z.object({
          kind: z.string(),
          section: z.int().optional(),
          offset: z.int(),
          excerpt: z.string(),
          todo: z.string(),
        }),
      ),
      more: z.boolean(),
    }),
    handle: async (input, { workspace }) => {
      const { session: within, findings, more, claims, quotations } = await service.check(workspace, input.session);
      return {
        session: within,
        passed: findings.length === 0,
        claims,
        quotations,
        findings: findings.slice(0, SHOWN).map(({ kind, section, offset, excerpt, isImported, todo }) => ({
          kind,
          ...(section === undefined ? {} : { section: section + 1 }),
          offset,
          excerpt: isImported && excerpt !== '' ? fencedLine(excerpt) : excerpt,
          todo,
        })),
        more: more || findings.length > SHOWN,
      };
    },
    text: ({ passed, claims, quotations, findings, more }) =>
      withFenceNote(
        [
          passed
            ? `Passed: ${counted(claims, 'claim')} and ${counted(quotations, 'quotation')}, nothing to mend.`
            : `Not passed: ${counted(claims, 'claim')} and ${counted(quotations, 'quotation')}. To mend:`,
          ...findings.map(
            ({ kind, section, excerpt, todo }) =>
              `${kind}${section === undefined ? '' : ` in section ${section}`}${excerpt === '' ? '' : `: ${excerpt}`}\n  ${todo}`,
          ),
          ...(more ? ['There is more: check again when these are mended.'] : []),
        ].join('\n'),
      ),
  });

  const make = defineTool('report_export', {
    title: 'Export the report',
    description:
      'Makes files of the report on the shelf, with citations and bibliography in a style: Markdown, one printable HTML file, Word, and the bibliography as BibTeX, RIS or CSL-JSON. file_link gives their addresses.',
    behaviour: UPDATE,
    input: z.strictObject({
      session,
      formats: z.array(z.enum(FORMATS)).min(1).default(['markdown', 'html', 'docx', 'bibtex']),
      style: z.enum(STYLES).default('apa'),
      folder: folderPath.prefault('report'),
    }),
    output: z.object({
      session: sessionRef,
      files: z.array(z.object({ id: z.string(), path: z.string(), size: z.int(), version: z.int() })),
    }),
    handle: async ({ formats, ...input }, { workspace, principal }) => {
      requireFiles(principal, 'files:write');
      const { session: within, files } = await service.export(workspace, principal, {
        ...input,
        formats: [...new Set(formats)],
      });
      return {
        session: within,
        files: files.map(({ id, path, size, version }) => ({ id, path, size, version })),
      };
    },
    text: ({ session: { slug }, files }) =>
      [`In ${slug}:`, ...files.map(({ id, path, size }) => `${path} (id ${id}, ${size} bytes)`)].join('\n'),
  });

  return [outline, read, write, check, make];
}

/** Findings in one answer: whoever gets more mends these first. */
const SHOWN = 60;

/** UTF-16 code units of each brief and heading where all sections are listed: the most that fits. */
const SHORTER = [
  [REMARK_CHARACTERS, 200],
  [400, 200],
  [100, 200],
  [0, 100],
] as const;

/** All sections of a report. Where they are many, less is shown of what is to stand in each: `report_read` shows all of it. */
function showSections(sections: readonly Section[]): z.output<typeof shownSection>[] {
  const ways = SHORTER.map(
    ([briefs, headings]) =>
      () =>
        sections.map((section) =>
          showSection({ ...section, brief: cut(section.brief, briefs), heading: cut(section.heading, headings) }),
        ),
  );
  for (const way of ways.slice(0, -1)) {
    const shown = way();
    if (itemsWithinBudget(shown).length === shown.length) return shown;
  }
  return ways.at(-1)?.() ?? [];
}

const cut = (text: string, characters: number) =>
  text.length <= characters ? text : characters === 0 ? '' : shownLine(text, characters);

/** What was imported is somebody else's words. */
function showSection({ number, heading: name, level, brief: wanted, text, version, isHeadingImported }: Section) {
  const ours = (words: string) => (isHeadingImported ? fencedLine(words, REMARK_CHARACTERS) : words);
  return {
    number,
    heading: ours(name),
    level,
    ...(wanted === '' ? {} : { brief: ours(wanted) }),
    characters: text.length,
    version,
  };
}

const line = ({ number, heading: name, brief: wanted, characters, version }: z.output<typeof shownSection>) =>
  `${number}. ${name}: ${characters === 0 ? 'empty' : `${characters} characters, version ${version}`}${wanted === undefined ? '' : ` (${wanted})`}`;
