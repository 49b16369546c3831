import { CarrelError } from '../lib/errors.ts';
import { placeOf } from '../lib/cursor.ts';
import type { SessionRef } from '../sessions/model.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import type { Note } from './model.ts';
import type { NewNote, NoteChange } from './note-store.ts';
import { withinAnswer } from './paging.ts';

type NoteWorkspace = Pick<OpenWorkspace, 'notes'>;
type Answer = { readonly session: SessionRef; readonly note: Note };

/** Notes. Policy only: every method is one round trip to the workspace. */
export class NoteService {
  async write(
    { notes }: NoteWorkspace,
    input: NewNote & { readonly session?: string | undefined; readonly links: readonly string[] },
  ): Promise<Answer> {
    const { title, text, tags } = input;
    return notes.write(input.session, { title, text, tags }, input.links, Date.now());
  }

  async edit(
    { notes }: NoteWorkspace,
    session: string | undefined,
    note: string,
    change: NoteChange,
    expectedVersion: number | undefined,
  ): Promise<Answer> {
    if (Object.values(change).every((value) => value === undefined))
      throw new CarrelError('invalid_input', 'Nothing to change. Give a title, a text, a passage to replace or tags.');
    if (change.text !== undefined && change.replace)
      throw new CarrelError('invalid_input', 'Give the whole text or a passage to replace, not both.');
    return notes.edit(session, note, change, expectedVersion, Date.now());
  }

  async link(
    { notes }: NoteWorkspace,
    session: string | undefined,
    note: string,
    add: readonly string[],
    remove: readonly string[],
  ): Promise<Answer> {
    return notes.link(session, note, add, remove);
  }

  async remove({ notes }: NoteWorkspace, session: string | undefined, note: string) {
    return notes.remove(session, note);
  }

  async list(
    { notes }: NoteWorkspace,
    input: {
      readonly session: string | undefined;
      readonly about: string | undefined;
      readonly tag: string | undefined;
      readonly limit: number;
      readonly cursor: string | undefined;
    },
  ): Promise<{ session: SessionRef; notes: readonly Note[]; nextCursor: string | undefined }> {
    const page = await notes.list(input.session, input, input.limit, placeOf(input.cursor, 2));
    const { items, nextCursor } = withinAnswer(page.notes, page.next, ({ createdAt, id }) => [createdAt, id]);
    return { session: page.session, notes: items, nextCursor };
  }
}
