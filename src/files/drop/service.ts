import * as z from 'zod';

import { CarrelError } from '../../lib/errors.ts';
import type { Workspaces } from '../../workspace/client.ts';
import type { Addresses } from '../addresses.ts';
import { filePath, fileSize, mediaType, PART_BYTES, partsOf } from '../model.ts';
import type { AddressOwner, FileEntry } from '../model.ts';
import type { PartsService } from '../parts-service.ts';
import type { Address, FileWorkspace } from '../service.ts';
import type { UploadService } from '../upload-service.ts';

/** What the page says of a file before it sends it. */
export const droppedFile = z.strictObject({
  name: z.string().max(4000),
  size: fileSize,
  // What a browser says of a file it does not know may be no media type: then the bytes alone tell.
  type: mediaType.optional().catch(undefined),
});

/** How long a page takes files, in ms. */
const PAGE_MS = 3_600_000;

interface DropServiceOptions {
  readonly addresses: Addresses;
  readonly workspaces: Pick<Workspaces, 'open'>;
  readonly uploads: UploadService;
  readonly parts: PartsService;
}

/** Where files that are dropped on a page go. */
interface DropPlace {
  readonly session: FileEntry['session'];
  /** With the slash behind it; empty for none. */
  readonly folder: string;
}

/** Where the bytes of a file go. */
interface ExpectedFile {
  readonly path: string;
  /** How many and how large; undefined for all bytes at once. */
  readonly parts: { readonly count: number; readonly size: number } | undefined;
}

/**
 * Pages on which a person drops files, for agents whose own sandbox may not reach us. Whoever has the address of
 * one can add files to its folder, see no other, and change none; it ends with its hour or with the grant that made it.
 */
export class DropService {
  readonly #options: DropServiceOptions;

  constructor(options: DropServiceOptions) {
    this.#options = options;
  }

  /** @throws CarrelError `not_found` (no such session) */
  async open(
    { files }: FileWorkspace,
    owner: AddressOwner,
    { session: reference, folder }: { readonly session?: string | undefined; readonly folder: string },
  ): Promise<Address<DropPlace>> {
    const { session } = await files.folder(reference, folder, 1, undefined);
    if (!session) throw new TypeError('a folder is of a session');
    const expiresAt = Date.now() + PAGE_MS;
    const address = await this.#options.addresses.make('drop-address', owner, `${session.id}/${folder}`, expiresAt);
    return { file: { session, folder }, path: `/drop/${address}`, expiresAt };
  }

  /** What a page is for. @throws CarrelError `forbidden` (the address), `not_found` */
  async place(address: string): Promise<DropPlace & { readonly expiresAt: number }> {
    const { place, expiresAt } = await this.#place(address);
    return { ...place, expiresAt };
  }

  /**
   * Expects one of the files that were dropped.
   *
   * @throws CarrelError `forbidden` (the address), `invalid_input` (the name), `too_large`
   */
  async expect(address: string, file: z.infer<typeof droppedFile>): Promise<ExpectedFile> {
    const { uploads, parts } = this.#options;
    const { workspace, owner, place } = await this.#place(address);
    const path = filePath.safeParse(place.folder + file.name);
    // Read by whoever dropped the file: they know of no path.
    if (!path.success)
      throw new CarrelError('invalid_input', `Its name ${path.error.issues[0]?.message ?? 'does not fit'}.`);
    const inParts = uploads.needsParts(file.size);
    const input = {
      path: path.data,
      size: file.size,
      type: file.type,
      session: place.session.id,
      // A person who drops a photo that is there already wants two, or has both under one name.
      ifExists: 'keep_both',
    } as const;
    const { path: where } = await (inParts ? parts : uploads).expect(workspace, owner, input);
    return { path: where, parts: inParts ? { count: partsOf(file.size), size: PART_BYTES } : undefined };
  }

  async #place(address: string) {
    const { addresses, workspaces } = this.#options;
    const { workspaceId, subject, grantId, expiresAt } = await addresses.open('drop-address', address);
    const workspace = workspaces.open(workspaceId, { kind: 'address', grantId, scope: 'files:write' });
    const slash = subject.indexOf('/');
    const folder = subject.slice(slash + 1);
    const { session } = await workspace.files.folder(subject.slice(0, slash), folder, 1, undefined);
    if (!session) throw new TypeError('a folder is of a session');
    return { workspace, owner: { workspaceId, grantId }, place: { session, folder }, expiresAt: expiresAt * 1000 };
  }
}
