import { inputRequired } from '@modelcontextprotocol/server';
import * as z from 'zod';

import { CREATE, definePrompt, defineTool, defineToolset, DESTROY } from '../../src/mcp/toolset.ts';
import { TOOLSETS } from '../../src/toolsets.ts';

const confirmation = z.object({ sure: z.boolean() });

/** What the contract of a toolset offers and none that is shipped uses yet. */
const probe = defineToolset('probe', {
  consent: { title: 'probes', read: 'Probe by reading.', write: 'Probe by writing.' },
  onByDefault: false,
  tools: [
    defineTool('probe_shred', {
      description: 'Shreds a thing if a person says so, and says which person that was.',
      behaviour: DESTROY,
      input: z.strictObject({ thing: z.string() }),
      output: z.object({ shredded: z.string(), asked_for: z.unknown() }),
      handle: async ({ thing }, context) => {
        if (context.accepted('sure', confirmation)?.sure === true && context.state() !== undefined)
          return { shredded: thing, asked_for: context.state() };
        const requestedSchema = { type: 'object' as const, properties: { sure: { type: 'boolean' as const } } };
        return context.ask({ sure: inputRequired.elicit({ message: `Shred ${thing}?`, requestedSchema }) }, { thing });
      },
    }),
    defineTool('probe_count', {
      description: 'Counts to three and reports each step.',
      behaviour: CREATE,
      input: z.strictObject({}),
      output: z.object({ counted: z.int(), nothing: z.string() }),
      handle: async (_input, context) => {
        for (const step of [1, 2, 3]) await context.progress(step, 3, `step ${step}`);
        return { counted: 3, nothing: '' };
      },
    }),
  ],
  prompts: [
    definePrompt('probe_plan', {
      title: 'Plan a probe',
      description: 'Plans a probe of something.',
      arguments: z.strictObject({ subject: z.string().max(20), tone: z.string().optional() }),
      complete: { subject: (typed) => Array.from({ length: 150 }, (_, index) => `${typed}${index}`) },
      messages: ({ subject }) => `Plan a probe of ${subject}.`,
    }),
  ],
});

/** The toolsets of the Worker under test: all that there are, and one to probe the contract with. */
export const TEST_TOOLSETS = { ...TOOLSETS, probe: () => probe };
