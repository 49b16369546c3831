import type { FileReference, FileService, FileWorkspace } from '../files/service.ts';
import type { UploadService } from '../files/upload-service.ts';
import type { FileEntry, AddressOwner } from '../files/model.ts';
import { asCarrelError, CarrelError } from '../lib/errors.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import type { Datasets, RemoteDatasets } from './client.ts';
import { tableNameOf } from './import/column-names.ts';
import { MAX_RESULT_BYTES } from './model.ts';
import type { Dataset, Format, ImportPlan, QueryPlan, QueryResult } from './model.ts';

/** How often it is asked, while a query runs, whether it still should; in ms. */
const WATCH_MILLISECONDS = 2000;

interface DatasetServiceOptions {
  readonly datasets: Datasets;
  readonly files: FileService;
  readonly uploads: UploadService;
}

/** Of whose workspace, opened for whoever calls. */
export interface DatasetWorkspace {
  readonly workspace: OpenWorkspace;
  readonly workspaceId: string;
}

export interface ImportInput {
  readonly file: string;
  readonly session?: string | undefined;
  readonly table?: string | undefined;
  readonly format?: Format | undefined;
  readonly header: 'auto' | 'yes' | 'no';
  readonly delimiter?: string | undefined;
  readonly encoding?: string | undefined;
  readonly replace: boolean;
}

/** Tables that SQL can read. The object that holds them is asked only after the workspace has let the caller in. */
export class DatasetService {
  readonly #datasets: Datasets;
  readonly #files: FileService;
  readonly #uploads: UploadService;

  constructor({ datasets, files, uploads }: DatasetServiceOptions) {
    this.#datasets = datasets;
    this.#files = files;
    this.#uploads = uploads;
  }

  /** All tables, by name. */
  async list(place: DatasetWorkspace): Promise<readonly Dataset[]> {
    return (await this.open(place)).list();
  }

  /** Removes a table and its bad rows. @throws CarrelError `not_found` */
  async remove(place: DatasetWorkspace, name: string): Promise<Dataset> {
    return (await this.open(place)).remove(name);
  }

  /** The tables of a workspace, for a caller that it lets in now. */
  async open({ workspace, workspaceId }: DatasetWorkspace): Promise<RemoteDatasets> {
    await workspace.check();
    return this.#datasets.open(workspaceId);
  }

  /**
   * What is to become of a file.
   *
   * @throws CarrelError `not_found` (the file), `unsupported` (its format is not said and cannot be told from its name)
   */
  async plan(workspace: FileWorkspace, input: ImportInput): Promise<ImportPlan> {
    const reference: FileReference = { file: input.file, session: input.session };
    const { id, path, version, session, objectKey, size, type } = await this.#files.find(workspace, reference);
    const { replace, header, delimiter, encoding } = input;
    return {
      table: input.table ?? tableNameOf(path),
      replace,
      format: input.format ?? formatOf(path, type),
      source: { id, path, version, session: session.slug },
      objectKey,
      size,
      header,
      delimiter,
      encoding,
    };
  }

  /** Runs the query of a job, for as long as the job may run. @throws CarrelError */
  async query(place: DatasetWorkspace, job: string, plan: QueryPlan): Promise<QueryResult> {
    const tables = await this.open(place);
    const timer = setInterval(() => {
      // A job that was cancelled or paused is refused then, and nobody waits for the result any more.
      place.workspace.check().catch((refusal: unknown) => {
        // What failed otherwise says nothing of the job.
        if (!(refusal instanceof CarrelError)) return;
        clearInterval(timer);
        tables.stop(job).catch(() => undefined);
      });
    }, WATCH_MILLISECONDS);
    try {
      return await tables.query(job, plan);
    } finally {
      clearInterval(timer);
    }
  }

  /** Puts the result of a job's query onto the shelf. @throws CarrelError `not_found` when it is no longer there */
  async store(
    place: DatasetWorkspace,
    owner: AddressOwner,
    job: string,
    result: Pick<QueryResult, 'bytes'>,
    file: { readonly path: string; readonly session: string; readonly format: 'csv' | 'jsonl' },
  ): Promise<FileEntry> {
    const tables = await this.open(place);
    const { readable, writable } = new FixedLengthStream(result.bytes);
    const type = file.format === 'csv' ? 'text/csv' : 'application/jsonl';
    const input = { path: file.path, session: file.session, type };
    const bytes = { body: readable, length: result.bytes };
    const [created, sent] = await Promise.allSettled([
      this.#uploads.create(place.workspace, owner, input, bytes, { maxBytes: 2 * MAX_RESULT_BYTES }),
      sendParts(tables, job, result.bytes, writable),
    ]);
    // When the parts are gone, that is the reason, and not that the body broke off.
    if (sent.status === 'rejected' && sent.reason instanceof CarrelError) throw sent.reason;
    if (created.status === 'rejected') throw asCarrelError(created.reason);
    return created.value;
  }
}

async function sendParts(
  tables: RemoteDatasets,
  job: string,
  size: number,
  to: WritableStream<Uint8Array>,
): Promise<void> {
  const writer = to.getWriter();
  try {
    for (let part = 0, sent = 0; sent < size; part++) {
      const bytes = await tables.resultPart(job, part);
      if (!bytes) throw new CarrelError('not_found', 'The result is no longer kept. Run the query again.');
      await writer.write(bytes);
      sent += bytes.length;
    }
    await writer.close();
  } catch (thrown) {
    await writer.abort(thrown).catch(() => undefined);
    throw thrown;
  }
}

function formatOf(path: string, type: string): Format {
  const extension = /\.(\w+)$/.exec(path.toLowerCase())?.[1] ?? '';
  const byName: Readonly<Record<string, Format>> = {
    csv: 'csv',
    tsv: 'tsv',
    tab: 'tsv',
    json: 'json',
    jsonl: 'jsonl',
    ndjson: 'jsonl',
    parquet: 'parquet',
  };
  const byType: Readonly<Record<string, Format>> = {
    'text/csv': 'csv',
    'text/tab-separated-values': 'tsv',
    'application/json': 'json',
    'application/jsonl': 'jsonl',
    'application/x-ndjson': 'jsonl',
    'application/vnd.apache.parquet': 'parquet',
  };
  const format =
    (Object.hasOwn(byName, extension) ? byName[extension] : undefined) ??
    (Object.hasOwn(byType, type) ? byType[type] : undefined);
  if (format === undefined)
    throw new CarrelError('unsupported', 'The name of the file does not say what it holds: give `format`.');
  return format;
}
