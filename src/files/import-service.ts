import { CarrelError } from '../lib/errors.ts';
import { guardedFetch } from '../web/guarded-fetch.ts';
import { nameOfAnswer } from './answer-name.ts';
import { filePath, IMPORT_MS, MAX_IMPORT_BYTES, mediaType } from './model.ts';
import type { AddressOwner, FileEntry, NewFile } from './model.ts';
import type { FileWorkspace } from './service.ts';
import type { UploadService } from './upload-service.ts';

export interface Import extends Omit<NewFile, 'path' | 'type' | 'sha256'> {
  readonly url: string;
  /** Of a file, or of a folder with the slash behind it, or nothing: then the answer names the file. */
  readonly path: string;
  /** The origin of this deployment. */
  readonly origin: string;
  readonly signal: AbortSignal;
}

/** Types that servers give to whatever they do not know: the name of a file says more. */
const SAYS_LITTLE: ReadonlySet<string> = new Set(['text/plain', 'application/octet-stream', 'binary/octet-stream']);

/** Files that are fetched from an address that somebody else chose. */
export class ImportService {
  readonly #uploads: UploadService;
  readonly #loopback: boolean;

  /** @param loopback whether http to this machine is fetched */
  constructor(uploads: UploadService, loopback: boolean) {
    this.#uploads = uploads;
    this.#loopback = loopback;
  }

  /**
   * Makes a file of what an address gives.
   *
   * @throws CarrelError as `guardedFetch` and `UploadService.create`; nothing is stored then
   */
  async import(
    workspace: FileWorkspace,
    owner: AddressOwner,
    { url: address, path, origin, signal, ...input }: Import,
  ): Promise<FileEntry> {
    // First, because whoever may no longer call must not have anything fetched, and a session must be there.
    await workspace.files.folder(input.session, '', 1, undefined);
    const limits = { maxBytes: MAX_IMPORT_BYTES, timeoutMs: IMPORT_MS };
    const { url, headers, length, body } = await guardedFetch({
      address,
      origin,
      loopback: this.#loopback,
      ...limits,
      signal,
    });
    const type = mediaType.safeParse(headers.get('Content-Type') ?? '').data;
    const named = path === '' || path.endsWith('/');
    const whole = named ? path + nameOfAnswer(headers.get('Content-Disposition'), url, type) : path;
    try {
      return await this.#uploads.create(
        workspace,
        owner,
        { ...input, path: checkedPath(whole), type: SAYS_LITTLE.has(type ?? '') ? undefined : type },
        { body, length },
        { maxBytes: MAX_IMPORT_BYTES, milliseconds: IMPORT_MS },
      );
    } catch (thrown) {
      // What was refused before it was read; one that was read is cancelled already.
      if (!body.locked) await body.cancel(thrown);
      throw thrown;
    }
  }
}

function checkedPath(path: string): string {
  const { data, error } = filePath.safeParse(path);
  if (data === undefined)
    throw new CarrelError(
      'invalid_input',
      `The path ${error?.issues[0]?.message ?? 'does not fit'}. Give another one.`,
    );
  return data;
}
