import type {
  ContentBlock,
  InputRequiredResult,
  StandardSchemaWithJSON,
  Tool as ToolListing,
  ToolAnnotations,
} from '@modelcontextprotocol/server';
import { isInputRequiredResult } from '@modelcontextprotocol/server';
import * as z from 'zod';

import type { GatedCall } from '../approvals/gate.ts';
import type { Affected } from '../approvals/model.ts';
import { plainText } from '../lib/plain-text.ts';
import type { CallContext } from './context.ts';
import { refuseMisnamed } from './names.ts';
import { StartedTask } from './tasks.ts';
import type { ToolOutcome } from './tasks.ts';

/**
 * What a client may assume of a tool. All four are said, because the protocol's defaults are the worst
 * case. A tool that is not `readOnly` needs its toolset's write scope.
 */
export interface ToolBehaviour {
  readonly readOnly: boolean;
  /** May destroy or overwrite what was there. */
  readonly destructive: boolean;
  /** Calling it again with the same arguments changes nothing more. */
  readonly idempotent: boolean;
  /** Reaches things outside the workspace. */
  readonly openWorld: boolean;
}

/** The behaviours of most tools. */
export const READ: ToolBehaviour = { readOnly: true, destructive: false, idempotent: true, openWorld: false };
/** Adds something with every call. */
export const CREATE: ToolBehaviour = { readOnly: false, destructive: false, idempotent: false, openWorld: false };
/** Changes something and loses nothing that was there. */
export const UPDATE: ToolBehaviour = { readOnly: false, destructive: false, idempotent: true, openWorld: false };
/** Removes or overwrites. */
export const DESTROY: ToolBehaviour = { readOnly: false, destructive: true, idempotent: true, openWorld: false };

/** Under which an answer has content that is not of its output: an image, whose bytes belong into no JSON. */
export const CONTENT: unique symbol = Symbol('content');

type Answer<Output extends z.ZodObject> = z.input<Output> & { readonly [CONTENT]?: ContentBlock[] };

export interface ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> {
  /** Left out, the name in words. */
  readonly title?: string;
  /** When to use it and what comes back, for the model that chooses. */
  readonly description: string;
  readonly behaviour: ToolBehaviour;
  readonly input: Input;
  readonly output: Output;
  /**
   * Throws a CarrelError for what the caller should know; anything else becomes `internal`. Gives what
   * `context.ask` gives where a person must answer first.
   */
  handle(
    input: z.output<Input>,
    context: CallContext,
  ): Answer<Output> | Promise<Answer<Output> | InputRequiredResult | StartedTask>;
  /** Whether it may give a task, or gives nothing else and needs a client that understands them. */
  readonly tasks?: 'optional' | 'required';
  /** Whether it can take long: called by a client that understands tasks, it goes on as one. */
  readonly slow?: true;
  /**
   * Which files a call affects, for the rules by which a person is asked first: an approval is bound to their versions.
   * Without it only the arguments count. Nothing of it is asked for a tool that only reads.
   */
  affects?(input: z.output<Input>): Affected;
  /**
   * Whether the first thing that its handler does is a call of the workspace, which refuses what the person has not
   * approved. For a tool that reaches outside (`openWorld`) and does not say so, that is asked for before.
   */
  readonly asksWorkspaceFirst?: boolean;
  /** The result as a person would read it: all of its facts, in a few lines. Without it, its fields a line each. */
  text?(output: z.output<Output>): string;
  /** Content beside the text, such as a resource link; what is no part of the output is in the answer's {@link CONTENT}. */
  content?(output: z.output<Output>): ContentBlock[];
}

/** A tool without its types: what the registry and the server work with. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Which of the toolset's two scopes it needs. */
  readonly access: 'read' | 'write';
  readonly annotations: Required<Omit<ToolAnnotations, 'title'>>;
  readonly input: z.ZodObject;
  readonly inputSchema: StandardSchemaWithJSON;
  readonly outputSchema: StandardSchemaWithJSON;
  readonly tasks: 'optional' | 'required' | undefined;
  readonly slow: boolean;
  /** What a call affects; see {@link ToolDefinition}. */
  readonly affects: (input: Record<string, unknown>) => Affected;
  /** Whether the workspace must be asked before the handler is run, because that reaches outside by itself. */
  readonly needsCheck: boolean;
  /** As a list shows it; made once. */
  listing(): ToolListing;
  /** @throws TypeError that says how the handler broke its own output schema */
  run(input: Record<string, unknown>, context: CallContext): Promise<ToolOutcome | InputRequiredResult | StartedTask>;
}

