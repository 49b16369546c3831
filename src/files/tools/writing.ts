import { inputRequired } from '@modelcontextprotocol/server';
import * as z from 'zod';

import { byteLength } from '../../lib/encoding.ts';
import { CarrelError } from '../../lib/errors.ts';
import type { CallContext } from '../../mcp/context.ts';
import { CREATE, defineTool, UPDATE } from '../../mcp/toolset.ts';
import { sessionRef } from '../../sessions/model.ts';
import type { DropService } from '../drop/service.ts';
import type { ImportService } from '../import-service.ts';
import {
  fileOrFolderPath,
  filePath,
  fileSize,
  folderPath,
  MAX_IMPORT_BYTES,
  mediaType,
  PART_BYTES,
  partsOf,
  SHELLS,
  sha256,
  writtenBase64,
  writtenText,
} from '../model.ts';
import type { IfExists } from '../model.ts';
import type { PartsService } from '../parts-service.ts';
import { baseName } from '../paths.ts';

import { changedFile, showChanged, shownUpload, showUpload } from '../shown.ts';
import type { UploadService } from '../upload-service.ts';
import { file, ifExists, isoTime, newTags, ofSession } from './shared.ts';

const openedPage = z.object({ session: sessionRef, folder: z.string(), url: z.string(), expires_at: z.string() });
type OpenedPage = z.output<typeof openedPage>;

