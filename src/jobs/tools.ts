import { defineToolset } from '../mcp/toolset.ts';
import type { Toolset, ToolsetContents } from '../mcp/toolset.ts';

/** Jobs, for MCP. All of it is loaded with the first request. */
export function jobsToolset(load: () => Promise<ToolsetContents>): Toolset {
  return defineToolset('jobs', {
    instructions:
      'Jobs go on after the chat: job_start begins one, job_get waits for it, job_result gives what it came to. What needs a person waits for a person.',
    consent: {
      title: 'jobs',
      read: 'See your jobs, recipes, schedules and tables, and what came of them.',
      write:
        'Start, pause and cancel jobs, which work with the permissions that you allow here, also later and on a schedule.',
    },
    // Every conversation pays for what is listed: these are listed where the address names `jobs`.
    core: [],
    load,
  });
}
