import * as z from 'zod';

import { CREATE, defineTool, DESTROY, UPDATE } from '../../mcp/toolset.ts';
import { session, sessionRef } from '../../sessions/model.ts';
import { fileOrFolderPath, filePath, fileReference, tags } from '../model.ts';
import type { FileEntry } from '../model.ts';
import type { FileService } from '../service.ts';
import { changedFile, showChanged } from '../shown.ts';
import { file, ofSession } from './shared.ts';

/** Paths that one answer lists; of more it says how many there are. */
const LISTED = 50;

const several = z.object({
  session: sessionRef,
  count: z.int(),
  paths: z.array(z.string()).describe('At most 50 of them'),
});

/** Files that were changed together: all are of one session then. */
const showSeveral = (entries: readonly FileEntry[]) => ({
  session: (entries[0] as FileEntry).session,
  count: entries.length,
  paths: entries.slice(0, LISTED).map(({ path }) => path),
});

const lines = (what: string, { session: { slug }, count, paths }: z.output<typeof several>) =>
  [`${what} ${count} ${count === 1 ? 'file' : 'files'} in ${slug}:`, ...paths].join('\n');

const changed = ({ session: { slug }, file: { id, path, version } }: z.output<typeof changedFile>) =>
  `${path} in ${slug} (id ${id}, version ${version})`;

const fileOrFolder = fileReference.describe('Id, or path in the session; a folder ends with /');
const toSession = session.describe('Another session to put it into');

/** Tools that keep the shelf in order. */
export function shelfTools(service: FileService) {
  const move = defineTool('file_move', {
    title: 'Move, rename or tag',
    description: 'Moves or renames a file or a folder, and sets the tags of a file. All or nothing.',
    behaviour: UPDATE,
    input: z.strictObject({
      file: fileOrFolder,
      to: fileOrFolderPath.optional().describe('New path; for a folder, ending with /'),
      to_session: toSession,
      tags: tags.optional().describe('Instead of those that it has'),
      session: ofSession,
    }),
    output: several,
    affects: ({ file: moved, session: within }) => ({ files: [{ file: moved, session: within }] }),
    handle: async ({ file: reference, to, to_session, tags: marks, session: from }, { workspace }) => {
      const named = { file: reference, session: from };
      const moved =
        to === undefined && to_session === undefined
          ? []
          : await service.move(workspace, named, { path: to ?? reference, session: to_session });
      if (marks === undefined) return showSeveral(moved);
      return showSeveral([await service.tag(workspace, moved[0] ? { file: moved[0].id } : named, marks)]);
    },
    text: (output) => lines('Moved', output),
  });

  const copy = defineTool('file_copy', {
    title: 'Copy a file',
    description: 'Copies a file to another path, in the same or another session.',
    behaviour: CREATE,
    input: z.strictObject({ file, to: filePath, to_session: toSession, session: ofSession }),
    output: changedFile,
    affects: ({ file: copied, session: within }) => ({ files: [{ file: copied, session: within }] }),
    handle: async ({ file: reference, to, to_session, session: from }, { workspace }) =>
      showChanged(await service.copy(workspace, { file: reference, session: from }, { path: to, session: to_session })),
    text: (output) => `Copied to ${changed(output)}`,
  });

  const remove = defineTool('file_delete', {
    title: 'Put into the trash',
    description: 'Puts a file or a folder into the trash, from where file_restore takes it back for 30 days.',
    behaviour: DESTROY,
    input: z.strictObject({ file: fileOrFolder, session: ofSession }),
    output: several,
    affects: ({ file: removed, session: within }) => ({ files: [{ file: removed, session: within }] }),
    handle: async ({ file: reference, session: from }, { workspace }) =>
      showSeveral(await service.delete(workspace, { file: reference, session: from })),
    text: (output) => lines('Put into the trash:', output),
  });

  const restore = defineTool('file_restore', {
    title: 'Restore a file',
    description:
      'Takes a file out of the trash, by its id; or, with `version`, makes an earlier version the present one.',
    behaviour: UPDATE,
    input: z.strictObject({
      file,
      version: z.int().min(1).optional(),
      to: filePath.optional().describe('Out of the trash to another path'),
      session: ofSession,
    }),
    output: changedFile,
    affects: ({ file: restored, session: within }) => ({ files: [{ file: restored, session: within }] }),
    handle: async ({ file: reference, version, to, session: from }, { workspace }) =>
      showChanged(
        version === undefined
          ? await service.restore(workspace, reference, to)
          : await service.restoreVersion(workspace, { file: reference, session: from }, version),
      ),
    text: (output) => `Restored ${changed(output)}`,
  });

  return [move, copy, remove, restore];
}
