import type { JobService } from '../../src/jobs/service.ts';
import { defineToolset } from '../../src/mcp/toolset.ts';
import { askingTools } from './asking-tools.ts';
import { prompts } from './prompts.ts';
import { resources } from './resources.ts';
import { taskTools } from './tasks.ts';
import { tools } from './tools.ts';

/** What the conformance suite calls: the names and answers are the suite's. It is in no production bundle. */
export const conformanceToolset = (jobs: () => Promise<JobService>) =>
  defineToolset('conformance', {
    consent: {
      title: 'the conformance fixture',
      read: 'Call the tools of the conformance suite.',
      write: 'Nothing: its tools change nothing.',
    },
    tools: [...tools, ...askingTools, ...taskTools(jobs)],
    resources,
    prompts,
    capabilities: ['logging', 'subscriptions'],
  });
