import { inputRequired } from '@modelcontextprotocol/server';
import type { InputRequests } from '@modelcontextprotocol/server';
import * as z from 'zod';

import type { CallContext } from '../../src/mcp/context.ts';
import { fixtureTool, NOTHING } from './fixture-tool.ts';

/**
 * Tools that ask before they answer. In the 2026 era the client calls them again with the answers; in
 * 2025 the question would have to be pushed to the client, which a stateless endpoint cannot, and so
 * their scenarios of that era are the exceptions in expected.ts.
 */

const named = z.object({ name: z.string() });
const agreed = z.object({ ok: z.boolean() });

const elicit: typeof inputRequired.elicit = (params) => inputRequired.elicit(params);
const listRoots = () => inputRequired.listRoots();
const askName = (message = 'What is your name?') => elicit({ message, requestedSchema: named });
const askModel = (text: string, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens });

/** What a model or a person answered, for the text of a result. */
const answered = (context: CallContext, question: string): string => JSON.stringify(context.answer(question));

/** A tool that asks one thing and says what was answered. */
const asksOnce = (name: string, description: string, question: string, request: () => InputRequests[string]) =>
  fixtureTool(name, {
    description,
    input: NOTHING,
    handle: (_input, context) =>
      context.answer(question).kind === 'missing'
        ? context.ask({ [question]: request() })
        : `Answered: ${answered(context, question)}`,
  });

/** Asks for a confirmation and keeps something over the rounds. */
const confirms = (name: string, description: string) =>
  fixtureTool(name, {
    description,
    input: NOTHING,
    handle(_input, context) {
      if (context.accepted('confirm', agreed) && context.state() === 'asked') return 'state-ok';
      return context.ask({ confirm: elicit({ message: 'Please confirm', requestedSchema: agreed }) }, 'asked');
    },
  });

export const askingTools = [
  fixtureTool('test_input_required_result_elicitation', {
    description: 'Greets a person, after it asked for the name.',
    input: NOTHING,
    handle(_input, context) {
      const answer = context.accepted('user_name', named);
      return answer ? `Hello, ${answer.name}!` : context.ask({ user_name: askName() });
    },
  }),
  asksOnce(
    'test_input_required_result_sampling',
    'Has the model of the client answer a question.',
    'capital_question',
    () => askModel('What is the capital of France?'),
  ),
  asksOnce('test_input_required_result_list_roots', 'Lists the roots of the client.', 'client_roots', listRoots),
  confirms('test_input_required_result_request_state', 'Asks for a confirmation and remembers that it did.'),
  confirms('test_input_required_result_tampered_state', 'Refuses a state that is not its own.'),
  fixtureTool('test_input_required_result_multiple_inputs', {
    description: 'Asks three things at once.',
    input: NOTHING,
    handle(_input, context) {
      const questions = ['user_name', 'greeting', 'client_roots'];
      if (context.state() === 'asked' && questions.every((key) => context.answer(key).kind !== 'missing'))
        return questions.map((key) => answered(context, key)).join('\n');
      return context.ask(
        { user_name: askName(), greeting: askModel('Generate a greeting', 50), client_roots: listRoots() },
        'asked',
      );
    },
  }),
  fixtureTool('test_input_required_result_multi_round', {
    description: 'Asks one thing after the other.',
    input: NOTHING,
    handle(_input, context) {
      const coloured = z.object({ color: z.string() });
      const before = z.object({ name: z.string() }).safeParse(context.state()).data;
      const color = context.accepted('step2', coloured)?.color;
      if (before && color !== undefined) return `${before.name} likes ${color}.`;
      const name = before?.name ?? context.accepted('step1', named)?.name;
      return name === undefined
        ? context.ask({ step1: askName('Step 1: What is your name?') }, { name: null })
        : context.ask(
            { step2: elicit({ message: 'Step 2: What is your favorite color?', requestedSchema: coloured }) },
            { name },
          );
    },
  }),
  fixtureTool('test_input_required_result_capabilities', {
    description: 'Asks only what the client can answer.',
    input: NOTHING,
    handle(_input, context) {
      const questions = {
        ...(context.canAsk('elicitation') && { user_name: askName() }),
        ...(context.canAsk('sampling') && { greeting: askModel('Generate a greeting') }),
      };
      const open = Object.keys(questions).filter((key) => context.answer(key).kind === 'missing');
      return open.length === 0 ? 'All is answered.' : context.ask(questions);
    },
  }),
  asksOnce('test_missing_capability', 'Needs a client that lends its model.', 'greeting', () => askModel('Hello')),
  asksOnce('test_streaming_elicitation', 'Asks for a name.', 'user_name', () => askName()),
  fixtureTool('test_sampling', {
    description: 'Has the model of the client answer a prompt.',
    input: z.strictObject({ prompt: z.string() }),
    handle: ({ prompt }, context) =>
      context.answer('prompt').kind === 'missing'
        ? context.ask({ prompt: askModel(prompt) })
        : `LLM response: ${answered(context, 'prompt')}`,
  }),
  fixtureTool('test_elicitation', {
    description: 'Asks for a user name and an address.',
    input: z.strictObject({ message: z.string() }),
    handle: ({ message }, context) =>
      context.answer('user').kind === 'missing'
        ? context.ask({
            user: elicit({ message, requestedSchema: z.object({ username: z.string(), email: z.string() }) }),
          })
        : `User response: ${answered(context, 'user')}`,
  }),
  asksOnce('test_elicitation_sep1034_defaults', 'Asks with a default for each kind of field.', 'form', () =>
    elicit({
      message: 'Please check',
      requestedSchema: {
        type: 'object',
        properties: {
          name: { type: 'string', default: 'John Doe' },
          age: { type: 'integer', default: 30 },
          score: { type: 'number', default: 95.5 },
          status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
          verified: { type: 'boolean', default: true },
        },
      },
    }),
  ),
  asksOnce('test_elicitation_sep1330_enums', 'Asks with each kind of choice.', 'form', () =>
    elicit({
      message: 'Please choose',
      requestedSchema: {
        type: 'object',
        properties: {
          untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
          titledSingle: { type: 'string', oneOf: titled('Option') },
          legacyEnum: { type: 'string', enum: ['opt1', 'opt2'], enumNames: ['Option One', 'Option Two'] },
          untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
          titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
        },
      },
    }),
  ),
];

function titled(kind: string) {
  return ['First', 'Second'].map((place, index) => ({ const: `value${index + 1}`, title: `${place} ${kind}` }));
}
