import * as z from 'zod';

import { defineTool, READ } from '../../mcp/toolset.ts';
import { sessionRef } from '../../sessions/model.ts';
import { folderPath, MAX_PAGE, MAX_READ_BYTES } from '../model.ts';
import { fileUri } from '../resources.ts';
import type { FileService } from '../service.ts';
import { shownFile, showWithSession } from '../shown.ts';
import { file, isoTime, line, ofSession, showAll } from './shared.ts';

/** Tools that look and read. */
export function findingTools(service: FileService) {
  const list = defineTool('file_list', {
    title: 'List files',
    description: 'The files of a session, last changed first; or what is in one folder; or what is in the trash.',
    behaviour: READ,
    input: z.strictObject({
      session: ofSession,
      all_sessions: z.boolean().default(false).describe('The files of all sessions instead'),
      view: z
        .enum(['files', 'folder', 'trash'])
        .default('files')
        .describe('folder: one level, its folders and files by path'),
      folder: folderPath.default('').describe('Only what is in it, such as reports/2026'),
      tag: z.string().max(50).optional(),
      order: z.enum(['updated', 'created', 'path', 'size']).default('updated'),
      descending: z.boolean().optional().describe('By default true, for path false'),
      limit: z.int().min(1).max(MAX_PAGE).default(50),
      cursor: z.string().max(2000).optional().describe('`next_cursor` of the page before'),
    }),
    output: z.object({
      session: sessionRef.optional().describe('Left out for all sessions; then each file has its own'),
      folders: z.array(z.string()).optional(),
      files: z.array(shownFile.extend({ session: sessionRef.optional() })),
      next_cursor: z.string().optional(),
    }),
    handle: async ({ view, session, folder, limit, cursor, order, tag, ...input }, { workspace }) => {
      if (view === 'trash') {
        const page = await service.trash(workspace, { limit, cursor });
        return { files: showAll(page.files, false), next_cursor: page.nextCursor };
      }
      if (view === 'folder') {
        const page = await service.folder(workspace, { session, folder, limit, cursor });
        return {
          session: page.session,
          folders: [...page.folders],
          files: showAll(page.files, true),
          next_cursor: page.nextCursor,
        };
      }
      const page = await service.list(workspace, {
        scope: input.all_sessions ? { all: true } : { session },
        order,
        descending: input.descending ?? order !== 'path',
        folder,
        tag,
        limit,
        cursor,
      });
      return {
        session: page.session,
        files: showAll(page.files, page.session !== undefined),
        next_cursor: page.nextCursor,
      };
    },
    text: ({ session: shown, folders = [], files, next_cursor }) => {
      const where = shown?.slug ?? 'all sessions';
      return [
        files.length + folders.length === 0 ? `No files in ${where}.` : `Files in ${where}:`,
        ...folders,
        ...files.map((entry) => line(entry) + (entry.session ? ` in ${entry.session.slug}` : '')),
        ...(next_cursor === undefined ? [] : [`More: cursor ${next_cursor}`]),
      ].join('\n');
    },
  });

  const read = defineTool('file_read', {
    title: 'Read a text file',
    description: 'Reads text of a file, part by part: go on with `offset`. For other files use file_link.',
    behaviour: READ,
    input: z.strictObject({
      file,
      session: ofSession,
      version: z.int().min(1).optional().describe('An earlier one'),
      offset: z
        .int()
        .min(0)
        .default(0)
        .describe('In bytes: `next_offset` of the part before, or any place in the file'),
      max_bytes: z.int().min(100).max(MAX_READ_BYTES).default(MAX_READ_BYTES),
    }),
    output: z.object({
      session: sessionRef,
      file: shownFile,
      text: z.string(),
      offset: z.int(),
      next_offset: z.int().optional().describe('Left out at the end'),
      lossy: z.boolean().optional().describe('Some bytes are no UTF-8 and stand as U+FFFD'),
    }),
    handle: async ({ file: reference, session, version, ...input }, { workspace }) => {
      const { file: entry, window } = await service.readText(
        workspace,
        { file: reference, session },
        { offset: input.offset, limit: input.max_bytes, version },
      );
      return {
        ...showWithSession(entry),
        text: window.text,
        offset: window.start,
        ...(window.end < entry.size ? { next_offset: window.end } : {}),
        ...(window.lossy ? { lossy: true } : {}),
      };
    },
    text: ({ session: { slug }, file: { path, size, version }, text, offset, next_offset, lossy }) =>
      `${path} in ${slug}, version ${version}, bytes ${offset} to ${next_offset ?? size} of ${size}${next_offset === undefined ? ' (the end)' : `; go on with offset ${next_offset}`}${lossy === true ? '; not all of it is UTF-8' : ''}:\n${text}`,
    content: ({ file: { id, path, type, size }, next_offset }) =>
      next_offset === undefined ? [] : [{ type: 'resource_link', uri: fileUri(id), name: path, mimeType: type, size }],
  });

  const link = defineTool('file_link', {
    title: 'Link to a file',
    description: 'Gives an address from which anybody who has it can download the file, for 15 minutes.',
    behaviour: { ...READ, idempotent: false },
    input: z.strictObject({ file, session: ofSession }),
    output: z.object({
      session: sessionRef,
      file: shownFile,
      download: z.object({ url: z.string(), expires_at: z.string() }),
    }),
    handle: async ({ file: reference, session }, { workspace, principal, origin }) => {
      const { file: entry, path, expiresAt } = await service.link(workspace, principal, { file: reference, session });
      return { ...showWithSession(entry), download: { url: `${origin}${path}`, expires_at: isoTime(expiresAt) } };
    },
    text: ({ session: { slug }, file: shown, download: { url, expires_at } }) =>
      `${line(shown)} in ${slug}, until ${expires_at}:\n${url}`,
    content: ({ file: { path, type, size }, download: { url } }) => [
      { type: 'resource_link', uri: url, name: path, mimeType: type, size },
    ],
  });

  return [list, read, link];
}
