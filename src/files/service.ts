import { itemsWithinBudget } from '../lib/budget.ts';
import { encodeCursor, placeOf } from '../lib/cursor.ts';
import { CarrelError } from '../lib/errors.ts';
import { isId } from '../lib/ids.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import type { ByteRange, FileBucket } from './bucket.ts';
import type { Image } from './images.ts';
import { collect } from './intake.ts';
import { isShownImage, isTextType } from './media-types.ts';
import { MAX_PAGE, MAX_READ_BYTES, MAX_RESOURCE_BYTES, noSuchFile } from './model.ts';
import type { FileEntry, FileVersion, StoredFile, Usage } from './model.ts';
import type { FilePage, FileQuery, FileScope, FolderPage } from './store.ts';
import type { ExtractedText } from './extract/model.ts';
import type { SectionWindow } from './extract/window.ts';
import { matchOf } from './search-query.ts';
import type { Found } from './text-store.ts';
import { decodeWindow } from './text-window.ts';
import type { TextWindow } from './text-window.ts';
import type { FolderZip } from './zip/folder-zip.ts';

export type FileWorkspace = Pick<OpenWorkspace, 'files' | 'uploads' | 'parts' | 'texts'>;
type Bytes = ReadableStream<Uint8Array>;

/** Which file: by its id, or by its path in a session, by default the default one. */
export interface FileReference {
  readonly file: string;
  readonly session?: string | undefined;
}

/** An address with the file that it is for. */
export interface Address<File> {
  readonly file: File;
  /** The path on this deployment's origin. */
  readonly path: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

/** Files. Policy only; bytes go through as streams, what is known of them is in the workspace. */
export class FileService {
  readonly #bucket: FileBucket;

  constructor({ bucket }: { readonly bucket: FileBucket }) {
    this.#bucket = bucket;
  }

  /** Sorted as asked. @throws CarrelError `not_found` (the session), `invalid_input` (the cursor) */
  async list(
    { files }: FileWorkspace,
    input: ListInput,
  ): Promise<{ session: FilePage['session']; files: readonly FileEntry[]; nextCursor: string | undefined }> {
    const { order, descending, folder, tag, limit } = input;
    const after = placeOf(input.cursor, 2);
    const page = await files.list(input.scope, { order, descending, folder, tag, limit, after });
    const fitting = itemsWithinBudget(page.files);
    const last = fitting.at(-1);
    const place = last && { path: last.path, created: last.createdAt, updated: last.updatedAt, size: last.size }[order];
    const next = fitting.length < page.files.length && last && place !== undefined ? [place, last.id] : page.next;
    return { session: page.session, files: fitting, nextCursor: next && encodeCursor(next) };
  }

