import * as z from 'zod';

import { CREATE, defineTool, defineToolset, DESTROY, READ } from '../mcp/toolset.ts';
import type { Toolset } from '../mcp/toolset.ts';
import { session, sessionRef } from '../sessions/model.ts';
import { fileId, fileName, fileSize, MAX_PAGE, MAX_READ_BYTES, mediaType, sha256, writtenText } from './model.ts';
import { fileResources, fileUri } from './resources.ts';
import type { FileService } from './service.ts';
import { showFile, shownFile, showWithSession } from './shown.ts';
import type { ShownFile } from './shown.ts';
import { uploadCommand } from './upload-command.ts';

const file = fileId.describe('Id of the file');
const address = z.object({ url: z.string(), expires_at: z.string() });

const isoTime = (milliseconds: number) => new Date(milliseconds).toISOString();

function line({ id, name, type, size, created_at }: ShownFile): string {
  return `${name} (id ${id}, ${type}, ${size} bytes, ${created_at})`;
}

/** Files, for MCP. */
export function filesToolset(service: FileService): Toolset {
  const upload = defineTool('file_upload', {
    title: 'Upload a file',
    description:
      'Gives an address to which the bytes of one file are PUT, from a shell or by the person, within 15 minutes and without other credentials. The file exists when the bytes have arrived.',
    behaviour: CREATE,
    input: z.strictObject({
      name: fileName,
      size: fileSize.describe('Exact size in bytes'),
      sha256: sha256.optional().describe('If known, other bytes are refused'),
      type: mediaType.optional().describe('Media type, used if the bytes do not tell'),
      session,
    }),
    output: z.object({
      session: sessionRef,
      file: z.object({ id: z.string(), name: z.string(), size: z.int() }),
      upload: address.extend({ method: z.literal('PUT'), curl: z.string() }),
    }),
    handle: async ({ name, size, ...rest }, { workspace, principal, origin }) => {
      const expected = await service.expect(workspace, principal, {
        name,
        size,
        sha256: rest.sha256,
        type: rest.type,
        session: rest.session,
      });
      const url = `${origin}${expected.path}`;
      return {
        session: expected.file.session,
        file: { id: expected.file.id, name, size },
        upload: {
          url,
          expires_at: isoTime(expected.expiresAt),
          method: 'PUT' as const,
          curl: uploadCommand(name, url),
        },
      };
    },
    text: ({ session: { slug }, file: { id, name, size }, upload: { curl, expires_at } }) =>
      `Waiting for ${name} (id ${id}, ${size} bytes) in ${slug}, until ${expires_at}:\n${curl}`,
  });

  const write = defineTool('file_write', {
    title: 'Write a text file',
    description:
      'Makes a new file of text, up to 64 KB. It never changes a file that is there, also not one of the same name.',
    behaviour: CREATE,
    input: z.strictObject({ name: fileName, text: writtenText, session }),
    output: z.object({ session: sessionRef, file: shownFile }),
    handle: async (input, { workspace, principal }) =>
      showWithSession(
        await service.write(workspace, principal, { name: input.name, text: input.text, session: input.session }),
      ),
    text: (output) => `Wrote in ${output.session.slug}: ${line(output.file)}`,
  });

  const list = defineTool('file_list', {
    title: 'List files',
    description: 'The files of a session, newest first.',
    behaviour: READ,
    input: z.strictObject({
      session,
      all_sessions: z.boolean().default(false).describe('The files of all sessions instead'),
      limit: z.int().min(1).max(MAX_PAGE).default(50),
      cursor: z.string().max(2000).optional().describe('`next_cursor` of the page before'),
    }),
    output: z.object({
      session: sessionRef.optional().describe('Left out for all sessions; then each file has its own'),
      files: z.array(shownFile.extend({ session: sessionRef.optional() })),
      next_cursor: z.string().optional(),
    }),
    handle: async (input, { workspace }) => {
      const page = await service.list(workspace, {
        session: input.session,
        allSessions: input.all_sessions,
        limit: input.limit,
        cursor: input.cursor,
      });
      return {
        session: page.session,
        files: page.files.map((entry) =>
          page.session ? showFile(entry) : { ...showFile(entry), session: entry.session },
        ),
        next_cursor: page.nextCursor,
      };
    },
    text: ({ session: shown, files, next_cursor }) => {
      const where = shown?.slug ?? 'any session';
      return [
        files.length === 0 ? `No files in ${where}.` : `Files in ${where}:`,
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
    handle: async (input, { workspace }) => {
      const { file: entry, window } = await service.readText(workspace, {
        id: input.file,
        offset: input.offset,
        limit: input.max_bytes,
      });
      return {
        ...showWithSession(entry),
        text: window.text,
        offset: window.start,
        ...(window.end < entry.size ? { next_offset: window.end } : {}),
        ...(window.lossy ? { lossy: true } : {}),
      };
    },
    text: ({ session: { slug }, file: { name, size }, text, offset, next_offset, lossy }) =>
      `${name} in ${slug}, bytes ${offset} to ${next_offset ?? size} of ${size}${next_offset === undefined ? ' (the end)' : `; go on with offset ${next_offset}`}${lossy === true ? '; not all of it is UTF-8' : ''}:\n${text}`,
    content: ({ file: { id, name, type, size }, next_offset }) =>
      next_offset === undefined ? [] : [{ type: 'resource_link', uri: fileUri(id), name, mimeType: type, size }],
  });

  const link = defineTool('file_link', {
    title: 'Link to a file',
    description: 'Gives an address from which anybody who has it can download the file, for 15 minutes.',
    behaviour: { ...READ, idempotent: false },
    input: z.strictObject({ file }),
    output: z.object({ session: sessionRef, file: shownFile, download: address }),
    handle: async (input, { workspace, principal, origin }) => {
      const { file: entry, path, expiresAt } = await service.link(workspace, principal, input.file);
      return { ...showWithSession(entry), download: { url: `${origin}${path}`, expires_at: isoTime(expiresAt) } };
    },
    text: ({ session: { slug }, file: shown, download: { url, expires_at } }) =>
      `${line(shown)} in ${slug}, until ${expires_at}:\n${url}`,
    content: ({ file: { name, type, size }, download: { url } }) => [
      { type: 'resource_link', uri: url, name, mimeType: type, size },
    ],
  });

  const remove = defineTool('file_delete', {
    title: 'Delete a file',
    description: 'Deletes a file for good.',
    behaviour: DESTROY,
    input: z.strictObject({ file }),
    output: z.object({ session: sessionRef, file: shownFile }),
    handle: async (input, { workspace }) => showWithSession(await service.delete(workspace, input.file)),
    text: (output) => `Deleted from ${output.session.slug}: ${line(output.file)}`,
  });

  return defineToolset('files', {
    instructions:
      'Files never travel through you: file_upload gives an address for the bytes, file_link one to fetch them, file_read the text.',
    consent: {
      title: 'files',
      read: 'See the names of your files, read them and make short-lived links to them.',
      write: 'Store new files and delete files.',
    },
    tools: [upload, write, list, read, link, remove],
    resources: [fileResources(service)],
  });
}
