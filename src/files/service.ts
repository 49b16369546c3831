import { itemsWithinBudget } from '../lib/budget.ts';
import { decodeCursor, encodeCursor } from '../lib/cursor.ts';
import { byteLength } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { isId, newId } from '../lib/ids.ts';
import type { Keyring } from '../lib/keyring.ts';
import type { OpenWorkspace, Workspaces } from '../workspace/client.ts';
import { checkAddress, signAddress } from './addresses.ts';
import type { AddressClaims, AddressPurpose } from './addresses.ts';
import type { ByteRange, FileBucket } from './bucket.ts';
import { collect, longer, shorter, takeIn } from './intake.ts';
import { isTextType, recogniseType } from './media-types.ts';
import { ADDRESS_MS, MAX_READ_BYTES, MAX_RESOURCE_BYTES } from './model.ts';
import type { AddressOwner, FileEntry, StoredFile, UploadDeclaration } from './model.ts';
import type { Begun, FilePage } from './store.ts';
import { decodeWindow } from './text-window.ts';
import type { TextWindow } from './text-window.ts';

type FileWorkspace = Pick<OpenWorkspace, 'files'>;
type Files = OpenWorkspace['files'];
type Bytes = ReadableStream<Uint8Array>;

export interface FileServiceOptions {
  readonly bucket: FileBucket;
  readonly keyring: Keyring;
  readonly workspaces: Pick<Workspaces, 'open'>;
  /** Bytes of one upload, as the place where this runs takes them. */
  readonly limits: { readonly maxBytes: number };
}

/** An address with the file that it is for. */
export interface Address<File> {
  readonly file: File;
  /** The path on this deployment's origin. */
  readonly path: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

/** A body as it arrives. */
export interface IncomingBytes {
  /** Null when there is none, which is the body of an empty file. */
  readonly body: Bytes | null;
  /** What the sender says it has, in bytes; undefined when it does not say. */
  readonly length: number | undefined;
}

export interface NewFile {
  readonly name: string;
  readonly sha256?: string | undefined;
  /** Media type, used when the bytes do not say what they are. */
  readonly type?: string | undefined;
  /** Id or slug; undefined for the default session. */
  readonly session: string | undefined;
}

const noSuchFile = () => new CarrelError('not_found', 'There is no such file. `file_list` shows those there are.');

/** Files. Policy only; bytes go through as streams, what is known of them is in the workspace. */
export class FileService {
  readonly #bucket: FileBucket;
  readonly #keyring: Keyring;
  readonly #workspaces: Pick<Workspaces, 'open'>;
  readonly #maxBytes: number;

  constructor({ bucket, keyring, workspaces, limits }: FileServiceOptions) {
    this.#bucket = bucket;
    this.#keyring = keyring;
    this.#workspaces = workspaces;
    this.#maxBytes = limits.maxBytes;
  }

  /**
   * Expects a file, and says where its bytes go.
   *
   * @throws CarrelError `too_large`, `not_found` (no such session)
   */
  async expect(
    { files }: FileWorkspace,
    owner: AddressOwner,
    input: NewFile & { readonly size: number },
  ): Promise<Address<{ readonly id: string; readonly session: FileEntry['session'] }>> {
    this.#checkSize(input.size);
    const declaration = declared(input, input.size);
    const { session, expiresAt } = await files.declare(declaration, input.session, Date.now());
    const address = await this.#address('upload-address', owner, declaration.fileId, expiresAt);
    return { file: { id: declaration.fileId, session }, path: `/upload/${address}`, expiresAt };
  }

  /**
   * Takes the bytes that were sent to an upload address.
   *
   * @throws CarrelError `forbidden` (the address), `conflict` (it was used), `too_large` and
   *   `invalid_input` (other bytes than were declared; the address can be used again)
   */
  async receive(address: string, bytes: IncomingBytes): Promise<FileEntry> {
    const { workspaceId, fileId, grantId } = await this.#check('upload-address', address);
    const { files } = this.#workspaces.open(workspaceId, { kind: 'address', grantId, scope: 'files:write' });
    const objectKey = newObjectKey(workspaceId, fileId);
    return this.#attempt(files, objectKey, await files.begin(fileId, objectKey, Date.now()), bytes);
  }

