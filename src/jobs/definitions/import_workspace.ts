import * as z from 'zod';

import { importArchive } from '../../backup/import-archive.ts';
import { counts } from '../../backup/model.ts';
import { ArchiveReader } from '../../backup/read-archive.ts';
import type { Row, TakingServices } from '../../backup/take-in.ts';
import { fileReference } from '../../files/model.ts';
import type { FileService } from '../../files/service.ts';
import { CarrelError } from '../../lib/errors.ts';
import { shownLine } from '../../lib/untrusted.ts';
import { sessionSlug } from '../../sessions/model.ts';
import { defineJob } from '../definition.ts';
import type { JobRun, WorkContext } from '../definition.ts';
import { csvOf, outside, ownerOf, session, untrusted } from './shared.ts';

/** Rows in the result; where there are more, all are in a table. */
const SHOWN_ROWS = 50;
/** Room in a prefix for the slug behind it. */
const MAX_PREFIX = 30;

const input = z.strictObject({
  session,
  file: fileReference.describe('Id or path of the zip'),
  prefix: sessionSlug
    .max(MAX_PREFIX)
    .optional()
    .describe('Of the slugs of its sessions. Without it, what was in the default session goes into this one'),
  research: z
    .boolean()
    .default(true)
    .describe('Whether researches may come; an archive with some is refused otherwise'),
  recipes: z.boolean().default(false).describe('Whether its recipes come too: only of an archive that is your own'),
});

type Input = z.output<typeof input>;

const output = z.object({
  counts: counts.describe('What came in'),
  not_as_it_was: z.int().describe('What did not come in, or under another name'),
  unknown: z.int().describe('Records that only a newer release reads'),
  rows: z.array(
    z.object({ number: z.int(), kind: z.string(), outcome: z.enum(['renamed', 'refused']), reason: z.string() }),
  ),
  table: z.object({ id: z.string(), path: z.string() }).optional().describe('All of these rows, as CSV'),
  untrusted: untrusted.describe('What the rows are about, by number'),
});

export interface ImportWorkspaceServices extends TakingServices {
  readonly files: FileService;
}

/** Takes back what `export_workspace` made. */
export const importWorkspace = (services: ImportWorkspaceServices) =>
  defineJob({
    name: 'import_workspace',
    title: 'Import a workspace',
    description:
      'Takes in a zip that `export_workspace` made: sessions, state, files, researches, recipes. All of it is proved first; nothing that is here is overwritten: sessions and files whose name is taken get a number, keys of the state that are here stay. Gives counts, and a table of what did not come in as it was. What its researches say is somebody else’s word here.',
    input,
    output,
    scopes: ({ research, recipes }) => [
      'sessions:write',
      'files:read',
      'files:write',
      ...(research ? ['research:write'] : []),
      // Whoever takes a recipe in must be allowed what it does.
      ...(recipes ? ['jobs:write', 'jobs:read', 'sessions:read', ...(research ? ['research:read'] : [])] : []),
    ],
    async check(given, context) {
      await opened(services, context, given);
    },
    async run(job) {
      const { archive, lists, said } = await job.step('open', async (context) => opened(services, context, job.input));
      const {
        counts: came,
        rows,
        unknown,
      } = await importArchive(job, services, archive, lists, {
        said,
        prefix: job.input.prefix,
        recipes: job.input.recipes,
      });
      const table = await tableOf(job, services, rows);
      const shown = rows.slice(0, SHOWN_ROWS);
      return {
        counts: came,
        not_as_it_was: rows.length,
        unknown,
        rows: shown.map(({ kind, outcome, reason }, index) => ({ number: index + 1, kind, outcome, reason })),
        ...(table ? { table } : {}),
        untrusted: outside(
          shown.map(({ session: slug, name, as }, index) =>
            shownLine(`${index + 1}: ${slug}: ${name}${as === '' ? '' : ` → ${as}`}`, 500),
          ),
        ),
      };
    },
  });

/** @throws CarrelError `not_found`, `unsupported`, `too_large`, `forbidden` */
async function opened(
  { files, bucket }: ImportWorkspaceServices,
  { workspace }: WorkContext,
  { file: reference, session: within, research }: Input,
) {
  const file = await files.find(workspace, { file: reference, session: within });
  const archive = { objectKey: file.objectKey, size: file.size };
  const { lists, counts: said } = await new ArchiveReader(bucket, archive).manifest();
  if (said.researches > 0 && !research)
    throw new CarrelError('forbidden', 'There are researches in this archive. Import it with `research`.');
  const { quota } = await workspace.uploads.usage();
  if (said.bytes + file.size > quota.bytes || said.files > quota.files)
    throw new CarrelError('too_large', 'This archive holds more than there may be in this workspace.', {
      details: { size: said.bytes, files: said.files, quota: quota.bytes },
    });
  return { archive, lists, said };
}

async function tableOf(job: JobRun<Input>, { uploads }: ImportWorkspaceServices, rows: readonly Row[]) {
  if (rows.length <= SHOWN_ROWS) return undefined;
  const content = csvOf([
    ['kind', 'session', 'name', 'outcome', 'as', 'reason'],
    ...rows.map(({ kind, session: slug, name, outcome, as, reason }) => [kind, slug, name, outcome, as, reason]),
  ]);
  return job.step('table', async (context) => {
    const { id, path } = await uploads.write(context.workspace, ownerOf(context), {
      session: undefined,
      path: 'imports/workspace.csv',
      ifExists: 'keep_both',
      type: 'text/csv',
      content,
    });
    return { id, path };
  });
}
