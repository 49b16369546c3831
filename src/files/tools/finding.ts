import * as z from 'zod';

import { CONTENT, defineTool, READ } from '../../mcp/toolset.ts';
import { sessionRef } from '../../sessions/model.ts';
import { isShownImage } from '../media-types.ts';
import { fileReference, folderPath, linkMinutes, linkUses, MAX_PAGE, MAX_READ_BYTES } from '../model.ts';
import { fileUri } from '../resources.ts';
import type { LinkService } from '../link-service.ts';
import type { FileService } from '../service.ts';
import { linkedFile, showLink, shownFile, showWithSession } from '../shown.ts';
import { file, line, ofSession, showAll } from './shared.ts';

const changed = z.object({ id: z.string(), path: z.string(), version: z.int(), size: z.int() });
/** What is needed to read on, or to fetch; file_list has the rest. */
const readFile = shownFile.pick({ id: true, path: true, type: true, size: true, version: true });

/** Tools that look and read. */
export function findingTools(service: FileService, links: LinkService) {
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
    title: 'Read a file',
    description:
      'Shows an image, or reads text, window by window: go on with `next_offset`. Of PDF, Word and HTML it is the text within, by page or section.',
    behaviour: READ,
    input: z.strictObject({
      file,
      session: ofSession,
      version: z.int().min(1).optional().describe('An earlier one'),
      part: z.int().min(1).optional().describe('Page or section'),
      offset: z.int().min(0).optional().describe('`next_offset` of the window before'),
      max_bytes: z.int().min(100).max(MAX_READ_BYTES).default(MAX_READ_BYTES),
    }),
    output: z.object({
      session: sessionRef,
      file: readFile,
      summary: z.string().optional().describe('Of CSV and JSON: rows, columns, schema'),
      text: z.string(),
      offset: z.int(),
      next_offset: z.int().optional().describe('Left out at the end'),
      part: z.int().optional(),
      parts: z.int().optional(),
      label: z.string().optional(),
      truncated: z.boolean().optional().describe('The file has more'),
      lossy: z.boolean().optional().describe('Some bytes are no UTF-8 and stand as U+FFFD'),
    }),
    handle: async ({ file: reference, session, version, part, offset, max_bytes }, { workspace }) => {
      const named = { file: reference, session };
      const plain =
        part === undefined
          ? await service.readText(workspace, named, { offset, limit: max_bytes, version })
          : undefined;
      if (plain && 'image' in plain) {
        const { file: entry, image } = plain;
        return { ...showWithSession(entry), text: '', offset: 0, [CONTENT]: [{ type: 'image' as const, ...image }] };
      }
      if (plain) {
        const { file: entry, window, summary } = plain;
        return {
          ...showWithSession(entry),
          ...(summary === undefined ? {} : { summary }),
          text: window.text,
          offset: window.start,
          ...(window.end < entry.size ? { next_offset: window.end } : {}),
          ...(window.lossy ? { lossy: true } : {}),
        };
      }
      const {
        file: entry,
        window,
        truncated,
      } = await service.readExtracted(workspace, named, {
        part,
        offset,
        // A character has up to three bytes in UTF-8, and a result holds the text twice.
        limit: Math.floor(max_bytes / 3),
        version,
      });
      return {
        ...showWithSession(entry),
        text: window.text,
        offset: window.start,
        ...(window.next ? { next_offset: window.next.offset } : {}),
        part: window.part,
        parts: window.parts,
        ...(window.label === '' ? {} : { label: window.label }),
        ...(truncated && !window.next ? { truncated } : {}),
      };
    },
    text: ({ session: { slug }, file: { path, type, size, version }, text, summary, offset, next_offset, ...more }) => {
      const { part, parts, lossy } = more;
      const which = `${path} in ${slug}, version ${version}`;
      if (isShownImage(type)) return `${which}, an image (${type}, ${size} bytes)`;
      return `${which}${part === undefined ? '' : `, part ${part} of ${parts ?? part}`}, from ${offset}${next_offset === undefined ? ' to the end' : `; go on with offset ${next_offset}`}${lossy === true ? '; not all of it is UTF-8' : ''}:\n${summary === undefined ? '' : `${summary}\n\n`}${text}`;
    },
    content: ({ file: { id, path, type, size }, next_offset }) =>
      next_offset === undefined ? [] : [{ type: 'resource_link', uri: fileUri(id), name: path, mimeType: type, size }],
  });

  const search = defineTool('file_search', {
    title: 'Search files',
    description: 'Finds files by words of their path or text: PDF, Word, HTML and any text. A phrase stands in quotes.',
    behaviour: READ,
    input: z.strictObject({
      query: z.string().min(1).max(500),
      session: ofSession.describe('Only of this session; all when left out'),
      folder: folderPath.default(''),
      limit: z.int().min(1).max(50).default(20),
    }),
    output: z.object({
      files: z.array(
        z.object({
          id: z.string(),
          path: z.string(),
          session: z.string(),
          part: z.int().optional().describe('For file_read'),
          label: z.string().optional(),
          snippet: z.string().optional(),
        }),
      ),
    }),
    handle: async ({ query, session: within, folder, limit }, { workspace }) => ({
      files: (await service.search(workspace, { query, session: within, folder, limit })).map(
        ({
          file: {
            id,
            path,
            session: { slug },
          },
          part,
          label,
          snippet,
        }) => ({
          id,
          path,
          session: slug,
          ...(part === undefined ? {} : { part }),
          ...(label === undefined ? {} : { label }),
          ...(snippet === undefined ? {} : { snippet }),
        }),
      ),
    }),
    text: ({ files }) =>
      files.length === 0
        ? 'Nothing was found.'
        : files
            .map(({ id, path, session: slug, part, snippet }) =>
              [`${path} in ${slug} (id ${id}${part === undefined ? '' : `, part ${part}`})`, snippet]
                .filter((each) => each !== undefined)
                .join(': '),
            )
            .join('\n'),
  });

  const link = defineTool('file_link', {
    title: 'Link to a file',
    description: 'Gives an address to download a file, or a folder (`a/`, all: `/`) as zip.',
    behaviour: { ...READ, idempotent: false },
    input: z.strictObject({
      file: fileReference,
      session: ofSession,
      minutes: linkMinutes,
      uses: linkUses,
    }),
    output: z.object({
      session: sessionRef,
      file: linkedFile,
      download: z.object({ url: z.string(), expires_at: z.string() }),
    }),
    handle: async ({ file: reference, session, minutes, uses }, { workspace, principal, origin }) =>
      showLink(origin, await links.link(workspace, principal, { file: reference, session }, { minutes, uses })),
    text: ({ session: { slug }, file: { path, type, size }, download: { url, expires_at } }) =>
      `${path} (${type}, ${size} bytes) in ${slug}, until ${expires_at}:\n${url}`,
    content: ({ file: { path, type, size }, download: { url } }) => [
      { type: 'resource_link', uri: url, name: path, mimeType: type, size },
    ],
  });

  const wait = defineTool('file_wait', {
    title: 'Wait for files',
    description:
      'Waits until files come or change, such as those that a person uploads, and says which. Nothing within the time is no error: call it again with `since`.',
    behaviour: READ,
    input: z.strictObject({
      folder: folderPath.default(''),
      since: z.string().max(2000).optional().describe('As the call before gave it; from now on when left out'),
      seconds: z.int().min(1).max(50).default(30),
      session: ofSession,
    }),
    output: z.object({ files: z.array(changed), since: z.string() }),
    handle: async ({ folder, since, seconds, session: within }, { workspace }) => {
      const found = await service.wait(workspace, { session: within, folder, since, seconds });
      return {
        files: found.files.map(({ id, path, version, size }) => ({ id, path, version, size })),
        since: found.since,
      };
    },
    text: ({ files, since }) =>
      [
        files.length === 0 ? 'Nothing has come yet.' : 'These have come or changed:',
        ...files.map(({ id, path, version, size }) => `${path} (id ${id}, version ${version}, ${size} bytes)`),
        `Go on with since ${since}`,
      ].join('\n'),
  });

  return [list, search, read, link, wait];
}