/**
 * Defines a tool; the types of its schemas reach the handler. Call it at module scope or once per deployment.
 *
 * @param name `noun_verb`
 * @throws TypeError for a name of another form
 */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  name: string,
  definition: ToolDefinition<Input, Output>,
): Tool {
  refuseMisnamed('tool', name);
  const { description, behaviour, input, output, title = inWords(name) } = definition;
  const annotations = {
    readOnlyHint: behaviour.readOnly,
    destructiveHint: behaviour.destructive,
    idempotentHint: behaviour.idempotent,
    openWorldHint: behaviour.openWorld,
  };
  let listing: ToolListing | undefined;
  return {
    name,
    title,
    description,
    access: behaviour.readOnly ? 'read' : 'write',
    annotations,
    input,
    inputSchema: advertised(input),
    outputSchema: advertised(output),
    tasks: definition.tasks ?? (definition.slow && 'optional'),
    slow: definition.slow === true,
    affects: (parsed) => definition.affects?.(parsed as z.output<Input>) ?? {},
    needsCheck: behaviour.openWorld && definition.asksWorkspaceFirst !== true,
    listing: () =>
      (listing ??= {
        name,
        title,
        description,
        inputSchema: jsonSchema(input, 'input') as ToolListing['inputSchema'],
        outputSchema: jsonSchema(output, 'output'),
        annotations: { title, ...annotations },
      }),
    async run(parsed, context) {
      const answer = await definition.handle(parsed as z.output<Input>, context);
      if (isInputRequiredResult(answer) || answer instanceof StartedTask) return answer;
      const result = promised(name, output.safeParse(answer));
      const text = definition.text?.(result) ?? plainText(result);
      return {
        structured: result,
        text,
        content: [...(answer[CONTENT] ?? []), ...(definition.content?.(result) ?? [])],
      };
    },
  };
}

/** The answer as its schema has it. What is wrong with another one is for whoever wrote the tool, in the log. */
function promised<Output>(name: string, { data, error }: z.ZodSafeParseResult<Output>): Output {
  if (!error) return data;
  const faults = error.issues
    .slice(0, 10)
    .map(({ path, message }) => (path.length === 0 ? message : `\`${path.map(String).join('.')}\`: ${message}`));
  throw new TypeError(`\`${name}\` gave what its \`output\` does not allow: ${faults.join('; ')}`);
}

/** `cart_add_item` as `Cart: add item`. */
function inWords(name: string): string {
  const [noun = '', ...verb] = name.split('_');
  const begins = noun.charAt(0).toUpperCase() + noun.slice(1);
  return verb.length === 0 ? begins : `${begins}: ${verb.join(' ')}`;
}

/**
 * A schema as the SDK advertises it: its JSON Schema is made once (each conversion costs a request
 * more than the rest of it), and its `validate` lets everything pass, because the one wrapper around
 * all tools and prompts parses and checks, and words what is wrong.
 */
export function advertised(schema: z.ZodObject): StandardSchemaWithJSON {
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

/**
 * The shape, in few words, because every conversation pays for each of them. Left out is what says nothing
 * (`$schema`: 2020-12 is what MCP takes for granted; the bounds of safe integers), what only a broken call meets and
 * is told then (lengths, patterns), and of outputs what nobody acts on (that no other properties come; what inner objects must
 * have). A call is checked against the schema itself.
 */
function jsonSchema(schema: z.ZodObject, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema: part, path }) => {
      delete part.minLength;
      delete part.maxLength;
      delete part.maxItems;
      delete part.pattern;
      if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
      if (part.minimum === Number.MIN_SAFE_INTEGER) delete part.minimum;
      if (io === 'input') return;
      delete part.propertyNames;
      if (part.additionalProperties === false) delete part.additionalProperties;
      if (path.length > 0) delete part.required;
    },
  });
  return rest;
}

/** A call as a person would be asked about it. */
export const gatedCall = (
  { name, title, annotations, affects }: Tool,
  input: unknown,
  parsed: Record<string, unknown>,
): GatedCall => ({
  intent: { tool: name, destructive: annotations.destructiveHint === true, ...affects(parsed) },
  summary: title,
  arguments: input,
});
