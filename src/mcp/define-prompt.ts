import type { InputRequiredResult, PromptMessage, StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { isInputRequiredResult } from '@modelcontextprotocol/server';
import type * as z from 'zod';

import type { CallContext, RequestContext } from './context.ts';
import { advertised } from './define-tool.ts';
import { refuseMisnamed } from './names.ts';

/** Values that begin like what was typed, the likeliest first. A client is given at most 100. */
export type Completer = (typed: string, context: RequestContext) => readonly string[] | Promise<readonly string[]>;

export interface PromptDefinition<Arguments extends z.ZodObject> {
  readonly title: string;
  readonly description: string;
  /** Strings, because a client sends nothing else. */
  readonly arguments: Arguments;
  readonly complete?: { readonly [Name in keyof z.input<Arguments>]?: Completer };
  /** What the client puts into the conversation. A text is a message of the person's. */
  messages(
    input: z.output<Arguments>,
    context: CallContext,
  ): string | readonly PromptMessage[] | Promise<string | readonly PromptMessage[] | InputRequiredResult>;
}

/** A prompt without its types. It needs its toolset's read scope. */
export interface Prompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodObject;
  readonly argsSchema: StandardSchemaWithJSON;
  readonly complete: Readonly<Record<string, Completer | undefined>>;
  run(input: Record<string, unknown>, context: CallContext): Promise<readonly PromptMessage[] | InputRequiredResult>;
}

/**
 * Defines a prompt: a request that a person picks from a menu of the client.
 *
 * @param name `noun_verb`
 * @throws TypeError for a name of another form
 */
export function definePrompt<Arguments extends z.ZodObject>(
  name: string,
  definition: PromptDefinition<Arguments>,
): Prompt {
  refuseMisnamed('prompt', name);
  const { title, description } = definition;
  return {
    name,
    title,
    description,
    input: definition.arguments,
    argsSchema: advertised(definition.arguments),
    complete: definition.complete ?? {},
    async run(parsed, context) {
      const said = await definition.messages(parsed as z.output<Arguments>, context);
      if (isInputRequiredResult(said)) return said;
      return typeof said === 'string' ? [{ role: 'user', content: { type: 'text', text: said } }] : said;
    },
  };
}
