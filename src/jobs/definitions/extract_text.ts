import * as z from 'zod';

import type { Extraction, ExtractionLimits } from '../../files/extract/model.ts';
import { EXTRACTION_LIMITS } from '../../files/extract/model.ts';
import { collect } from '../../files/intake.ts';
import { isTextType } from '../../files/media-types.ts';
import { fileReference, folderPath } from '../../files/model.ts';
import type { StoredFile } from '../../files/model.ts';
import { baseName } from '../../files/paths.ts';
import type { FileService } from '../../files/service.ts';
import type { UploadService } from '../../files/upload-service.ts';
import { asCarrelError, CarrelError } from '../../lib/errors.ts';
import { defineJob } from '../definition.ts';
import type { Json, StepContext } from '../definition.ts';
import { ownerOf, session } from './shared.ts';

const MAX_FILES = 100;

/** What a reading may cost here; everything else is as when a file comes. */
const LIMITS: Partial<ExtractionLimits> = {
  characters: 6_000_000,
  pages: 10_000,
  sections: 10_000,
  milliseconds: 45_000,
};

const input = z.strictObject({
  session,
  files: z.array(fileReference).min(1).max(MAX_FILES).describe('Ids or paths'),
  into: folderPath.optional().describe('Folder for the texts, as Markdown; without it none is written'),
});

const row = z.object({
  file: z.string().describe('Id'),
  path: z.string(),
  outcome: z.enum(['read', 'refused']),
  unit: z.string().optional(),
  parts: z.int().optional(),
  characters: z.int().optional(),
  truncated: z.boolean().optional().describe('There is more than was read'),
  searchable: z.boolean().optional().describe('`file_read` and `file_search` have it'),
  text: z.object({ id: z.string(), path: z.string() }).optional().describe('The file with the text'),
  reason: z.string().optional(),
  problem: z.string().optional(),
});

const output = z.object({ read: z.int(), refused: z.int(), files: z.array(row) });

export interface ExtractTextServices {
  readonly files: FileService;
  readonly uploads: UploadService;
}

/** Reads the text of files for which there is no time when they come. */
export const extractText = ({ files, uploads }: ExtractTextServices) =>
  defineJob({
    name: 'extract_text',
    title: 'Read long files',
    description:
      'Reads the text of PDFs, Word documents, HTML and other texts that `file_read` gave up on as too slow, or gave only in part: 45 seconds and 10,000 pages each. Then `file_read` and `file_search` have it; with `into`, it is written as a Markdown file too.',
    input,
    output,
    scopes: ({ into }) => ['files:read', ...(into === undefined ? [] : ['files:write'])],
    async check({ files: named, session: within }, { workspace }) {
      for (const file of named) refuseUnreadable(await files.find(workspace, { file, session: within }));
    },
    async run(job) {
      const { files: named, session: within, into } = job.input;
      const rows: z.output<typeof row>[] = [];
      for (const [index, file] of named.entries()) {
        rows.push(
          (await job.step(
            `read-${index + 1}`,
            async (context) => readOne({ files, uploads }, context, { file, session: within, into }),
            // Each attempt may take the person's object down.
            { retries: 1, input: { file } },
          )) as z.output<typeof row>,
        );
        job.progress(index + 1, named.length);
      }
      const refused = rows.filter(({ outcome }) => outcome === 'refused');
      const [first] = refused;
      if (first && refused.length === rows.length)
        throw new CarrelError('unsupported', first.problem ?? 'There is no text.', {
          details: { reason: first.reason ?? '' },
        });
      return { read: rows.length - refused.length, refused: refused.length, files: rows };
    },
  });

async function readOne(
  { files, uploads }: ExtractTextServices,
  context: StepContext,
  { file: reference, session: within, into }: { file: string; session: string | undefined; into: string | undefined },
): Promise<Json> {
  const { texts } = context.workspace;
  let file: StoredFile;
  try {
    file = await files.find(context.workspace, { file: reference, session: within });
    refuseUnreadable(file);
  } catch (thrown) {
    const { code, message, details } = asCarrelError(thrown);
    if (code !== 'not_found' && code !== 'unsupported' && code !== 'too_large') throw thrown;
    return {
      file: reference,
      path: '',
      outcome: 'refused',
      reason: String(details['reason'] ?? code),
      problem: message,
    };
  }
  const { id, path, sha256 } = file;
  const known = await texts.text(sha256);
  const extraction = known?.kind === 'text' && !known.truncated ? known : await extracted(files, context, file);
  if (extraction.kind === 'none') {
    const { reason } = extraction;
    return { file: id, path, outcome: 'refused', reason, problem: PROBLEMS[reason] ?? 'It has no text.' };
  }
  const { unit, parts, truncated } = extraction;
  const characters = parts.reduce((sum, { text }) => sum + text.length, 0);
  // The index has no more than it would have had when the file came.
  const fits = characters <= EXTRACTION_LIMITS.characters && parts.length <= EXTRACTION_LIMITS.sections;
  if (fits && extraction !== known) await texts.keep(sha256, extraction);
  const written =
    into === undefined
      ? undefined
      : await uploads.write(context.workspace, ownerOf(context), {
          session: file.session.id,
          path: `${into}${baseName(path)}.md`,
          type: 'text/markdown',
          content: asMarkdown(extraction),
        });
  return {
    file: id,
    path,
    outcome: 'read',
    unit,
    parts: parts.length,
    characters,
    truncated,
    searchable: fits || known?.kind === 'text',
    ...(written ? { text: { id: written.id, path: written.path } } : {}),
  };
}

async function extracted(files: FileService, { workspace }: StepContext, file: StoredFile): Promise<Extraction> {
  if (file.size === 0) return { kind: 'none', reason: 'no_text' };
  return workspace.texts.extract(await collect(await files.bytes(file)), file.type, LIMITS);
}

/** A page begins with its number, because the text does not say it; a section says its heading itself. */
function asMarkdown({
  unit,
  parts,
}: {
  readonly unit: string;
  readonly parts: readonly { readonly label: string; readonly text: string }[];
}): string {
  if (unit === 'page') return parts.map(({ label, text }) => `## Page ${label}\n\n${text}\n`).join('\n');
  return `${parts.map(({ text }) => text).join('\n\n')}\n`;
}

const READ_TYPES: ReadonlySet<string> = new Set([
  'application/pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/xhtml+xml',
]);

/** @throws CarrelError `unsupported`, `too_large` */
function refuseUnreadable({ type, size }: StoredFile): void {
  if (!READ_TYPES.has(type) && !isTextType(type))
    throw new CarrelError('unsupported', PROBLEMS['unsupported'] ?? '', { details: { reason: 'unsupported' } });
  if (size > EXTRACTION_LIMITS.inputBytes)
    throw new CarrelError('too_large', 'Files of more than 25 MB are not read. Split it, or read a part elsewhere.', {
      details: { size, limit: EXTRACTION_LIMITS.inputBytes, reason: 'too_large' },
    });
}

/** Why there is no text, by the word of the extraction. */
const PROBLEMS: Readonly<Record<string, string>> = {
  no_text: 'The file has no text: it may be made of images.',
  encrypted: 'The file opens with a password only.',
  unsupported: 'Nobody here reads files of this type. PDF, Word (.docx), HTML and texts are read.',
  malformed: 'The file is not what its type says, or is broken.',
  too_large: 'The file is too large to be read.',
  too_slow: 'The file takes longer than 45 seconds to be read.',
};
