import * as z from 'zod';

import type { Person } from '../../directory/types.ts';
import { decodeCursor, encodeCursor } from '../../lib/cursor.ts';
import { CarrelError } from '../../lib/errors.ts';
import type { SessionRef } from '../../sessions/model.ts';
import type { OpenWorkspace, Workspaces } from '../../workspace/client.ts';
import type { ByteRange } from '../bucket.ts';
import { folderPath } from '../model.ts';
import type { FileEntry, StoredFile, Usage } from '../model.ts';
import type { FileService } from '../service.ts';
import type { FolderZip } from '../zip/folder-zip.ts';

/** Entries of one page. */
const PAGE = 50;

/** What the page is asked for. What does not fit is left out: people change addresses by hand. */
export const place = z.object({
  session: z.string().min(1).max(200).optional().catch(undefined),
  folder: folderPath.catch(''),
  cursor: z.string().max(2000).optional().catch(undefined),
  q: z.string().trim().max(200).catch(''),
});

/** The sessions of a person, newest first, and what all files of the person take. */
export interface ListedSessions {
  readonly usage: Usage;
  readonly sessions: readonly SessionRef[];
  readonly nextCursor: string | undefined;
}

export type ListedFile = FileEntry;

/** One level of a session's folders. */
export interface Level {
  readonly session: SessionRef;
  readonly folder: string;
  /** With the slash behind them. */
  readonly folders: readonly string[];
  readonly files: readonly FileEntry[];
  readonly nextCursor: string | undefined;
}

export interface Trash {
  readonly files: readonly FileEntry[];
  readonly nextCursor: string | undefined;
}

interface BrowseServiceOptions {
  readonly workspaces: Pick<Workspaces, 'open'>;
  readonly files: FileService;
}

/** A person's own look at the shelf that their assistants use. */
export class BrowseService {
  readonly #options: BrowseServiceOptions;

  constructor(options: BrowseServiceOptions) {
    this.#options = options;
  }

  async sessions(person: Person, cursor: string | undefined): Promise<ListedSessions> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const own = this.#own(person);
    const [page, usage] = await Promise.all([
      own.sessions.list({ archived: false, limit: PAGE, after }),
      this.#options.files.usage(own),
    ]);
    return { usage, sessions: page.sessions, nextCursor: page.next && encodeCursor(page.next) };
  }

  /** @throws CarrelError `not_found` (the session), `invalid_input` (the cursor) */
  async level(
    person: Person,
    input: { readonly session: string; readonly folder: string; readonly cursor: string | undefined },
  ): Promise<Level> {
    const { session, folders, files, nextCursor } = await this.#options.files.folder(this.#own(person), {
      ...input,
      limit: PAGE,
    });
    if (!session) throw new TypeError('a folder is of a session');
    return { session, folder: input.folder, folders, files, nextCursor };
  }

  /** Files whose path or text has all the words, the best first. */
  async search(person: Person, query: string): Promise<readonly FileEntry[]> {
    const input = { query, session: undefined, folder: '', limit: PAGE };
    const found = await this.#options.files.search(this.#own(person), input).catch((thrown: unknown) => {
      // Marks that are no words are in no file.
      if (thrown instanceof CarrelError && thrown.code === 'invalid_input') return [];
      throw thrown;
    });
    return found.map(({ file }) => file);
  }

  /** @throws CarrelError `not_found` */
  async file(person: Person, id: string): Promise<StoredFile> {
    return this.#options.files.find(this.#own(person), { file: id });
  }

  async bytes(file: StoredFile, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array>> {
    return this.#options.files.bytes(file, range);
  }

  /** What is in the trash, newest first. @throws CarrelError `invalid_input` (the cursor) */
  async trash(person: Person, cursor: string | undefined): Promise<Trash> {
    return this.#options.files.trash(this.#own(person), { limit: PAGE, cursor });
  }

  /** Puts a file back where it was. @throws CarrelError `not_found`, `conflict` (another file is there) */
  async putBack(person: Person, id: string): Promise<FileEntry> {
    return this.#options.files.restore(this.#own(person), id, undefined);
  }

  /** For good. @returns how many files there were */
  async emptyTrash(person: Person): Promise<number> {
    return this.#options.files.emptyTrash(this.#own(person));
  }

  /** @throws CarrelError `not_found`, `too_large` */
  async zip(person: Person, session: string | undefined, folder: string): Promise<FolderZip> {
    return this.#options.files.zip(this.#own(person), { session, folder });
  }

  #own({ id }: Person): OpenWorkspace {
    return this.#options.workspaces.open(id, { kind: 'person' });
  }
}
