import * as z from 'zod';

import { defineTool, READ } from '../../mcp/toolset.ts';
import type { FileService } from '../service.ts';

/** Results of one search, and characters of one document: as much as an answer may have. */
const RESULTS = 20;
const MAX_CHARACTERS = 30_000;

/**
 * `search` and `fetch` as ChatGPT's connectors expect them, by name and shape, with the same JSON as text
 * (platform.openai.com/docs/mcp, "search tool" and "fetch tool").
 */
export function connectorTools(service: FileService) {
  const search = defineTool('search', {
    title: 'Search',
    description: 'Finds files by words of their path or text. `fetch` gives the text of one.',
    behaviour: READ,
    input: z.strictObject({ query: z.string().min(1).max(500) }),
    output: z.object({ results: z.array(z.object({ id: z.string(), title: z.string(), url: z.string() })) }),
    handle: async ({ query }, { workspace, origin }) => ({
      results: (await service.search(workspace, { query, session: undefined, folder: '', limit: RESULTS })).map(
        ({ file: { id, path } }) => ({ id, title: path, url: `${origin}/files/${id}` }),
      ),
    }),
    text: (output) => JSON.stringify(output),
  });

  const fetch = defineTool('fetch', {
    title: 'Fetch',
    description: 'The text of a file that `search` found; of a long one the beginning, and `file_read` goes on.',
    behaviour: READ,
    input: z.strictObject({ id: z.string().max(100) }),
    output: z.object({
      id: z.string(),
      title: z.string(),
      text: z.string(),
      url: z.string(),
      metadata: z.record(z.string(), z.string()).optional(),
    }),
    handle: async ({ id }, { workspace, origin }) => {
      const { file, window, truncated } = await service.readExtracted(
        workspace,
        { file: id },
        { limit: MAX_CHARACTERS },
      );
      return {
        id: file.id,
        title: file.path,
        text: window.text,
        url: `${origin}/files/${file.id}`,
        metadata: {
          session: file.session.slug,
          type: file.type,
          updated_at: new Date(file.updatedAt).toISOString(),
          ...(window.next || truncated ? { truncated: 'true' } : {}),
        },
      };
    },
    text: (output) => JSON.stringify(output),
  });

  return [search, fetch];
}