  /**
   * Makes a file of bytes that are here.
   *
   * @throws CarrelError as {@link receive}, and `not_found` for the session
   */
  async create(
    { files }: FileWorkspace,
    owner: AddressOwner,
    input: NewFile,
    bytes: IncomingBytes & { readonly length: number },
  ): Promise<FileEntry> {
    this.#checkSize(bytes.length);
    const declaration = declared(input, bytes.length);
    const objectKey = newObjectKey(owner.workspaceId, declaration.fileId);
    const begun = await files.declareAndBegin(declaration, input.session, objectKey, Date.now());
    return this.#attempt(files, objectKey, begun, bytes);
  }

  /** Makes a file of text. */
  async write(
    workspace: FileWorkspace,
    owner: AddressOwner,
    input: { readonly name: string; readonly text: string; readonly session: string | undefined },
  ): Promise<FileEntry> {
    return this.create(workspace, owner, input, {
      body: new Blob([input.text]).stream(),
      length: byteLength(input.text),
    });
  }

  /** Newest first. @throws CarrelError `not_found` (the session), `invalid_input` (the cursor) */
  async list(
    { files }: FileWorkspace,
    input: { session: string | undefined; allSessions: boolean; limit: number; cursor: string | undefined },
  ): Promise<{ session: FilePage['session']; files: readonly FileEntry[]; nextCursor: string | undefined }> {
    const after = input.cursor === undefined ? undefined : decodeCursor(input.cursor);
    if (input.cursor !== undefined && after?.length !== 2)
      throw new CarrelError('invalid_input', 'The cursor is none that this list gave. Start again without one.');
    const scope = input.allSessions ? ({ all: true } as const) : { session: input.session };
    const page = await files.list(scope, { limit: input.limit, after });
    const fitting = itemsWithinBudget(page.files);
    const last = fitting.at(-1);
    const next = fitting.length < page.files.length && last ? [last.createdAt, last.id] : page.next;
    return { session: page.session, files: fitting, nextCursor: next && encodeCursor(next) };
  }

  /** @throws CarrelError `not_found`, in the same words for a file of somebody else and for none */
  async find({ files }: FileWorkspace, id: string): Promise<StoredFile> {
    const file = isId('fil', id) ? await files.get(id) : undefined;
    if (!file) throw noSuchFile();
    return file;
  }

