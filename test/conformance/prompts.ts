import { inputRequired } from '@modelcontextprotocol/server';
import type { PromptMessage } from '@modelcontextprotocol/server';
import * as z from 'zod';

import { definePrompt } from '../../src/mcp/define-prompt.ts';
import { NOTHING } from './fixture-tool.ts';
import { PNG } from './samples.ts';

const user = (content: PromptMessage['content']): PromptMessage => ({ role: 'user', content });
const text = (words: string) => user({ type: 'text', text: words });

const context = z.object({ context: z.string() });

export const prompts = [
  definePrompt('test_simple_prompt', {
    title: 'Simple',
    description: 'One sentence.',
    arguments: NOTHING,
    messages: () => 'This is a simple prompt for testing.',
  }),
  definePrompt('test_prompt_with_arguments', {
    title: 'With arguments',
    description: 'Repeats its two arguments.',
    arguments: z.object({ arg1: z.string().describe('The first'), arg2: z.string().describe('The second') }),
    complete: { arg1: (typed) => ['test one', 'test two', 'paris'].filter((value) => value.startsWith(typed)) },
    messages: ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`,
  }),
  definePrompt('test_prompt_with_embedded_resource', {
    title: 'With a resource',
    description: 'Brings a resource along.',
    arguments: z.object({ resourceUri: z.string().describe('Its address') }),
    messages: ({ resourceUri }) => [
      user({
        type: 'resource',
        resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
      }),
      text('Please process the embedded resource above.'),
    ],
  }),
  definePrompt('test_prompt_with_image', {
    title: 'With an image',
    description: 'Brings an image along.',
    arguments: NOTHING,
    messages: () => [
      user({ type: 'image', data: PNG, mimeType: 'image/png' }),
      text('Please analyze the image above.'),
    ],
  }),
  definePrompt('test_input_required_result_prompt', {
    title: 'With a question',
    description: 'Asks what it is about.',
    arguments: NOTHING,
    async messages(_input, call) {
      const answer = call.accepted('user_context', context);
      if (answer) return `Prompt in the context of ${answer.context}`;
      const message = 'What context should the prompt use?';
      return call.ask({ user_context: inputRequired.elicit({ message, requestedSchema: context }) });
    },
  }),
];
