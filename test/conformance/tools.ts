import { setTimeout as sleep } from 'node:timers/promises';

import type { ContentBlock } from '@modelcontextprotocol/server';
import * as z from 'zod';

import { CarrelError } from '../../src/lib/errors.ts';
import { fixtureTool, NOTHING } from './fixture-tool.ts';
import { PNG, WAV } from './samples.ts';

const image: ContentBlock = { type: 'image', data: PNG, mimeType: 'image/png' };

const embedded = (uri: string, mimeType: string, text: string): ContentBlock => ({
  type: 'resource',
  resource: { uri, mimeType, text },
});

/** Kinds of content, errors, progress and logging. What each must answer is in the suite's scenarios. */
export const tools = [
  fixtureTool('test_simple_text', {
    description: 'Says one sentence.',
    input: NOTHING,
    handle: () => 'This is a simple text response for testing.',
  }),
  fixtureTool('test_image_content', {
    description: 'Shows a pixel.',
    input: NOTHING,
    handle: () => 'An image.',
    content: [image],
  }),
  fixtureTool('test_audio_content', {
    description: 'Plays a moment of silence.',
    input: NOTHING,
    handle: () => 'A sound.',
    content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }],
  }),
  fixtureTool('test_embedded_resource', {
    description: 'Brings a resource along.',
    input: NOTHING,
    handle: () => 'A resource.',
    content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }),
  fixtureTool('test_multiple_content_types', {
    description: 'Brings a text, an image and a resource.',
    input: NOTHING,
    handle: () => 'Multiple content types test:',
    content: [image, embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}')],
  }),
  fixtureTool('test_error_handling', {
    description: 'Always fails.',
    input: NOTHING,
    handle: () => {
      throw new CarrelError('invalid_input', 'This tool intentionally returns an error for testing');
    },
  }),
  fixtureTool('test_tool_with_progress', {
    description: 'Takes a tenth of a second and tells how far it is.',
    input: NOTHING,
    async handle(_input, context) {
      for (const done of [0, 50, 100]) {
        if (done > 0) await sleep(50);
        await context.progress(done, 100);
      }
      return 'Done.';
    },
  }),
  // The suite calls it in 2025 where all is sent, and its twin in 2026 where a client must ask for it.
  ...['test_tool_with_logging', 'test_logging_tool'].map((name) =>
    fixtureTool(name, {
      description: 'Takes a tenth of a second and writes to the log of the client.',
      input: NOTHING,
      async handle(_input, context) {
        await context.log('info', 'Tool execution started');
        await sleep(50);
        await context.log('info', 'Tool processing data');
        await sleep(50);
        await context.log('info', 'Tool execution completed');
        return 'Logged.';
      },
    }),
  ),
  fixtureTool('test_header_argument', {
    description: 'Says in which region it was called. A client of 2026 repeats the argument in a header.',
    input: z.strictObject({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
    handle: ({ region }) => `Called in ${region}.`,
  }),
];
