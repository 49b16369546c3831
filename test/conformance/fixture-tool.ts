import type { ContentBlock, InputRequiredResult } from '@modelcontextprotocol/server';
import * as z from 'zod';

import type { CallContext } from '../../src/mcp/context.ts';
import { defineTool, READ } from '../../src/mcp/define-tool.ts';
import type { Tool } from '../../src/mcp/define-tool.ts';

const said = z.object({ text: z.string() });

interface Fixture<Input extends z.ZodObject> {
  readonly description: string;
  readonly input: Input;
  /** What it says, or what it asks first. */
  handle(input: z.output<Input>, context: CallContext): string | Promise<string | InputRequiredResult>;
  /** Content beside what it says. */
  readonly content?: readonly ContentBlock[];
}

/** A tool that says something: all that the suite's tools have to do. */
export function fixtureTool<Input extends z.ZodObject>(name: string, fixture: Fixture<Input>): Tool {
  const { description, input, content = [] } = fixture;
  return defineTool(name, {
    description,
    behaviour: READ,
    input,
    output: said,
    handle: async (given, context) => {
      const answer = await fixture.handle(given, context);
      return typeof answer === 'string' ? { text: answer } : answer;
    },
    text: ({ text }) => text,
    content: () => [...content],
  });
}

/** Most of them take nothing. */
export const NOTHING = z.strictObject({});
