import { defineToolset } from '../mcp/toolset.ts';
import type { Toolset } from '../mcp/toolset.ts';
import type { DropService } from './drop/service.ts';
import type { FormService } from './form-service.ts';
import type { ImportService } from './import-service.ts';
import type { LinkService } from './link-service.ts';
import type { PartsService } from './parts-service.ts';
import type { FileService } from './service.ts';
import type { TusService } from './tus/service.ts';
import type { UploadService } from './upload-service.ts';

/** What the faces of files are made of. */
export interface FileServices {
  readonly files: FileService;
  readonly uploads: UploadService;
  readonly parts: PartsService;
  readonly drop: DropService;
  /** Loaded when they are needed: few isolates see an import, a form or an upload by tus. */
  readonly imports: () => Promise<ImportService>;
  readonly forms: () => Promise<FormService>;
  readonly tus: () => Promise<TusService>;
  readonly links: LinkService;
}

/** Files, for MCP. Its tools are loaded with the first request of a client. */
export function filesToolset(services: FileServices): Toolset {
  return defineToolset('files', {
    instructions:
      'Files never travel through you: file_upload gives an address for the bytes, file_link one to fetch them, file_read the text. A file is named by its id or its path.',
    consent: {
      title: 'files',
      read: 'See the names of your files, read them and make short-lived links to them.',
      write: 'Store new files, change files and put files into the trash.',
    },
    load: async () => (await import('./tools/all.ts')).fileTools(services),
  });
}
