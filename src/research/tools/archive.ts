import * as z from 'zod';

import { filePath } from '../../files/model.ts';
import { CREATE, defineTool, UPDATE } from '../../mcp/toolset.ts';
import { sessionRef } from '../../sessions/model.ts';
import type { ArchiveService } from '../archive/service.ts';
import { reference, topic } from '../model.ts';
import { counted, requireFiles, session } from './shared.ts';

/** Tools that take a whole research out and in. */
export function archiveTools(service: ArchiveService) {
  const take = defineTool('research_export', {
    title: 'Export a research',
    description:
      'Makes a zip of a whole research on the shelf: sources in bytes and text, quotes, notes, the report. It can be read offline, and imported into another workspace.',
    slow: true,
    behaviour: UPDATE,
    input: z.strictObject({ session, path: filePath.optional().describe('Where it goes on the shelf') }),
    output: z.object({
      session: sessionRef,
      file: z.object({ id: z.string(), path: z.string(), size: z.int(), sha256: z.string() }),
      sources: z.int(),
    }),
    handle: async ({ session: within, path }, { workspace, principal }) => {
      requireFiles(principal, 'files:write');
      const { session: where, file, sources } = await service.export(workspace, principal, { session: within, path });
      const { id, path: stored, size, sha256 } = file;
      return { session: where, file: { id, path: stored, size, sha256 }, sources };
    },
    text: ({ file: { id, path, size }, sources }) =>
      `${path} (id ${id}, ${size} bytes) with ${counted(sources, 'source')}. file_link gives its address.`,
  });

  const bring = defineTool('research_import', {
    title: 'Import a research',
    description:
      'Takes an archive of research_export in, from a file of the shelf, as a research in a session of its own. Every byte and every quote is proved first.',
    slow: true,
    behaviour: CREATE,
    input: z.strictObject({
      file: reference.describe('Id or path'),
      session,
      title: topic.describe('Of the session that is made for it'),
    }),
    output: z.object({
      session: sessionRef,
      sources: z.int(),
      quotes: z.int(),
      notes: z.int(),
      sections: z.int(),
    }),
    handle: async ({ file, session: within, title }, { workspace, principal }) => {
      requireFiles(principal, 'files:read');
      return service.import(workspace, principal.workspaceId, { file, session: within, title });
    },
    text: ({ session: { slug }, sources, quotes, notes, sections }) =>
      `Imported into ${slug}: ${counted(sources, 'source')}, ${counted(quotes, 'quote')}, ${counted(notes, 'note')}, ${counted(sections, 'section')} of a report.`,
  });

  return [take, bring];
}
