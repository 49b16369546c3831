import { CarrelError } from '../lib/errors.ts';
import type { OpenWorkspace, Workspaces } from '../workspace/client.ts';
import type { Addresses } from './addresses.ts';
import type { FileBucket } from './bucket.ts';
import { longer, shorter, takeIn } from './intake.ts';
import type { ExpectedBytes } from './intake.ts';
import { recogniseType } from './media-types.ts';
import { declared, newObjectKey } from './model.ts';
import type { AddressOwner, FileEntry, NewFile } from './model.ts';
import { baseName } from './paths.ts';
import { notText } from './service.ts';
import type { Address, FileReference, FileService, FileWorkspace } from './service.ts';
import type { Begun } from './upload-store.ts';

type Uploads = OpenWorkspace['uploads'];
type Bytes = ReadableStream<Uint8Array>;

interface UploadServiceOptions {
  readonly bucket: FileBucket;
  readonly addresses: Addresses;
  readonly workspaces: Pick<Workspaces, 'open'>;
  readonly files: FileService;
  /** Bytes of one upload, as the place where this runs takes them. */
  readonly limits: { readonly maxBytes: number };
}

/** A body as it arrives. */
export interface IncomingBytes {
  /** Null when there is none, which is the body of an empty file. */
  readonly body: Bytes | null;
  /** What the sender says it has, in bytes; undefined when it does not say. */
  readonly length: number | undefined;
}

/** The way of bytes into the shelf: one gate for size, room, checksum and type, and one commit. */
export class UploadService {
  readonly #bucket: FileBucket;
  readonly #addresses: Addresses;
  readonly #workspaces: Pick<Workspaces, 'open'>;
  readonly #files: FileService;
  readonly #maxBytes: number;

  constructor({ bucket, addresses, workspaces, files, limits }: UploadServiceOptions) {
    this.#bucket = bucket;
    this.#addresses = addresses;
    this.#workspaces = workspaces;
    this.#files = files;
    this.#maxBytes = limits.maxBytes;
  }

  /** Whether a file of this size cannot come in one request. */
  needsParts(size: number): boolean {
    return size > this.#maxBytes;
  }

