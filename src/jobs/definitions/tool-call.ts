import * as z from 'zod';

import type { RecipeTools } from '../../recipes/tool-port.ts';
import { CarrelError } from '../../lib/errors.ts';
import { defineJob } from '../definition.ts';
import type { JobDefinition, Json } from '../definition.ts';

const json = z.json() as z.ZodType<Json>;

/** A single call of a tool that can take long, for a client that understands tasks. */
export const toolCall = (tools: RecipeTools): JobDefinition =>
  defineJob({
    name: 'tool_call',
    title: 'Call a tool',
    description: 'a call of one tool.',
    isInternal: true,
    input: z.strictObject({ tool: z.string(), arguments: z.record(z.string(), json) }),
    output: z.object({ structured: json, text: z.string() }),
    scopes({ tool }) {
      const info = tools.info(tool);
      if (!info) throw new CarrelError('not_found', 'There is no such tool.');
      return [info.scope];
    },
    alsoScopes: ['files:read', 'files:write'],
    run: async (job) =>
      job.step(
        job.input.tool,
        async (step) => ({ ...(await tools.outcome(step, job.input.tool, job.input.arguments)) }),
        {
          input: job.input.arguments,
        },
      ),
  });
