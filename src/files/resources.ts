import { toBase64 } from '../lib/encoding.ts';
import type { ResourceFamily } from '../mcp/toolset.ts';
import type { FileService } from './service.ts';

const PAGE = 100;

/** The address of a file as an MCP resource. */
export const fileUri = (id: string) => `carrel://files/${id}`;

/** The files of all sessions as MCP resources, for clients that let a person pick one. */
export function fileResources(service: FileService): ResourceFamily {
  return {
    name: 'files',
    title: 'Files',
    description:
      'The files of the workspace, newest first; up to 256 KB each can be read here. Named by id, or by path in the session `default`.',
    // `+`: a path has slashes (RFC 6570 §3.2.3).
    uriTemplate: fileUri('{+file}'),
    async list(cursor, { workspace }) {
      const page = await service.list(workspace, {
        scope: { all: true },
        order: 'updated',
        descending: true,
        folder: '',
        limit: PAGE,
        cursor,
      });
      return {
        resources: page.files.map(({ id, path, type, size, updatedAt }) => ({
          uri: fileUri(id),
          name: path,
          mimeType: type,
          size,
          annotations: { audience: ['user', 'assistant'], lastModified: new Date(updatedAt).toISOString() },
        })),
        nextCursor: page.nextCursor,
      };
    },
    complete: async (typed, { workspace }) => service.paths(workspace, typed),
    async read(reference, { workspace }) {
      const whole = await service.readWhole(workspace, unescaped(reference));
      const mimeType = whole.file.type;
      if ('text' in whole) return { mimeType, text: whole.text };
      return { mimeType, blob: toBase64(whole.bytes) };
    },
  };
}

/** A path as a file has it. One that a client did not escape may have a `%` that escapes nothing. */
function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