  /**
   * Expects a file, and says where its bytes go.
   *
   * @throws CarrelError `too_large` (also where there is no room), `not_found` (no such session), `conflict`
   */
  async expect(
    { uploads }: FileWorkspace,
    owner: AddressOwner,
    input: NewFile & { readonly size: number },
  ): Promise<Address<{ readonly id: string; readonly session: FileEntry['session'] }>> {
    const declaration = declared(input, input.size, this.#maxBytes);
    const { session, fileId, expiresAt } = await uploads.declare(declaration, input.session, Date.now());
    const address = await this.#addresses.make('upload-address', owner, declaration.uploadId, expiresAt);
    return { file: { id: fileId, session }, path: `/upload/${address}`, expiresAt };
  }

  /**
   * Takes the bytes that were sent to an upload address.
   *
   * @throws CarrelError `forbidden` (the address), `conflict` (it was used), `too_large` and
   *   `invalid_input` (other bytes than were declared; the address can be used again)
   */
  async receive(address: string, bytes: IncomingBytes): Promise<FileEntry> {
    const { workspaceId, subject, grantId } = await this.#addresses.open('upload-address', address);
    const { uploads } = this.#workspaces.open(workspaceId, { kind: 'address', grantId, scope: 'files:write' });
    const objectKey = newObjectKey(workspaceId);
    return this.#attempt(uploads, objectKey, await uploads.begin(subject, objectKey, Date.now()), bytes);
  }

  /**
   * Makes a file of bytes that are here, or on their way. Where nobody knows how many come, room is taken for as many
   * as may, or for what is left, and what is not needed is given back.
   *
   * @param bounds.maxBytes what they may be at most, where that is not what one request may bring
   * @param bounds.milliseconds how long they may take
   * @throws CarrelError as {@link receive}, `not_found` for the session, and whatever the body ends with
   */
  async create(
    { uploads }: FileWorkspace,
    owner: AddressOwner,
    input: NewFile,
    bytes: IncomingBytes,
    { maxBytes = this.#maxBytes, milliseconds }: { readonly maxBytes?: number; readonly milliseconds?: number } = {},
  ): Promise<FileEntry> {
    const { length = maxBytes } = bytes;
    const atMost = bytes.length === undefined || undefined;
    const once = onceName(owner, input.session, input.path);
    const declaration = { ...declared(input, length, maxBytes), atMost, once };
    const objectKey = newObjectKey(owner.workspaceId);
    const begun = await uploads.declareAndBegin(declaration, input.session, objectKey, Date.now(), milliseconds);
    if (begun.outcome === 'stored') return begun.file;
    return this.#attempt(uploads, objectKey, begun, bytes, { last: true, atMost, once });
  }

  /** Makes a file of what is here already, or a version of one. */
  async write(
    workspace: FileWorkspace,
    owner: AddressOwner,
    input: NewFile & { readonly content: string | Uint8Array<ArrayBuffer> },
  ): Promise<FileEntry> {
    const bytes = new Blob([input.content]);
    return this.create(workspace, owner, input, { body: bytes.stream() as Bytes, length: bytes.size });
  }

  /**
   * Replaces passages of a text file, each of which must stand there exactly once; all or none.
   *
   * @param input.expectedVersion the version that the caller has read
   * @throws CarrelError `not_found`, `conflict` (another version, or a passage that is not there once),
   *   `unsupported` (no UTF-8 text), `too_large`
   */
  async edit(
    workspace: FileWorkspace,
    owner: AddressOwner,
    reference: FileReference,
    input: {
      readonly edits: readonly { readonly old: string; readonly new: string }[];
      readonly expectedVersion: number;
    },
  ): Promise<FileEntry> {
    const file = await this.#files.find(workspace, reference);
    const once = onceName(owner, file.session.id, file.path);
    const stored = once === undefined ? undefined : await workspace.uploads.storedOnce(once);
    if (stored) return stored;
    if (file.version !== input.expectedVersion)
      throw new CarrelError('conflict', 'The file was changed meanwhile. Read it again.', {
        details: { version: file.version },
      });
    const whole = await this.#files.wholeText(file);
    if (whole === undefined) throw notText();
    const text = input.edits.reduce((present, edit, index) => replaceOnce(present, edit, index), whole);
    const { path, session, expectedVersion } = { ...file, session: file.session.id, ...input };
    return this.write(workspace, owner, { path, session, expectedVersion, content: text, type: file.type });
  }

  /**
   * Stores the bytes of an attempt that was begun, and puts its file into the index.
   *
   * @param how.once the name under which it is stored once
   * @param how.last whether nobody can attempt it again: then its room is given back with it
   * @param how.atMost whether the declared size is a bound
   */
  async #attempt(
    uploads: Uploads,
    objectKey: string,
    begun: Begun,
    bytes: IncomingBytes,
    how: {
      readonly last?: boolean;
      readonly atMost?: boolean | undefined;
      readonly once?: string | undefined;
    } = {},
  ): Promise<FileEntry> {
    if (begun.outcome !== 'begun') throw notBegun(begun.outcome === 'stored' ? 'used' : begun.outcome);
    const { uploadId, path, size, sha256, type } = begun.declaration;
    let stored;
    try {
      const body = bytes.body ?? (new Blob([]).stream() as Bytes);
      const expected = { size, sha256, deadline: begun.deadline };
      const { head, ...taken } = how.atMost
        ? await (await import('./intake-at-most.ts')).takeInAtMost(this.#bucket, objectKey, body, expected)
        : await this.#takeIn(objectKey, body, expected, bytes.length);
      stored = { ...taken, type: await recogniseType(head, type, baseName(path)) };
    } catch (thrown) {
      await this.#remove(objectKey, () => uploads.abandon(objectKey, Date.now(), how.last ? uploadId : undefined));
      throw thrown;
    }
    // Outside of the `try`: when the answer is lost, nobody knows whether the file is in the index now, and its
    // bytes must stay. If it is not, the sweep will find them.
    const committed = await uploads.commit(objectKey, uploadId, stored, Date.now(), how.once);
    if (committed.outcome === 'committed') return committed.file;
    await this.#remove(objectKey);
    if (committed.outcome === 'used') throw notBegun('used');
    throw new CarrelError(
      'conflict',
      'The path was taken, or the file changed, while the bytes came. Nothing was stored.',
      {
        details: { version: committed.version },
      },
    );
  }

  async #takeIn(objectKey: string, body: Bytes, expected: ExpectedBytes, length: number | undefined) {
    const { size } = expected;
    if (length !== undefined && length > size) throw longer(size);
    if (length !== undefined && length < size) throw shorter(size, length);
    return takeIn(this.#bucket, objectKey, body, expected);
  }

  /** Removes the object of an attempt that failed, right away. Where that fails too, the sweep does it. */
  async #remove(objectKey: string, abandon?: () => Promise<void>): Promise<void> {
    await Promise.allSettled([this.#bucket.delete([objectKey]), abandon?.()]);
  }
}

/** A step may store several files, each of them once. */
function onceName({ once }: AddressOwner, session: string | undefined, path: string): string | undefined {
  return once === undefined ? undefined : `${once}\n${session ?? ''}\n${path}`;
}

/** @throws CarrelError `conflict` when the passage does not stand there exactly once */
function replaceOnce(text: string, edit: { readonly old: string; readonly new: string }, index: number): string {
  const at = text.indexOf(edit.old);
  if (at < 0 || text.indexOf(edit.old, at + 1) >= 0)
    throw new CarrelError(
      'conflict',
      at < 0
        ? `The passage of edit ${index + 1} does not stand in the file. Read it again, and copy the passage exactly.`
        : `The passage of edit ${index + 1} stands in the file more than once. Give more of what is around it.`,
    );
  return text.slice(0, at) + edit.new + text.slice(at + edit.old.length);
}

function notBegun(outcome: Exclude<Begun['outcome'], 'begun' | 'stored'>): CarrelError {
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
    case 'in_parts':
      return new CarrelError(
        'conflict',
        'This file comes in parts: PUT each to this address followed by /parts/NUMBER.',
      );
    case 'too_many_attempts':
      return new CarrelError(
        'limit_exceeded',
        'Too many uploads to this address have begun. Wait for them, or ask for a new one.',
      );
  }
}
