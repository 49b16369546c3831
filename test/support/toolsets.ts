import { inputRequired } from '@modelcontextprotocol/server';
import * as z from 'zod';

import { CREATE, definePrompt, defineTool, defineToolset, DESTROY, READ } from '../../src/mcp/toolset.ts';
import type { ResourceFamily } from '../../src/mcp/toolset.ts';
import { TOOLSETS } from '../../src/toolsets.ts';

const confirmation = z.object({ sure: z.boolean() });

const areYouSure = (message: string) => ({
  sure: inputRequired.elicit({
    message,
    requestedSchema: { type: 'object' as const, properties: { sure: { type: 'boolean' as const } } },
  }),
});

/** Members of a family, some of them a page. A page that has none says that there is more. */
const family = (name: string, pages: readonly number[]): ResourceFamily => ({
  name,
  title: name,
  description: 'Something of which there are many.',
  uriTemplate: `carrel://${name}/{id}`,
  list: async (cursor = '0') => ({
    resources: Array.from({ length: pages[Number(cursor)] ?? 0 }, (_, index) => ({
      uri: `carrel://${name}/${cursor}-${index}`,
      name: `${cursor}-${index}`,
    })),
    nextCursor: Number(cursor) + 1 < pages.length ? String(Number(cursor) + 1) : undefined,
  }),
  read: async (id) => ({ mimeType: 'text/plain', text: id }),
});

/** What `probe_send` has sent. It reaches outside without a call of the workspace, as a tool of a fork may. */
export const sent: string[] = [];

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
        if (context.accepted('sure', confirmation)?.sure === true)
          return { shredded: thing, asked_for: context.state() };
        return context.ask(areYouSure(`Shred ${thing}?`), { thing });
      },
    }),
    defineTool('probe_lend', {
      description: 'Lends a thing if a person says so.',
      behaviour: CREATE,
      input: z.strictObject({ thing: z.string() }),
      output: z.object({ lent: z.string() }),
      handle: async ({ thing }, context) =>
        context.accepted('sure', confirmation)?.sure === true ? { lent: thing } : context.ask(areYouSure('Lend it?')),
    }),
    defineTool('probe_send', {
      description: 'Sends a word somewhere else.',
      behaviour: { ...CREATE, openWorld: true },
      input: z.strictObject({ word: z.string() }),
      output: z.object({ sent: z.string() }),
      handle: ({ word }) => {
        sent.push(word);
        return { sent: word };
      },
    }),
    defineTool('probe_shout', {
      description: 'Says a word a thousand times, as content beside the text.',
      behaviour: READ,
      input: z.strictObject({ word: z.string() }),
      output: z.object({ words: z.array(z.string()) }),
      handle: ({ word }) => ({ words: word === '' ? [] : [word] }),
      content: ({ words: [word = ''] }) => [{ type: 'text', text: word.repeat(1000) }],
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
    defineTool('probe_promise', {
      description: 'Promises a time and gives a word.',
      behaviour: READ,
      input: z.strictObject({}),
      output: z.object({ at: z.iso.datetime(), words: z.array(z.string().max(3)) }),
      handle: () => ({ at: 'yesterday', words: ['tea', 'milk'] }),
    }),
  ],
  resources: [
    family('rows', [100, 100]),
    family('gaps', [...Array.from({ length: 12 }, () => 0), 1]),
    {
      uri: 'carrel://cart/default',
      name: 'cart',
      title: 'The cart',
      description: 'What is in the cart of the session `default`.',
      mimeType: 'application/json',
      read: async ({ workspace }) => ({ text: JSON.stringify(await workspace.cart.view(undefined)) }),
    },
  ],
  prompts: [
    definePrompt('probe_buy', {
      title: 'Buy more',
      description: 'Asks for more of what is in the cart.',
      arguments: z.strictObject({ item: z.string() }),
      complete: {
        item: async (typed, { workspace }) => {
          const { items } = await workspace.cart.view(undefined);
          return items.map(({ item }) => item).filter((item) => item.startsWith(typed));
        },
      },
      messages: ({ item }) => `Buy more ${item}.`,
    }),
    definePrompt('probe_plan', {
      title: 'Plan a probe',
      description: 'Plans a probe of something.',
      arguments: z.strictObject({ subject: z.string().max(20), tone: z.string().optional() }),
      complete: { subject: (typed) => Array.from({ length: 150 }, (_, index) => `${typed}${index}`) },
      messages: ({ subject }) => `Plan a probe of ${subject}.`,
    }),
    definePrompt('probe_pledge', {
      title: 'Pledge a thing',
      description: 'Pledges a thing if a person says so.',
      arguments: z.strictObject({ thing: z.string() }),
      messages: async ({ thing }, context) =>
        context.accepted('sure', confirmation)?.sure === true
          ? `I pledge ${thing}.`
          : context.ask(areYouSure('Pledge it?')),
    }),
  ],
});

/** The toolsets of the Worker under test: all that there are, and one to probe the contract with. */
export const TEST_TOOLSETS = { ...TOOLSETS, probe: () => probe };