  /** The file of a download address. @throws CarrelError `forbidden` (the address), `not_found` */
  async findByAddress(address: string): Promise<StoredFile> {
    const { workspaceId, fileId, grantId } = await this.#check('download-address', address);
    return this.find(this.#workspaces.open(workspaceId, { kind: 'address', grantId, scope: 'files:read' }), fileId);
  }

  /** The bytes of a file, or of a part. @throws CarrelError `not_found` when it was deleted a moment ago */
  async bytes(file: StoredFile, range?: ByteRange): Promise<Bytes> {
    const bytes = await this.#bucket.get(file.objectKey, range);
    if (!bytes) throw noSuchFile();
    return bytes;
  }

  /**
   * A part of a text file.
   *
   * @param input.offset in bytes; `start` and `end` of the answer are too
   * @throws CarrelError `not_found`, `unsupported` (no text), `invalid_input` (beyond the end)
   */
  async readText(
    workspace: FileWorkspace,
    input: { id: string; offset: number; limit: number },
  ): Promise<{ file: FileEntry; window: TextWindow }> {
    const file = await this.find(workspace, input.id);
    if (!isTextType(file.type))
      throw new CarrelError('unsupported', 'This file is no text. `file_link` gives an address to fetch its bytes.');
    const { offset } = input;
    if (offset > file.size)
      throw new CarrelError('invalid_input', 'The offset lies beyond the end of the file.', {
        details: { size: file.size },
      });
    const length = Math.min(input.limit, file.size - offset);
    const bytes = length === 0 ? new Uint8Array() : await collect(await this.bytes(file, { offset, length }));
    const window = decodeWindow(bytes, offset === 0, offset + length === file.size, MAX_READ_BYTES);
    return { file, window: { ...window, start: offset + window.start, end: offset + window.end } };
  }

  /** A whole file that is small enough to be read at once, as text if it is text. @throws CarrelError `too_large` */
  async readWhole(
    workspace: FileWorkspace,
    id: string,
  ): Promise<{ file: FileEntry; text: string } | { file: FileEntry; bytes: Uint8Array }> {
    const file = await this.find(workspace, id);
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

  /** A short-lived address from which anybody who has it can fetch the file. */
  async link(workspace: FileWorkspace, owner: AddressOwner, id: string): Promise<Address<FileEntry>> {
    const file = await this.find(workspace, id);
    const expiresAt = Date.now() + ADDRESS_MS;
    const address = await this.#address('download-address', owner, file.id, expiresAt);
    return { file, path: `/download/${address}`, expiresAt };
  }

  /** Takes a file out of the index; the workspace's agenda removes its bytes right after. */
  async delete({ files }: FileWorkspace, id: string): Promise<FileEntry> {
    const file = isId('fil', id) ? await files.delete(id, Date.now()) : undefined;
    if (!file) throw noSuchFile();
    return file;
  }

  /** Stores the bytes of an attempt that was begun, and puts its file into the index. */
  async #attempt(files: Files, objectKey: string, begun: Begun, bytes: IncomingBytes): Promise<FileEntry> {
    if (begun.outcome !== 'begun') throw notBegun(begun.outcome);
    const { fileId, name, size, sha256, type } = begun.declaration;
    let stored;
    try {
      this.#checkSize(size);
      if (bytes.length !== undefined && bytes.length > size) throw longer(size);
      if (bytes.length !== undefined && bytes.length < size) throw shorter(size, bytes.length);
      const body = bytes.body ?? new Blob([]).stream();
      const taken = await takeIn(this.#bucket, objectKey, body, { size, sha256, deadline: begun.deadline });
      stored = { sha256: taken.sha256, type: await recogniseType(taken.head, type, name) };
    } catch (thrown) {
      await this.#remove(objectKey, () => files.abandon(objectKey, Date.now()));
      throw thrown;
    }
    // Outside of the `try`: when the answer is lost, nobody knows whether the file is in the index now, and its
    // bytes must stay. If it is not, the sweep will find them.
    const entry = await files.commit(objectKey, fileId, stored, Date.now());
    if (entry) return entry;
    await this.#remove(objectKey);
    throw notBegun('used');
  }

  /** Removes the object of an attempt that failed, right away. Where that fails too, the sweep does it. */
  async #remove(objectKey: string, abandon?: () => Promise<void>): Promise<void> {
    await Promise.allSettled([this.#bucket.delete([objectKey]), abandon?.()]);
  }

  #checkSize(size: number): void {
    if (size > this.#maxBytes)
      throw new CarrelError('too_large', 'The file is larger than this deployment takes.', {
        details: { size, limit: this.#maxBytes },
      });
  }

  async #address(purpose: AddressPurpose, owner: AddressOwner, fileId: string, expiresAt: number): Promise<string> {
    const { workspaceId, grantId } = owner;
    return signAddress(this.#keyring, purpose, {
      workspaceId,
      fileId,
      grantId,
      expiresAt: Math.floor(expiresAt / 1000),
    });
  }

  async #check(purpose: AddressPurpose, address: string): Promise<AddressClaims> {
    const check = await checkAddress(this.#keyring, purpose, address, Date.now() / 1000);
    if (check.outcome === 'valid') return check.claims;
    const ask = purpose === 'upload-address' ? '`file_upload`' : '`file_link`';
    throw check.outcome === 'expired'
      ? new CarrelError('forbidden', `This address has expired. Ask for a new one with ${ask}.`)
      : new CarrelError(
          'forbidden',
          `This address is not valid: it was changed or cut. Ask for a new one with ${ask}.`,
        );
  }
}

/** A key that no other attempt has: two uploads never write the same object. */
function newObjectKey(workspaceId: string, fileId: string): string {
  return `${workspaceId}/${fileId}/${newId('att')}`;
}

function declared({ name, sha256, type }: NewFile, size: number): UploadDeclaration {
  return { fileId: newId('fil'), name, size, sha256, type };
}

function notBegun(outcome: Exclude<Begun['outcome'], 'begun'>): CarrelError {
  switch (outcome) {
    case 'used':
      return new CarrelError(
        'conflict',
        'This address was used: its file is stored. Ask for a new one for another file.',
      );
    case 'gone':
      return new CarrelError(
        'not_found',
        'No file is expected here any more. Ask for a new address with `file_upload`.',
      );
    case 'too_many_attempts':
      return new CarrelError(
        'limit_exceeded',
        'Too many uploads to this address have begun. Wait for them, or ask for a new one.',
      );
  }
}
