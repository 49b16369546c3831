import * as z from 'zod';

import type { AuditTrail } from '../../directory/audit.ts';
import type { Person } from '../../directory/types.ts';
import { CarrelError } from '../../lib/errors.ts';
import { newId } from '../../lib/ids.ts';
import type { Keyring } from '../../lib/keyring.ts';
import type { OpenWorkspace, Workspaces } from '../../workspace/client.ts';
import type { ByteRange } from '../bucket.ts';
import { folderPath } from '../model.ts';
import type { StoredFile } from '../model.ts';
import { baseName } from '../paths.ts';
import type { FileService } from '../service.ts';
import type { FolderZip } from '../zip/folder-zip.ts';
import { checkShareAddress, shareAddress } from './address.ts';
import type { FoundShare, ShareEntry, ShareTarget } from './model.ts';

/** How long a share may live, in days: as long as a secret is kept after its rotation, and no longer. */
export const SHARE_DAYS = [1, 7, 30] as const;
export const MAX_SHARE_USES = 1000;
/** Characters. Guesses are limited, too: a thousand a day. */
export const MIN_PASSWORD = 8;
const MAX_PASSWORD = 200;
const DAY_MS = 86_400_000;

/** What somebody chooses to share. */
export const shareSubject = z.union([
  z.object({ file: z.string().min(1).max(100) }).transform(({ file }) => ({ fileId: file })),
  z.object({ session: z.string().min(1).max(200), folder: folderPath.default('') }),
]);

/** What the form says of a share; each fault is a sentence for its reader. */
export const shareTerms = z.object({
  days: z.coerce.number().refine((days) => SHARE_DAYS.some((each) => each === days), 'Choose how long it works.'),
  uses: z
    .string()
    .transform((text) => (text === '' ? undefined : Number(text)))
    .refine((uses) => uses === undefined || (Number.isInteger(uses) && uses >= 1 && uses <= MAX_SHARE_USES), {
      error: `Give a number from 1 to ${MAX_SHARE_USES}, or leave it empty.`,
    }),
  password: z
    .string()
    .transform((text) => (text === '' ? undefined : text))
    .refine((text) => text === undefined || (text.length >= MIN_PASSWORD && text.length <= MAX_PASSWORD), {
      error: `A password has from ${MIN_PASSWORD} to ${MAX_PASSWORD} characters. Leave it empty for none.`,
    }),
});

/** What a share gives, as it is shown. */
export interface Offered {
  readonly name: string;
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** Of a folder, which comes as a zip. */
  readonly files: number | undefined;
}

/** What a visitor sees before they download. */
export interface Visit extends Pick<FoundShare, 'expiresAt' | 'usesLeft'> {
  /** Undefined while it is locked: a name says much of what is in a file. */
  readonly offered: Offered | undefined;
}

export type Downloaded =
  | { readonly kind: 'file'; readonly file: StoredFile }
  | { readonly kind: 'zip'; readonly zip: FolderZip }
  | { readonly kind: 'wrong_password' };

export type ShareSubject = z.output<typeof shareSubject>;

/** A share with the path of its page on this deployment's origin. */
export type ListedShare = ShareEntry & { readonly address: string };

interface ShareServiceOptions {
  readonly workspaces: Pick<Workspaces, 'open'>;
  readonly keyring: Keyring;
  readonly files: FileService;
  readonly audit: AuditTrail;
}

/**
 * Links that a person makes to a file or a folder of theirs, lists and ends. They are nobody's grant: they last until
 * they expire, are ended, or their file is deleted, and while their person may enter.
 */
export class ShareService {
  readonly #options: ShareServiceOptions;

  constructor(options: ShareServiceOptions) {
    this.#options = options;
  }

