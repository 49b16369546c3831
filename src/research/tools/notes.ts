import * as z from 'zod';

import { CREATE, defineTool, DESTROY, READ, UPDATE } from '../../mcp/toolset.ts';
import { fenced, fencedLine } from '../../lib/untrusted.ts';
import { sessionRef } from '../../sessions/model.ts';
import { MAX_PAGE, noteText, noteTitle, reference, tag, tags } from '../model.ts';
import type { Note } from '../model.ts';
import type { NoteService } from '../note-service.ts';
import { cursor, nextCursor, session, withFenceNote } from './shared.ts';

const shownNote = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  tags: z.array(z.string()),
  links: z.array(z.string()),
  version: z.int(),
  updated_at: z.string(),
});
const output = z.object({ session: sessionRef, note: shownNote });
const links = z.array(reference).max(50);

/** Tools around notes. */
export function noteTools(service: NoteService) {
  const write = defineTool('note_write', {
    title: 'Write a note',
    description: 'Writes down a finding, an idea or a question of a research, linked to sources, quotes or notes.',
    behaviour: CREATE,
    input: z.strictObject({
      session,
      title: noteTitle,
      text: noteText,
      tags: tags.default([]),
      links: links.default([]).describe('Keys or ids'),
    }),
    output,
    handle: async (input, { workspace }) => show(await service.write(workspace, input)),
    text: said,
  });

  const edit = defineTool('note_edit', {
    title: 'Edit a note',
    description:
      'Changes a note: its title, its text as a whole, or one passage that stands in it exactly once; or deletes it.',
    behaviour: DESTROY,
    input: z.strictObject({
      session,
      note: reference,
      title: noteTitle.optional(),
      text: noteText.optional(),
      replace: z.strictObject({ old: z.string().min(1), new: noteText }).optional(),
      tags: tags.optional(),
      expected_version: z.int().min(1).optional(),
      delete: z.boolean().default(false),
    }),
    output: z.object({ session: sessionRef, note: shownNote.optional(), deleted: z.boolean() }),
    handle: async ({ session: within, note, delete: isDeleted, expected_version, ...change }, { workspace }) => {
      if (isDeleted) return { session: (await service.remove(workspace, within, note)).session, deleted: true };
      return { ...show(await service.edit(workspace, within, note, change, expected_version)), deleted: false };
    },
    text: ({ note }) => (note ? withFenceNote(line(note)) : 'Deleted.'),
  });

  const list = defineTool('note_list', {
    title: 'List notes',
    description: 'The notes of a research in the order in which they were written.',
    behaviour: READ,
    input: z.strictObject({
      session,
      about: reference.optional().describe('Only what is linked to this source, quote or note'),
      tag: tag.optional(),
      limit: z.int().min(1).max(MAX_PAGE).default(30),
      cursor,
    }),
    output: z.object({ session: sessionRef, notes: z.array(shownNote), next_cursor: nextCursor }),
    handle: async ({ about, tag: wanted, cursor: from, ...input }, { workspace }) => {
      const page = await service.list(workspace, {
        session: input.session,
        limit: input.limit,
        about,
        tag: wanted,
        cursor: from,
      });
      return { session: page.session, notes: page.notes.map(showNote), next_cursor: page.nextCursor };
    },
    text: ({ session: { slug }, notes, next_cursor }) =>
      withFenceNote(
        [
          notes.length === 0 ? `No such notes in ${slug}.` : `Notes in ${slug}:`,
          ...notes.map((note) => `${line(note)}\n${note.text}`),
          ...(next_cursor === undefined ? [] : [`More: cursor ${next_cursor}`]),
        ].join('\n'),
      ),
  });

  const link = defineTool('note_link', {
    title: 'Link a note',
    description: 'Links a note to sources, quotes and other notes, or takes links away.',
    behaviour: UPDATE,
    input: z.strictObject({ session, note: reference, add: links.default([]), remove: links.default([]) }),
    output,
    handle: async ({ session: within, note, add, remove }, { workspace }) =>
      show(await service.link(workspace, within, note, add, remove)),
    text: said,
  });

  return [write, edit, list, link];
}

/** What somebody else wrote and was imported is as foreign as a page. */
function showNote({ id, title, text, tags: marks, links: to, version, isImported, updatedAt }: Note) {
  return {
    id,
    title: isImported ? fencedLine(title) : title,
    text: isImported ? fenced(text) : text,
    tags: isImported ? marks.map((mark) => fencedLine(mark)) : [...marks],
    links: [...to],
    version,
    updated_at: new Date(updatedAt).toISOString(),
  };
}

const show = ({ session: within, note }: { session: z.output<typeof sessionRef>; note: Note }) => ({
  session: within,
  note: showNote(note),
});

function line({ id, title, version, tags: marks, links: to }: z.output<typeof shownNote>): string {
  return [
    `${title} (${id}, version ${version})`,
    marks.length > 0 && `tags ${marks.join(', ')}`,
    to.length > 0 && `links to ${to.join(', ')}`,
  ]
    .filter((part) => part !== false)
    .join(', ');
}

const said = ({ note }: z.output<typeof output>) => withFenceNote(line(note));