/** Tools that store bytes. */
export function writingTools(
  service: UploadService,
  parts: PartsService,
  drop: DropService,
  imports: () => Promise<ImportService>,
) {
  const upload = defineTool('file_upload', {
    title: 'Upload a file',
    description:
      'Gives an address to PUT the bytes of one file to, within 15 minutes and without other credentials. The file exists when they have arrived.',
    behaviour: CREATE,
    input: z.strictObject({
      path: filePath,
      size: fileSize.describe('Exact size in bytes'),
      sha256: sha256.optional().describe('If known'),
      type: mediaType.optional().describe('Media type, if the bytes do not tell'),
      in_parts: z.boolean().default(false).describe('Can go on after a break; large files always come so'),
      if_exists: ifExists,
      tags: newTags,
      shell: z.enum(SHELLS).default('curl').describe('Of `command`'),
      session: ofSession,
    }),
    output: z.object({
      session: sessionRef,
      file: z.object({ id: z.string(), path: z.string(), size: z.int() }),
      upload: shownUpload.extend({ command: z.string() }),
    }),
    affects: ({ path, size, if_exists, session }) => ({ files: overwritten(path, session, if_exists), bytes: size }),
    handle: async ({ path, size, if_exists, ...rest }, { workspace, principal, origin }) => {
      const { sha256: checksum, type, tags, session } = rest;
      const input = { path, size, sha256: checksum, type, ifExists: if_exists, tags, session };
      const inParts = rest.in_parts || service.needsParts(size);
      const expected = await (inParts ? parts : service).expect(workspace, principal, input);
      const shown = showUpload(`${origin}${expected.path}`, size, expected.expiresAt, inParts);
      const sending = { name: baseName(path), url: shown.url, size };
      const inSo = inParts ? { count: partsOf(size), bytes: PART_BYTES } : undefined;
      const { uploadCommand } = await import('../upload-command.ts');
      return {
        session: expected.file.session,
        file: { id: expected.file.id, path, size },
        upload: { ...shown, command: uploadCommand(rest.shell, { ...sending, parts: inSo }) },
      };
    },
    text: ({ session: { slug }, file: { id, path, size }, upload: { command, expires_at } }) =>
      `Waiting for ${path} (id ${id}, ${size} bytes) in ${slug}, until ${expires_at}:\n${command}`,
  });

  const write = defineTool('file_write', {
    title: 'Write a file',
    description: 'Stores text or base64 of up to 64 KB, or fetches up to 95 MB from a URL.',
    behaviour: { ...CREATE, openWorld: true },
    input: z
      .strictObject({
        path: fileOrFolderPath.optional().describe('Such as notes/plan.md; a URL names what has none, or notes/'),
        text: writtenText.optional(),
        base64: writtenBase64.optional(),
        from_url: z.string().max(4000).optional().describe('Public, https'),
        if_exists: ifExists,
        tags: newTags,
        session: ofSession,
      })
      .superRefine(oneContent),
    output: changedFile,
    affects: ({ path = '/', text, base64, if_exists, session }) => ({
      files: path.endsWith('/') ? [] : overwritten(path, session, if_exists),
      // Nobody knows how much comes from an address.
      bytes: text === undefined ? (base64?.byteLength ?? MAX_IMPORT_BYTES) : byteLength(text),
    }),
    asksWorkspaceFirst: true,
    handle: async (
      { path = '', text, base64, from_url, if_exists, tags, session },
      { workspace, principal, ...call },
    ) => {
      const input = { path, ifExists: if_exists, tags, session };
      const content = text ?? base64;
      if (content !== undefined) return showChanged(await service.write(workspace, principal, { ...input, content }));
      const { origin, signal } = call;
      const fetched = { ...input, url: from_url ?? '', origin, signal };
      return showChanged(await (await imports()).import(workspace, principal, fetched));
    },
    text: ({ session: { slug }, file: { id, path, version } }) =>
      `Wrote ${path} in ${slug} (id ${id}, version ${version})`,
  });

  const edit = defineTool('file_edit', {
    title: 'Edit a text file',
    description: 'Replaces passages of a text file, each of which must stand there exactly once. All or none.',
    behaviour: { ...UPDATE, idempotent: false },
    input: z.strictObject({
      file,
      expected_version: z.int().min(1).describe('As `file_read` gave it'),
      edits: z
        .array(z.strictObject({ old: z.string().min(1).max(20_000), new: z.string().max(20_000) }))
        .min(1)
        .max(50),
      session: ofSession,
    }),
    output: changedFile,
    affects: ({ file: edited, session }) => ({ files: [{ file: edited, session }] }),
    handle: async ({ file: reference, session, edits, expected_version }, { workspace, principal }) => {
      const input = { edits, expectedVersion: expected_version };
      return showChanged(await service.edit(workspace, principal, { file: reference, session }, input));
    },
    text: ({ session: { slug }, file: { id, path, version } }) =>
      `Edited ${path} in ${slug} (id ${id}, now version ${version})`,
  });

  const request = defineTool('file_request', {
    title: 'Ask the person for files',
    description:
      'Gives the address of a page on which a person drops files, for an hour. Show it to them; `file_wait` tells what has come.',
    behaviour: CREATE,
    input: z.strictObject({ folder: folderPath.default('').describe('Where they go'), session: ofSession }),
    output: openedPage,
    handle: async (input, context) => {
      // What a signed state holds is of this same call: it opens no second page.
      const shown = (context.state() as OpenedPage | undefined) ?? (await openPage(drop, input, context));
      const answer = context.answer('page');
      if (!context.canAsk('url') || (answer.kind === 'elicit' && answer.action === 'accept')) return shown;
      if (answer.kind === 'elicit')
        throw new CarrelError('forbidden', 'The person does not want to open the page. Ask them how to go on.');
      const message = `Drop the files there that are asked for. They go to ${shown.session.slug}/${shown.folder} of your workspace.`;
      return context.ask({ page: inputRequired.elicitUrl({ message, url: shown.url }) }, shown);
    },
    text: ({ session: { slug }, folder, url, expires_at }) =>
      `Files that are dropped there go to ${slug}${folder === '' ? '' : `, in ${folder}`}, until ${expires_at}:\n${url}`,
  });

  return [upload, request, write, edit];
}

/** What a file that is stored there would be a new version of. */
const overwritten = (path: string, session: string | undefined, then: IfExists) =>
  then === 'new_version' ? [{ file: path, session, optional: true }] : [];

async function openPage(
  drop: DropService,
  input: { readonly folder: string; readonly session?: string | undefined },
  { workspace, principal, origin }: CallContext,
): Promise<OpenedPage> {
  const { file: place, path, expiresAt } = await drop.open(workspace, principal, input);
  return { ...place, url: `${origin}${path}`, expires_at: isoTime(expiresAt) };
}

/** A file is made of one thing, and only an address can name it. */
function oneContent(
  { path, ...contents }: { path?: string | undefined; text?: unknown; base64?: unknown; from_url?: unknown },
  context: z.RefinementCtx,
): void {
  const given = [contents.text, contents.base64, contents.from_url].filter((each) => each !== undefined);
  if (given.length !== 1)
    context.addIssue({ code: 'custom', path: [], message: 'give one of `text`, `base64` and `from_url`' });
  if (contents.from_url === undefined && (path ?? '/').endsWith('/'))
    context.addIssue({ code: 'custom', path: ['path'], message: 'must be that of a file' });
}
