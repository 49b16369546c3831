import * as z from 'zod';

import { itemsWithinBudget } from '../lib/budget.ts';
import { defineTool, DESTROY, READ } from '../mcp/toolset.ts';
import type { Tool } from '../mcp/define-tool.ts';
import { tableName } from './model.ts';
import type { DatasetService } from './service.ts';
import { datasetLines, showDataset, shownDataset } from './shown.ts';

/** Tools for the tables that SQL can read; they are made and asked by the jobs `dataset_import` and `dataset_query`. */
export function datasetTools(service: DatasetService): Tool[] {
  const list = defineTool('dataset_list', {
    title: 'List tables',
    description: 'Tables that dataset_import made, with columns and types, for the SQL of dataset_query.',
    behaviour: READ,
    input: z.strictObject({ after: z.string().max(60).optional().describe('`next_after` of the page before') }),
    output: z.object({ tables: z.array(shownDataset), next_after: z.string().optional() }),
    handle: async ({ after = '' }, { workspace, principal: { workspaceId } }) => {
      const all = await service.list({ workspace, workspaceId });
      const rest = all.filter(({ name }) => name > after).map(showDataset);
      const tables = itemsWithinBudget(rest);
      const last = tables.length < rest.length ? tables.at(-1)?.table : undefined;
      return { tables: [...tables], ...(last === undefined ? {} : { next_after: last }) };
    },
    text: ({ tables, next_after: next }) =>
      [
        ...(tables.length === 0 ? ['There are no tables. The job dataset_import makes one of a file.'] : []),
        ...tables.map(datasetLines),
        ...(next === undefined ? [] : [`More after ${next}.`]),
      ].join('\n'),
  });

  const remove = defineTool('dataset_delete', {
    title: 'Remove a table',
    description: 'Removes a table and its bad rows for good. The file that it was made of stays.',
    behaviour: DESTROY,
    input: z.strictObject({ table: tableName }),
    output: z.object({ table: z.string(), rows: z.int() }),
    handle: async ({ table }, { workspace, principal: { workspaceId } }) => {
      const { name, rows } = await service.remove({ workspace, workspaceId }, table);
      return { table: name, rows };
    },
    text: ({ table, rows }) => `Removed ${table} with ${rows} rows.`,
  });

  return [list, remove];
}
