import * as z from 'zod';

import { exportArchive } from '../../backup/export-archive.ts';
import { counts } from '../../backup/model.ts';
import type { FileBucket } from '../../files/bucket.ts';
import { defineJob } from '../definition.ts';

const input = z.strictObject({
  research: z.boolean().default(true).describe('Whether researches are part of it'),
});

const output = z.object({
  file: z.string().describe('Id'),
  path: z.string().describe('In the default session'),
  size: z.int(),
  counts,
  left_out: z.int(),
  problems: z.array(z.object({ what: z.string(), why: z.string() })).describe('The first that were left out'),
});

/** All of a workspace as one file. */
export const exportWorkspace = ({ bucket }: { readonly bucket: FileBucket }) =>
  defineJob({
    name: 'export_workspace',
    title: 'Export the workspace',
    description:
      'Makes one zip of all sessions with their state, files (their present versions), researches, recipes and schedules, as a file in `exports/` of the default session: to keep, or for `import_workspace` elsewhere. It counts as a file of its size. Neither access nor jobs, the trash, earlier versions or other exports are in it.',
    input,
    output,
    scopes: ({ research }) => [
      'sessions:read',
      'files:read',
      'files:write',
      'jobs:read',
      ...(research ? ['research:read'] : []),
    ],
    async run(job) {
      const { leftOut, omitted, ...exported } = await exportArchive(job, bucket, job.input);
      return { ...exported, left_out: omitted, problems: [...leftOut] };
    },
  });
