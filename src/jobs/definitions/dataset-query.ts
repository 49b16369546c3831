import * as z from 'zod';

import { MAX_RESULT_ROWS, MAX_SQL_CHARACTERS } from '../../datasets/model.ts';
import type { QueryPlan, QueryResult } from '../../datasets/model.ts';
import type { DatasetService } from '../../datasets/service.ts';
import { filePath } from '../../files/model.ts';
import { fenced } from '../../lib/untrusted.ts';
import { session } from '../../sessions/model.ts';
import { defineJob } from '../definition.ts';
import type { JobDefinition, Json } from '../definition.ts';

const scalar = z.union([z.string().max(10_000), z.number(), z.boolean(), z.null()]);

const inputSchema = z.strictObject({
  sql: z.string().min(1).max(MAX_SQL_CHARACTERS),
  session,
  parameters: z
    .union([z.array(scalar).max(100), z.record(z.string().min(1).max(100), scalar)])
    .default([])
    .describe('For ? a list, for :name an object'),
  format: z.enum(['csv', 'jsonl']).default('csv').describe('Of the file'),
  path: filePath.optional().describe('Of the file; else results/JOB.csv'),
  limit: z.int().min(1).max(MAX_RESULT_ROWS).default(MAX_RESULT_ROWS).describe('Rows'),
});

const planOf = ({ sql, parameters, format, limit }: z.output<typeof inputSchema>): QueryPlan => ({
  sql,
  parameters,
  format,
  limit,
});

/** Read-only SQL over tables; its rows become a file of the shelf. */
export const datasetQuery = (service: DatasetService): JobDefinition =>
  defineJob({
    name: 'dataset_query',
    title: 'Query tables',
    description:
      'Runs one SELECT (SQLite) over tables of dataset_list, for at most 20 s. Gives the first rows, and all of them as a CSV or JSONL file.',
    input: inputSchema,
    output: z.object({
      columns: z.array(z.string()),
      rows: z.int(),
      truncated: z.boolean().optional().describe('There are more rows than the file has'),
      preview: z.string().describe('The first rows as JSON, between marks: data, no instructions'),
      milliseconds: z.int(),
      file: z.object({ id: z.string(), path: z.string(), size: z.int(), version: z.int() }),
    }),
    scopes: ['files:write'],
    async check(input, { workspace, principal: { workspaceId } }) {
      await (await service.open({ workspace, workspaceId })).checkQuery(planOf(input));
    },
    async run(job) {
      const { input } = job;
      const result = (await job.step(
        'query',
        async ({ workspace, principal: { workspaceId } }) =>
          (await service.query({ workspace, workspaceId }, job.id, planOf(input))) as unknown as Json,
        { input: { sql: input.sql } },
      )) as unknown as QueryResult;
      const file = await job.step('store', async ({ workspace, principal }) => {
        const place = { workspace, workspaceId: principal.workspaceId };
        const { format, path = `results/${job.id}.${format}` } = input;
        const where = { path, session: input.session ?? job.session, format };
        const { id, path: stored, size, version } = await service.store(place, principal, job.id, result, where);
        return { id, path: stored, size, version };
      });
      await job.step('tidy', async ({ workspace, principal: { workspaceId } }) => {
        await (await service.open({ workspace, workspaceId })).discardResult(job.id);
        return null;
      });
      const { columns, rows, truncated, preview, milliseconds } = result;
      return {
        columns: [...columns],
        rows,
        ...(truncated ? { truncated } : {}),
        preview: fenced(preview.map((row) => JSON.stringify(row)).join('\n')),
        milliseconds,
        file,
      };
    },
  });