  /** Newest first. */
  async list({ id: workspaceId }: Person): Promise<ListedShare[]> {
    const shares = await this.#own(workspaceId).shares.list(Date.now());
    return Promise.all(
      shares.map(async (share) => ({ ...share, address: await this.#address(workspaceId, share.id) })),
    );
  }

  /** What somebody is about to share. @throws CarrelError `not_found`, `too_large` (a folder of too many files) */
  async offer({ id }: Person, target: ShareTarget): Promise<Offered> {
    return offeredOf(await this.#content(this.#own(id), target));
  }

  /** @throws CarrelError `not_found`, `too_large`, `limit_exceeded` (as many as one may have) */
  async make(
    { id: personId }: Person,
    target: ShareTarget,
    { days, uses, password }: z.infer<typeof shareTerms>,
    requestId: string,
  ): Promise<void> {
    const { audit } = this.#options;
    const workspace = this.#own(personId);
    // What can be fetched by nobody is not shared either.
    await this.#content(workspace, target);
    const [id, now] = [newId('shr'), Date.now()];
    await workspace.shares.make({ id, target, expiresAt: now + days * DAY_MS, maxUses: uses, password }, now);
    const detail = {
      share: id,
      of: 'fileId' in target ? target.fileId : 'folder',
      days,
      ...(uses === undefined ? {} : { uses }),
      password: password !== undefined,
    };
    await audit.record({ action: 'share_made', personId, requestId, detail });
  }

  /** Ends a share, from the next request on. @throws CarrelError `not_found`, also for a share of somebody else */
  async end({ id: personId }: Person, shareId: string, requestId: string): Promise<void> {
    if (!(await this.#own(personId).shares.revoke(shareId)))
      throw new CarrelError('not_found', 'There is no such share. It may have been ended before.');
    await this.#options.audit.record({ action: 'share_ended', personId, requestId, detail: { share: shareId } });
  }

  /** What is behind an address. @throws CarrelError `not_found`, `forbidden` (used as often as it may be) */
  async visit(address: string): Promise<Visit> {
    const { found, content } = await this.#visited(address);
    const { isLocked, expiresAt, usesLeft } = found;
    if (usesLeft === 0) throw new CarrelError('forbidden', 'This was downloaded as often as it may be.');
    return { expiresAt, usesLeft, offered: isLocked ? undefined : offeredOf(content) };
  }

  /**
   * Takes one use of a share. It counts when the answer begins, whether or not it arrives.
   *
   * @throws CarrelError `not_found`, `forbidden` (used as often as it may be), `limit_exceeded` (wrong passwords)
   */
  async download(address: string, password: string): Promise<Downloaded> {
    const { found, content, shares, shareId } = await this.#visited(address);
    if (found.isLocked && !(await hidden(shares.unlock(shareId, password, Date.now()))))
      return { kind: 'wrong_password' };
    await hidden(shares.take(shareId, Date.now()));
    return content;
  }

  async bytes(file: StoredFile, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array>> {
    return this.#options.files.bytes(file, range);
  }

  async #visited(address: string) {
    const claims = await checkShareAddress(this.#options.keyring, address);
    if (!claims) throw noSuchShare();
    const { workspaceId, shareId } = claims;
    const workspace = this.#options.workspaces.open(workspaceId, { kind: 'share', shareId });
    const found = await hidden(workspace.shares.find(shareId, Date.now()));
    const content = await hidden(this.#content(workspace, found.target));
    return { found, content, shares: workspace.shares, shareId };
  }

  async #content(
    workspace: OpenWorkspace,
    target: ShareTarget,
  ): Promise<Exclude<Downloaded, { readonly kind: 'wrong_password' }>> {
    const { files } = this.#options;
    return 'fileId' in target
      ? { kind: 'file', file: await files.find(workspace, { file: target.fileId }) }
      : { kind: 'zip', zip: await files.zip(workspace, target) };
  }

  #own(workspaceId: string): OpenWorkspace {
    return this.#options.workspaces.open(workspaceId, { kind: 'person' });
  }

  async #address(workspaceId: string, shareId: string): Promise<string> {
    return `/s/${await shareAddress(this.#options.keyring, { workspaceId, shareId })}`;
  }
}

function offeredOf(content: Exclude<Downloaded, { readonly kind: 'wrong_password' }>): Offered {
  if (content.kind === 'file') {
    const { path, type, size } = content.file;
    return { name: baseName(path), type, size, files: undefined };
  }
  const { name, size, files } = content.zip;
  return { name, type: 'application/zip', size, files };
}

/** One answer for what expired, was ended or deleted, and for what never was. */
const noSuchShare = () =>
  new CarrelError('not_found', 'There is nothing at this address. It may have expired, or was taken back.');

/** What is not there, whatever it is that is missing, is the share itself. */
async function hidden<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (thrown) {
    throw thrown instanceof CarrelError && thrown.code === 'not_found' ? noSuchShare() : thrown;
  }
}
