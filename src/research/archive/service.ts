import type { FileBucket } from '../../files/bucket.ts';
import type { AddressOwner, FileEntry } from '../../files/model.ts';
import type { FileService, FileWorkspace } from '../../files/service.ts';
import type { UploadService } from '../../files/upload-service.ts';
import { asCarrelError, CarrelError } from '../../lib/errors.ts';
import type { SessionRef } from '../model.ts';
import { documentAs } from '../report-service.ts';
import type { ReportService, ReportWorkspace } from '../report-service.ts';
import { exportResearch } from './export.ts';
import type { ExportWorkspace } from './export.ts';
import type { Imported, ImportWorkspace } from './import.ts';
import { MAX_ARCHIVE_BYTES } from './model.ts';
import { textEntry } from './pack.ts';

export type ArchiveWorkspace = FileWorkspace & ExportWorkspace & ImportWorkspace & ReportWorkspace;

/** How long an archive may take to be stored, in ms: clients give a call up after a minute. */
const EXPORT_MS = 55_000;

export interface ArchiveServiceOptions {
  readonly bucket: FileBucket;
  readonly files: FileService;
  readonly uploads: UploadService;
  readonly reports: ReportService;
}

/** Researches as archives: to read offline, to keep, and to take in elsewhere. */
export class ArchiveService {
  readonly #options: ArchiveServiceOptions;

  constructor(options: ArchiveServiceOptions) {
    this.#options = options;
  }

  /** @param path where it goes on the shelf; undefined for the name of the session */
  async export(
    workspace: ArchiveWorkspace,
    owner: AddressOwner,
    input: { readonly session?: string | undefined; readonly path: string | undefined },
  ): Promise<{ session: SessionRef; file: FileEntry; sources: number }> {
    const { bucket, uploads, reports } = this.#options;
    const now = Date.now();
    const report = await reports.get(workspace, input.session);
    const printed = await this.#printed(workspace, report.session.id, now);
    const { slug, sources, body, length } = await exportResearch(workspace, bucket, report.session.id, printed);
    const file = await uploads.create(
      workspace,
      owner,
      { session: report.session.id, path: input.path ?? `archive/${slug}.zip`, type: 'application/zip' },
      { body, length },
      { maxBytes: MAX_ARCHIVE_BYTES, milliseconds: EXPORT_MS },
    );
    return { session: report.session, file, sources };
  }

  /** @param input.title of the session that is made for it */
  async import(
    workspace: ArchiveWorkspace,
    workspaceId: string,
    input: { readonly file: string; readonly session: string | undefined; readonly title: string },
  ): Promise<Imported> {
    const { bucket, files } = this.#options;
    const file = await files.find(workspace, { file: input.file, session: input.session });
    if (file.size > MAX_ARCHIVE_BYTES)
      throw new CarrelError('too_large', 'An archive of a research has at most 2 GB.', {
        details: { size: file.size, limit: MAX_ARCHIVE_BYTES },
      });
    const [{ Archive }, { importResearch }] = await Promise.all([import('./unpack.ts'), import('./import.ts')]);
    const archive = await Archive.open(bucket, file.objectKey, file.size);
    return importResearch(workspace, bucket, workspaceId, archive, input.title);
  }

  /** The report as a page. One that is not written, or too long for a page, keeps nothing else from being exported. */
  async #printed(workspace: ArchiveWorkspace, session: string, now: number) {
    try {
      const { document } = await this.#options.reports.document(workspace, session, 'apa');
      const html = await documentAs(document, 'html');
      return [textEntry('report.html', typeof html === 'string' ? html : new TextDecoder().decode(html), now)];
    } catch (thrown) {
      if (['conflict', 'too_large', 'invalid_input'].includes(asCarrelError(thrown).code)) return [];
      throw thrown;
    }
  }
}