  /**
   * Files that came or changed, the oldest change first, as soon as there is one.
   *
   * @param input.since a cursor of this; undefined for from now on. `seconds`: how long to wait
   * @returns where to go on, also where nothing came
   */
  async wait(
    { files }: FileWorkspace,
    input: { session: string | undefined; folder: string; since: string | undefined; seconds: number },
  ): Promise<{ files: readonly FileEntry[]; since: string }> {
    const began = Date.now();
    const after = placeOf(input.since, 2) ?? [began, ''];
    const query = { order: 'updated', descending: false, folder: input.folder, limit: MAX_PAGE, after } as const;
    for (;;) {
      const { files: changed } = await files.list({ session: input.session }, query);
      const fitting = itemsWithinBudget(changed);
      const last = fitting.at(-1);
      if (last) return { files: fitting, since: encodeCursor([last.updatedAt, last.id]) };
      if (Date.now() - began + POLL_MS > input.seconds * 1000) return { files: [], since: encodeCursor(after) };
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Paths of the default session that begin so, for somebody who types one: at most a hundred and one. */
  async paths({ files }: FileWorkspace, beginning: string): Promise<readonly string[]> {
    return files.paths(beginning, MAX_COMPLETIONS + 1);
  }

  /** One level of folders, by path. @throws CarrelError as {@link list} */
  async folder(
    { files }: FileWorkspace,
    input: { session: string | undefined; folder: string; limit: number; cursor: string | undefined },
  ): Promise<Omit<FolderPage, 'next'> & { nextCursor: string | undefined }> {
    const after = placeOf(input.cursor, 1)?.[0];
    // Two hundred entries always fit the budget of an answer.
    const { next, ...page } = await files.folder(input.session, input.folder, input.limit, after?.toString());
    return { ...page, nextCursor: next && encodeCursor(next) };
  }

  /** What is in the trash, newest first. @throws CarrelError `invalid_input` (the cursor) */
  async trash(
    { files }: FileWorkspace,
    input: { limit: number; cursor: string | undefined },
  ): Promise<{ files: readonly FileEntry[]; nextCursor: string | undefined }> {
    const page = await files.trash(input.limit, placeOf(input.cursor, 2));
    return { files: page.files, nextCursor: page.next && encodeCursor(page.next) };
  }

  /** Removes for good what is in the trash now. @returns how many files there were */
  async emptyTrash({ files }: FileWorkspace): Promise<number> {
    const now = Date.now();
    let removed = 0;
    for (;;) {
      // What is deleted meanwhile stays: nobody saw it in what they emptied.
      const step = await files.emptyTrash(now, TRASH_STEP, now);
      removed += step;
      if (step < TRASH_STEP) return removed;
    }
  }

  async usage({ uploads }: FileWorkspace): Promise<Usage> {
    return uploads.usage();
  }

  /** @throws CarrelError `not_found`, in the same words for a file of somebody else and for none */
  async find(
    { files }: FileWorkspace,
    { file: reference, session }: FileReference,
    version?: number,
  ): Promise<StoredFile> {
    const file = await files.get(reference, session, version);
    if (!file) throw noSuchFile();
    return file;
  }

  /** The versions that a file keeps, newest first. @throws CarrelError `not_found` */
  async versions(
    { files }: FileWorkspace,
    { file, session }: FileReference,
  ): Promise<{ file: FileEntry; versions: readonly FileVersion[] }> {
    return files.versions(file, session);
  }

  /** The bytes of a file, or of a part. @throws CarrelError `not_found` when it was deleted a moment ago */
  async bytes(file: StoredFile, range?: ByteRange): Promise<Bytes> {
    const bytes = await this.#bucket.get(file.objectKey, range);
    if (!bytes) throw noSuchFile();
    return bytes;
  }

  /** A folder, or all of a session, as an archive. @throws CarrelError as `folderZip` */
  async zip(
    workspace: Pick<FileWorkspace, 'files'>,
    input: { readonly session: string | undefined; readonly folder: string },
  ): Promise<FolderZip> {
    const { folderZip } = await import('./zip/folder-zip.ts');
    return folderZip(workspace, this.#bucket, input);
  }

  /**
   * A part of a text file, as it stands, or an image; undefined for one whose text is read by {@link readExtracted}.
   *
   * @param input.offset in bytes; `start` and `end` of the answer are too. Without it, from the beginning, and with
   *   a `summary` of what a file of data holds
   * @throws CarrelError `not_found`, `unsupported` (no text), `invalid_input` (beyond the end), and as `readImage`
   */
  async readText(
    workspace: FileWorkspace,
    reference: FileReference,
    input: { offset?: number | undefined; limit: number; version?: number | undefined },
  ): Promise<
    { file: FileEntry; window: TextWindow; summary: string | undefined } | { file: FileEntry; image: Image } | undefined
  > {
    const file = await this.find(workspace, reference, input.version);
    if (isShownImage(file.type)) {
      const { readImage } = await import('./images.ts');
      return { file, image: await readImage(file.size, () => this.bytes(file)) };
    }
    if (!isTextType(file.type) || HAS_TEXT_WITHIN.has(file.type)) return undefined;
    const { offset = 0 } = input;
    if (offset > file.size)
      throw new CarrelError('invalid_input', 'The offset lies beyond the end of the file.', {
        details: { size: file.size },
      });
    const length = Math.min(input.limit, file.size - offset);
    const bytes = length === 0 ? new Uint8Array() : await collect(await this.bytes(file, { offset, length }));
    const window = decodeWindow(bytes, offset === 0, offset + length === file.size, MAX_READ_BYTES);
    const summary = input.offset === undefined && file.size > 0 ? await this.#summary(file) : undefined;
    return { file, window: { ...window, start: offset + window.start, end: offset + window.end }, summary };
  }

  async #summary(file: StoredFile): Promise<string | undefined> {
    if (!/csv|tsv|tab-separated|json/.test(file.type)) return undefined;
    const { tableWords } = await import('./table-words.ts');
    return tableWords(await this.bytes(file), file.type);
  }

  /** A whole file that is small enough to be read at once, as text if it is text. @throws CarrelError `too_large` */
  async readWhole(
    workspace: FileWorkspace,
    reference: string,
  ): Promise<{ file: FileEntry; text: string } | { file: FileEntry; bytes: Uint8Array }> {
    const file = await this.find(workspace, { file: reference });
    if (file.size > MAX_RESOURCE_BYTES)
      throw new CarrelError(
        'too_large',
        'This file is larger than 256 KB. Use `file_read` for parts of a text, or `file_link`.',
        {
          details: { size: file.size, limit: MAX_RESOURCE_BYTES },
        },
      );
    const bytes = file.size === 0 ? new Uint8Array() : await collect(await this.bytes(file));
    if (!isTextType(file.type)) return { file, bytes };
    const { text, lossy } = decodeWindow(bytes, true, true, Infinity);
    return lossy ? { file, bytes } : { file, text };
  }

  /**
   * A window over the text that was read of a file: of a PDF, a Word document, HTML and any text.
   *
   * @param input.part a page or section, from 1; `offset` in UTF-16 code units of the whole text
   * @throws CarrelError `not_found`, `unavailable` (it is still being read), `unsupported` (it has none),
   *   `invalid_input` (there is no such part, or nothing at this offset)
   * @returns with `truncated` where a limit left out what comes after the text
   */
  async readExtracted(
    workspace: FileWorkspace,
    reference: FileReference,
    input: { part?: number | undefined; offset?: number | undefined; limit: number; version?: number | undefined },
  ): Promise<{ file: FileEntry; window: SectionWindow; truncated: boolean }> {
    const file = await this.find(workspace, reference, input.version);
    const text = await workspace.texts.text(file.sha256);
    if (!text)
      throw new CarrelError('unavailable', 'The text of this file is still being read. Try again in a few seconds.', {
        details: { retry_after: 3 },
      });
    if (text.kind === 'none')
      throw new CarrelError(
        'unsupported',
        `${NO_TEXT[text.reason] ?? 'It has no text'}. \`file_link\` gives an address to fetch its bytes.`,
        {
          details: { reason: text.reason },
        },
      );
    const { sectionsOf } = await import('./extract/window.ts');
    const { part, offset, limit } = input;
    const window = sectionsOf(text as ExtractedText, { part, offset, limit });
    if (!window)
      throw new CarrelError('invalid_input', 'There is no such part, or nothing at this offset.', {
        details: { parts: text.parts.length },
      });
    return { file, window, truncated: text.truncated };
  }

  /** Files whose path or text has all the words. @throws CarrelError `not_found` (the session), `invalid_input` */
  async search(
    { texts }: FileWorkspace,
    input: { query: string; session: string | undefined; folder: string; limit: number },
  ): Promise<readonly Found[]> {
    const match = matchOf(input.query);
    if (match === undefined) throw new CarrelError('invalid_input', 'Give at least one word to look for.');
    return texts.search({ ...input, match });
  }

  /**
   * Moves or renames a file, or all of a folder (`reports/`), also to another session; all or nothing.
   *
   * @throws CarrelError `not_found`, `conflict` (a path is taken)
   */
  async move(
    { files }: FileWorkspace,
    { file, session }: FileReference,
    to: { readonly path: string; readonly session: string | undefined },
  ): Promise<readonly FileEntry[]> {
    if (file.endsWith('/') !== to.path.endsWith('/'))
      throw new CarrelError(
        'invalid_input',
        'A folder is moved to a folder, a file to a path: both end with a slash, or neither.',
      );
    return files.move(file, session, to.path, to.session, Date.now());
  }

  /** Its bytes are not stored a second time. @throws CarrelError `not_found`, `conflict` (the path is taken) */
  async copy(
    { files }: FileWorkspace,
    { file, session }: FileReference,
    to: { readonly path: string; readonly session: string | undefined },
  ): Promise<FileEntry> {
    return files.copy(file, session, to.path, to.session, Date.now());
  }

  /** @throws CarrelError `not_found` */
  async tag({ files }: FileWorkspace, { file, session }: FileReference, tags: readonly string[]): Promise<FileEntry> {
    return files.tag(file, session, [...new Set(tags)], Date.now());
  }

  /** Puts a file, or all of a folder, into the trash. @throws CarrelError `not_found` */
  async delete({ files }: FileWorkspace, { file, session }: FileReference): Promise<readonly FileEntry[]> {
    return files.delete(file, session, Date.now());
  }

  /** Takes a file out of the trash. @throws CarrelError `not_found`, `conflict` (the path is taken) */
  async restore({ files }: FileWorkspace, id: string, to: string | undefined): Promise<FileEntry> {
    if (!isId('fil', id)) throw new CarrelError('not_found', 'There is no such file in the trash.');
    return files.restore(id, to, Date.now());
  }

  /** Makes an earlier version the present one, as a new version. @throws CarrelError `not_found` */
  async restoreVersion(
    { files }: FileWorkspace,
    { file, session }: FileReference,
    version: number,
  ): Promise<FileEntry> {
    return files.restoreVersion(file, session, version, Date.now());
  }

  /** All of a text file that is small enough to be changed at once; undefined for what is no UTF-8. */
  async wholeText(file: StoredFile): Promise<string | undefined> {
    if (!isTextType(file.type)) return undefined;
    if (file.size > MAX_RESOURCE_BYTES)
      throw new CarrelError('too_large', 'Files of more than 256 KB are not edited. Upload a new version.', {
        details: { size: file.size, limit: MAX_RESOURCE_BYTES },
      });
    const bytes = file.size === 0 ? new Uint8Array() : await collect(await this.bytes(file));
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return undefined;
    }
  }
}

/** Text types of which the text within is read, not their markup. */
const HAS_TEXT_WITHIN: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml']);

/** Why a file has no text, by the word of the extraction. */
const NO_TEXT: Readonly<Record<string, string>> = {
  no_text: 'It has no text: it may be made of images',
  encrypted: 'It opens with a password only',
  unsupported: 'Nobody here reads files of this type',
  malformed: 'It is not what its type says, or is broken',
  too_large: 'It is too large to be read',
  too_slow: 'It takes too long to be read',
};

/** Files of the trash that one step removes: others of the person's calls come in between. */
const TRASH_STEP = 1000;
/** Values that MCP allows in one answer to a completion; one more says that there are others. */
const MAX_COMPLETIONS = 100;
/** How often {@link FileService.wait} looks, in ms: each is a call of the workspace. */
const POLL_MS = 1000;

interface ListInput extends Omit<FileQuery, 'after'> {
  readonly scope: FileScope;
  readonly cursor: string | undefined;
}

export const notText = () =>
  new CarrelError('unsupported', 'This file is no text. `file_link` gives an address to fetch its bytes.');
