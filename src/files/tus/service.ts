import { CarrelError } from '../../lib/errors.ts';
import type { OpenWorkspace, Workspaces } from '../../workspace/client.ts';
import type { Addresses } from '../addresses.ts';
import type { FileBucket } from '../bucket.ts';
import { declared, MAX_IN_PARTS_BYTES, newObjectKey, PARTS_MS, TUS_FIRST_MS, TUS_PART_BYTES } from '../model.ts';
import type { AddressOwner, NewFile, TusUpload } from '../model.ts';
import type { IncomingBytes } from '../upload-service.ts';
import { takeBytes } from './taking.ts';
import type { Checksum, Destination } from './taking.ts';

interface TusServiceOptions {
  readonly bucket: FileBucket;
  readonly addresses: Addresses;
  readonly workspaces: Pick<Workspaces, 'open'>;
}

/** What an uploader hears of bytes that were taken. */
export type Received =
  | {
      readonly outcome: 'taken';
      readonly offset: number;
      /** How long it waits for more (ms since the epoch); undefined when all are here. */
      readonly expiresAt: number | undefined;
    }
  /** They have another checksum; none of them counts. */
  | { readonly outcome: 'mismatch' };

/** Bytes of one request. */
export interface TusBytes extends IncomingBytes {
  readonly checksum: Checksum | undefined;
}

/** How often it is looked, at first after 10 ms and then twice as long each time: 10 s together for a file. */
const FILE_LOOKS = 11;
/** 1.3 s together. */
const RESUME_LOOKS = 8;

/** Files that come by tus (https://tus.io/protocols/resumable-upload): a piece of any length after the other. */
export class TusService {
  readonly #bucket: FileBucket;
  readonly #addresses: Addresses;
  readonly #workspaces: Pick<Workspaces, 'open'>;

  constructor({ bucket, addresses, workspaces }: TusServiceOptions) {
    this.#bucket = bucket;
    this.#addresses = addresses;
    this.#workspaces = workspaces;
  }

