import * as z from 'zod';

import { FORMATS, tableName } from '../../datasets/model.ts';
import type { Dataset, ImportProgress } from '../../datasets/model.ts';
import { showDataset, shownDataset } from '../../datasets/shown.ts';
import type { DatasetService } from '../../datasets/service.ts';
import { fileReference } from '../../files/model.ts';
import { CarrelError } from '../../lib/errors.ts';
import { session } from '../../sessions/model.ts';
import { defineJob } from '../definition.ts';
import type { JobDefinition, Json, StepContext } from '../definition.ts';

/** What a step gives and is kept of it. */
type Kept = { readonly progress: ImportProgress; readonly table?: Dataset };

/** A file of the shelf becomes a table. */
export const datasetImport = (service: DatasetService): JobDefinition =>
  defineJob({
    name: 'dataset_import',
    title: 'Import a table',
    description:
      'Makes a table for SQL of a CSV, TSV, JSON, JSONL or Parquet file of the shelf. Types are found out; bad rows are kept in TABLE_bad_rows.',
    input: z.strictObject({
      file: fileReference.describe('Id, or path in the session'),
      session,
      table: tableName.optional().describe('Else made of the file name'),
      format: z.enum(FORMATS).optional(),
      header: z.enum(['auto', 'yes', 'no']).default('auto').describe('Whether the first row names the columns'),
      delimiter: z
        .string()
        .regex(/^[^"\r\n\p{L}\p{N}]$/u, 'is no delimiter: one character, such as ;')
        .refine((text) => text.charCodeAt(0) < 0x80, 'is no character of ASCII')
        .optional(),
      encoding: z.string().trim().min(1).max(40).optional().describe('Such as windows-1252; else found out'),
      replace: z.boolean().default(false).describe('The table of that name, once the new one is complete'),
    }),
    output: shownDataset,
    scopes: ['files:read'],
    async check(input, { workspace, principal: { workspaceId } }) {
      const plan = await service.plan(workspace, input);
      await (await service.open({ workspace, workspaceId })).checkImport(plan);
    },
    async run(job) {
      const open = ({ workspace, principal: { workspaceId } }: StepContext) => service.open({ workspace, workspaceId });
      const step = async (name: string, work: (context: StepContext) => Promise<Kept>) =>
        (await job.step(name, async (context) => (await work(context)) as unknown as Json)) as unknown as Kept;
      try {
        let kept = await step('begin', async (context) => {
          const plan = await service.plan(context.workspace, {
            ...job.input,
            session: job.input.session ?? job.session,
          });
          return (await open(context)).beginImport(job.id, plan);
        });
        for (let number = 0; kept.table === undefined; number++) {
          kept = await step(`part-${number}`, async (context) => (await open(context)).stepImport(job.id, number));
          const { phase, bytes, totalBytes, rows } = kept.progress;
          job.progress(bytes, totalBytes, phase === 'look' ? 'finding out the types' : `${rows} rows`);
        }
        return showDataset(kept.table);
      } catch (thrown) {
        // What it stored would be swept a week later.
        if (thrown instanceof CarrelError)
          await job.step('discard', async (context) => {
            await (await open(context)).discardImport(job.id);
            return null;
          });
        throw thrown;
      }
    },
  });
