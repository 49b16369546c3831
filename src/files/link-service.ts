import type { Workspaces } from '../workspace/client.ts';
import type { Addresses } from './addresses.ts';
import { folderPath, noSuchFile } from './model.ts';
import type { AddressOwner, FileEntry, StoredFile } from './model.ts';
import type { Address, FileReference, FileService, FileWorkspace } from './service.ts';
import type { FolderZip } from './zip/folder-zip.ts';

interface LinkServiceOptions {
  readonly addresses: Addresses;
  readonly workspaces: Pick<Workspaces, 'open'>;
  readonly files: FileService;
}

/** What an address is for: a file, its newest version, or a folder, packed as it is when it is fetched. */
export type Linked<File extends FileEntry = FileEntry> = { readonly file: File } | { readonly zip: FolderZip };

/** Who comes with an address, and what it opens. */
export type OpenedLink = Linked<StoredFile> & {
  /**
   * Lets an answer go out that carries bytes, or one that carries none. One with bytes is a use, whichever bytes: a
   * client that asks for all but the first must not have them for nothing. Of many at once, those that the object
   * takes first are let out.
   *
   * @throws CarrelError `forbidden` when the address was used as often as it may be
   */
  readonly admit: (hasBytes: boolean) => Promise<void>;
};

/** Addresses from which anybody who has one can fetch a file or a folder, until it expires or its grant ends. */
export class LinkService {
  readonly #options: LinkServiceOptions;

  constructor(options: LinkServiceOptions) {
    this.#options = options;
  }

  /**
   * Makes an address.
   *
   * @param reference a file, or a folder, which ends with a slash; `/` is all of the session
   * @param terms.uses undefined for any number
   * @throws CarrelError `not_found`, `too_large` (a folder of too many files)
   */
  async link(
    workspace: FileWorkspace,
    owner: AddressOwner,
    reference: FileReference,
    terms: { readonly minutes: number; readonly uses?: number | undefined },
  ): Promise<Address<Linked>> {
    const { addresses, files } = this.#options;
    const folder = folderOf(reference.file);
    const linked: Linked =
      folder === undefined
        ? { file: await files.find(workspace, reference) }
        : { zip: await files.zip(workspace, { session: reference.session, folder }) };
    const subject = 'file' in linked ? linked.file.id : `${linked.zip.session.id}/${linked.zip.folder}`;
    const expiresAt = Date.now() + terms.minutes * 60_000;
    const address = await addresses.make('download-address', owner, subject, expiresAt, terms.uses);
    return { file: linked, path: `/download/${address}`, expiresAt };
  }

  /** What an address is for. @throws CarrelError `forbidden` (the address), `not_found` */
  async open(address: string): Promise<OpenedLink> {
    const { addresses, workspaces, files } = this.#options;
    const { workspaceId, subject, grantId, expiresAt, count } = await addresses.open('download-address', address);
    const workspace = workspaces.open(workspaceId, { kind: 'address', grantId, scope: 'files:read' });
    const admit = async (hasBytes: boolean) => {
      if (count) await workspace.shares.useAddress(count.id, count.uses, expiresAt * 1000, hasBytes);
    };
    const slash = subject.indexOf('/');
    if (slash < 0) return { file: await files.find(workspace, { file: subject }), admit };
    const place = { session: subject.slice(0, slash), folder: subject.slice(slash + 1) };
    return { zip: await files.zip(workspace, place), admit };
  }
}

/**
 * The folder that a reference names, with its slash, empty for all of the session; undefined for a file.
 *
 * @throws CarrelError `not_found` for what can be no folder
 */
function folderOf(reference: string): string | undefined {
  if (!reference.endsWith('/')) return undefined;
  if (reference === '/') return '';
  const { data } = folderPath.safeParse(reference);
  if (data === undefined) throw noSuchFile();
  return data;
}
