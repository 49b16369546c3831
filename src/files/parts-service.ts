import { CarrelError } from '../lib/errors.ts';
import type { OpenWorkspace, Workspaces } from '../workspace/client.ts';
import type { Addresses } from './addresses.ts';
import type { FileBucket } from './bucket.ts';
import { takeInPart } from './intake.ts';
import { declared, MAX_IN_PARTS_BYTES, newObjectKey, PARTS_MS } from './model.ts';
import type { AddressOwner, FileEntry, NewFile, PartsStatus, StoredPart } from './model.ts';
import type { Address, FileWorkspace } from './service.ts';
import type { IncomingBytes } from './upload-service.ts';

type Parts = OpenWorkspace['parts'];

interface PartsServiceOptions {
  readonly bucket: FileBucket;
  readonly addresses: Addresses;
  readonly workspaces: Pick<Workspaces, 'open'>;
}

/** Large files, which come in parts that may break off and be sent again. */
export class PartsService {
  readonly #bucket: FileBucket;
  readonly #addresses: Addresses;
  readonly #workspaces: Pick<Workspaces, 'open'>;

  constructor({ bucket, addresses, workspaces }: PartsServiceOptions) {
    this.#bucket = bucket;
    this.#addresses = addresses;
    this.#workspaces = workspaces;
  }

  /**
   * Expects a file in parts, and says where they go.
   *
   * @throws CarrelError `too_large` (also where there is no room), `not_found` (no such session), `conflict`
   */
  async expect(
    { uploads, parts }: FileWorkspace,
    owner: AddressOwner,
    input: NewFile & { readonly size: number },
  ): Promise<Address<{ readonly id: string; readonly session: FileEntry['session'] }>> {
    const declaration = declared(input, input.size, MAX_IN_PARTS_BYTES);
    const { uploadId } = declaration;
    const now = Date.now();
    const { session, fileId, expiresAt } = await uploads.declare(declaration, input.session, now, PARTS_MS);
    const objectKey = newObjectKey(owner.workspaceId);
    // After the room was taken: a refusal must leave nothing in the bucket. What a crash leaves here expires in both.
    await parts.begin(uploadId, { objectKey, multipartId: await this.#bucket.beginParts(objectKey) }, now);
    const address = await this.#addresses.make('upload-address', owner, uploadId, expiresAt);
    return { file: { id: fileId, session }, path: `/upload/${address}`, expiresAt };
  }

  /** @throws CarrelError `forbidden` (the address), `not_found` */
  async status(address: string): Promise<PartsStatus> {
    const { parts, uploadId } = await this.#open(address);
    return parts.status(uploadId, Date.now());
  }

  /**
   * Stores one part. It may be sent again, also one that is there.
   *
   * @throws CarrelError `forbidden` (the address), `not_found`, `conflict` (it is complete), `invalid_input` and
   *   `too_large` (another length than the part has), `unavailable`
   */
  async receive(address: string, number: number, bytes: IncomingBytes): Promise<StoredPart> {
    const { parts, uploadId } = await this.#open(address);
    const { objectKey, multipartId, length } = await parts.beginPart(uploadId, number, Date.now());
    const { sha256, etag } = await takeInPart(bytes, length, (body) =>
      this.#bucket.putPart(objectKey, multipartId, number, body),
    );
    const part = { number, size: length, sha256 };
    await parts.recordPart(uploadId, part, etag, Date.now());
    return part;
  }

  /**
   * Makes the file of its parts, once all are there. Its bytes are read back then; {@link status} tells when the
   * file is there. May be repeated.
   *
   * @throws CarrelError `forbidden` (the address), `not_found`, `conflict` (parts are missing, with `missing`)
   */
  async complete(address: string): Promise<PartsStatus> {
    const { parts, uploadId } = await this.#open(address);
    const object = await parts.beginCompletion(uploadId, Date.now());
    if (object) {
      try {
        await this.#bucket.completeParts(object.objectKey, object.multipartId, object.parts);
      } catch (cause) {
        await parts.reopen(uploadId);
        throw new CarrelError('unavailable', 'The parts could not be put together. Complete it again.', { cause });
      }
      await parts.verify(uploadId, Date.now());
    }
    return parts.status(uploadId, Date.now());
  }

  /** Forgets an upload with the parts that are there. @throws CarrelError `forbidden`, `not_found`, `conflict` */
  async abort(address: string): Promise<void> {
    const { parts, uploadId } = await this.#open(address);
    const object = await parts.abort(uploadId, Date.now());
    if (object) await this.#bucket.abortParts(object.objectKey, object.multipartId);
  }

  async #open(address: string): Promise<{ parts: Parts; uploadId: string }> {
    const { workspaceId, subject: uploadId, grantId } = await this.#addresses.open('upload-address', address);
    const { parts } = this.#workspaces.open(workspaceId, { kind: 'address', grantId, scope: 'files:write' });
    return { parts, uploadId };
  }
}
