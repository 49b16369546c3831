import type { ContentBlock, StandardSchemaWithJSON, ToolAnnotations } from '@modelcontextprotocol/server';
import * as z from 'zod';

import type { ToolContext } from './context.ts';

/** What a client may assume of a tool. All four are said, because the protocol's defaults are the worst case. */
export interface ToolBehaviour {
  readonly readOnly: boolean;
  /** May destroy or overwrite what was there. */
  readonly destructive: boolean;
  /** Calling it again with the same arguments changes nothing more. */
  readonly idempotent: boolean;
  /** Reaches things outside the workspace. */
  readonly openWorld: boolean;
}

export interface ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> {
  /** `noun_verb`. */
  readonly name: string;
  readonly title: string;
  /** When to use it and what comes back, for the model that chooses. */
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** Which of the toolset's two scopes it needs. */
  readonly access: 'read' | 'write';
  readonly behaviour: ToolBehaviour;
  /** Throws a CarrelError for what the caller should know; anything else becomes `internal`. */
  handle(input: z.output<Input>, context: ToolContext): Promise<z.input<Output>>;
  /** The result as a person would read it: all of its facts, in a few lines. */
  text(output: z.output<Output>): string;
  /** Content beside the text, such as a resource link. */
  content?(output: z.output<Output>): ContentBlock[];
}

/** What a tool answered, checked against its output schema. */
export interface ToolOutcome {
  readonly structured: Record<string, unknown>;
  readonly text: string;
  readonly content: ContentBlock[];
}

/** A tool without its types: what the registry and the server work with. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly access: 'read' | 'write';
  readonly annotations: Required<Omit<ToolAnnotations, 'title'>>;
  readonly input: z.ZodObject;
  readonly inputSchema: StandardSchemaWithJSON;
  readonly outputSchema: StandardSchemaWithJSON;
  /** @throws z.ZodError when the handler broke its own output schema */
  run(input: Record<string, unknown>, context: ToolContext): Promise<ToolOutcome>;
}

/** Defines a tool; the types of its schemas reach the handler. Call it at module scope or once per deployment. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ToolDefinition<Input, Output>,
): Tool {
  const { name, title, description, access, behaviour, input, output } = definition;
  return {
    name,
    title,
    description,
    access,
    annotations: {
      readOnlyHint: behaviour.readOnly,
      destructiveHint: behaviour.destructive,
      idempotentHint: behaviour.idempotent,
      openWorldHint: behaviour.openWorld,
    },
    input,
    inputSchema: advertised(input),
    outputSchema: advertised(output),
    async run(parsed, context) {
      const result = output.parse(await definition.handle(parsed as z.output<Input>, context));
      return { structured: result, text: definition.text(result), content: definition.content?.(result) ?? [] };
    },
  };
}

/**
 * A schema as the SDK advertises it: its JSON Schema is made once (each conversion costs a request
 * more than the rest of it), and its `validate` lets everything pass, because the one wrapper around
 * all tools parses and checks, and words what is wrong.
 */
function advertised(schema: z.ZodObject): StandardSchemaWithJSON {
  let input: Record<string, unknown> | undefined;
  let output: Record<string, unknown> | undefined;
  return {
    '~standard': {
      version: 1,
      vendor: 'carrel',
      validate: (value: unknown) => ({ value }),
      jsonSchema: {
        input: () => (input ??= jsonSchema(schema, 'input')),
        output: () => (output ??= jsonSchema(schema, 'output')),
      },
    },
  };
}

/** Without `$schema`: 2020-12 is what MCP takes for granted, and to say so twice a tool costs its reader tokens. */
function jsonSchema(schema: z.ZodObject, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
