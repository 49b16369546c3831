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
    description: 'The files of the workspace, newest first; up to 256 KB each can be read here.',
    uriTemplate: fileUri('{id}'),
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
          annotations: { lastModified: new Date(updatedAt).toISOString() },
        })),
        nextCursor: page.nextCursor,
      };
    },
    async read(id, { workspace }) {
      const whole = await service.readWhole(workspace, id);
      const mimeType = whole.file.type;
      return 'text' in whole ? { mimeType, text: whole.text } : { mimeType, blob: toBase64(whole.bytes) };
    },
  };
}

/** Base64 with padding (RFC 4648 §4), as MCP wants it. */
function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}