  /**
   * Expects a file, and says where its bytes go.
   *
   * @param first bytes that come with it; undefined for none. Where they are refused, nothing is expected
   * @throws CarrelError `too_large` (also where there is no room), `not_found` (no such session), `conflict`, and as
   *   {@link receive}
   */
  async create(
    { uploads, tus }: Pick<OpenWorkspace, 'uploads' | 'tus'>,
    owner: AddressOwner,
    { metadata, ...file }: NewFile & { readonly size: number; readonly metadata: string | undefined },
    first: TusBytes | undefined,
  ): Promise<{ readonly path: string; readonly expiresAt: number; readonly received: Received | undefined }> {
    const declaration = declared(file, file.size, MAX_IN_PARTS_BYTES);
    const { uploadId, size } = declaration;
    const now = Date.now();
    const { expiresAt } = await uploads.declare(declaration, file.session, now, TUS_FIRST_MS);
    const objectKey = newObjectKey(owner.workspaceId);
    // After the room was taken: a refusal must leave nothing in the bucket. What a crash leaves here expires in both.
    const multipartId = size > TUS_PART_BYTES ? await this.#bucket.beginParts(objectKey) : '';
    await tus.begin(uploadId, { objectKey, multipartId, metadata: metadata ?? null }, now);
    const until = now + PARTS_MS;
    const address = await this.#addresses.make('tus-address', owner, uploadId, until);
    const created = { path: `/tus/${address}`, expiresAt };
    // A file of no bytes is complete.
    const bytes = first ?? (size === 0 ? NOTHING : undefined);
    if (!bytes) return { ...created, received: undefined };
    const place = { tus, uploads, uploadId, workspaceId: owner.workspaceId, until };
    const received = await this.#take(place, 0, bytes).catch(async (thrown: unknown) => {
      // Nobody was told where to go on.
      await this.#terminate(place).catch(() => undefined);
      throw thrown;
    });
    if (received.outcome === 'mismatch') await this.#terminate(place);
    return { ...created, received };
  }

  /** @throws CarrelError `forbidden` (the address), `not_found` */
  async status(address: string): Promise<TusUpload> {
    const { tus, uploadId } = await this.#open(address);
    return tus.get(uploadId, Date.now());
  }

  /**
   * From where to go on. Where a request is under way it waits a moment: mostly its connection has just broken, and
   * what came of it is being stored.
   *
   * @throws CarrelError `forbidden` (the address), `not_found`
   */
  async resume(address: string): Promise<TusUpload> {
    const { tus, uploadId } = await this.#open(address);
    return lookUntil(
      RESUME_LOOKS,
      async () => tus.get(uploadId, Date.now()),
      ({ isBusy }) => !isBusy,
    );
  }

  /**
   * Takes bytes that follow those that are here. With the last ones it waits for the file, for ten seconds at most:
   * a large one is there later.
   *
   * @throws CarrelError `forbidden` (the address), `not_found`, `conflict` (another offset, or another request began), `too_large` (more than the upload has), `invalid_input` (it broke off, or the file was refused),
   *   `limit_exceeded`, `unavailable`
   */
  async receive(address: string, offset: number, bytes: TusBytes): Promise<Received> {
    return this.#take(await this.#open(address), offset, bytes);
  }

  /**
   * Forgets an upload with what is here of it. A file that was made of it stays.
   *
   * @throws CarrelError `forbidden` (the address), `not_found`, `conflict` (its file is being made)
   */
  async terminate(address: string): Promise<void> {
    await this.#terminate(await this.#open(address));
  }

  async #take(place: Place, offset: number, { body, length = 0, checksum }: TusBytes): Promise<Received> {
    const { tus, uploadId, until } = place;
    const upload = await tus.start(uploadId, offset, length, Date.now());
    const to = { ...place, bucket: this.#bucket, upload };
    const taken = await takeBytes(to, body ?? new Blob([]).stream(), checksum);
    if (taken.outcome === 'mismatch') return taken;
    if (taken.isComplete) await untilThere(place);
    return { outcome: 'taken', offset: taken.offset, expiresAt: taken.isComplete ? undefined : until };
  }

  async #terminate({ tus, uploadId }: Place): Promise<void> {
    const parts = await tus.terminate(uploadId, Date.now());
    if (parts) await this.#bucket.abortParts(parts.objectKey, parts.multipartId);
  }

  async #open(address: string): Promise<Place> {
    const { workspaceId, subject: uploadId, grantId, expiresAt } = await this.#addresses.open('tus-address', address);
    const { tus, uploads } = this.#workspaces.open(workspaceId, { kind: 'address', grantId, scope: 'files:write' });
    return { tus, uploads, uploadId, workspaceId, until: expiresAt * 1000 };
  }
}

type Place = Omit<Destination, 'bucket' | 'upload'>;

const NOTHING: TusBytes = { body: null, length: 0, checksum: undefined };

/** @throws CarrelError `invalid_input` when the file was refused */
async function untilThere({ tus, uploadId }: Place): Promise<void> {
  const { state, problem } = await lookUntil(
    FILE_LOOKS,
    async () => tus.get(uploadId, Date.now()),
    (upload) => upload.state === 'committed' || upload.state === 'failed',
  );
  // No conflict, after which a client would send it all again.
  if (state === 'failed') throw new CarrelError('invalid_input', problem ?? 'The file was refused.');
}

/** Looks until what it sees will do, and no longer than so many times. */
async function lookUntil<Seen>(
  looks: number,
  look: () => Promise<Seen>,
  willDo: (seen: Seen) => boolean,
): Promise<Seen> {
  for (let times = 0; ; times++) {
    const seen = await look();
    if (willDo(seen) || times + 1 >= looks) return seen;
    await scheduler.wait(10 * 2 ** times);
  }
}
