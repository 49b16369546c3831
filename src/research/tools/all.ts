import type { FileService } from '../../files/service.ts';
import type { UploadService } from '../../files/upload-service.ts';
import type { FileBucket } from '../../files/bucket.ts';
import type { ToolsetContents } from '../../mcp/toolset.ts';
import type { Settings } from '../../settings.ts';
import { ArchiveService } from '../archive/service.ts';
import { DeskService } from '../desk-service.ts';
import { NoteService } from '../note-service.ts';
import { researchPrompts } from '../prompts.ts';
import { QuoteService } from '../quote-service.ts';
import { ReportService } from '../report-service.ts';
import { researchResources } from '../resources.ts';
import { SearchService } from '../search-service.ts';
import { SourceService } from '../source-service.ts';
import { archiveTools } from './archive.ts';
import { deskTools } from './desk.ts';
import { noteTools } from './notes.ts';
import { quoteTools } from './quotes.ts';
import { reportTools } from './report.ts';
import { searchTools } from './search.ts';
import { sourceTools } from './sources.ts';
import { makeWebSearch } from '../web-search/make-web-search.ts';
import { webSearchTool } from '../web-search/tool.ts';

export interface ResearchOptions {
  readonly bucket: FileBucket;
  readonly files: FileService;
  readonly uploads: UploadService;
  /** Whether http to this machine is fetched. */
  readonly loopback: boolean;
  /** Whether robots.txt is asked. */
  readonly robots: boolean;
  /** With what the web is searched; undefined where the operator has no key. */
  readonly webSearch: Settings['webSearch'];
}

/** What research brings to a client. */
export function researchTools(options: ResearchOptions): ToolsetContents {
  const { bucket, files, uploads, loopback, robots } = options;
  const desks = new DeskService(files);
  const reports = new ReportService({ bucket, uploads });
  return {
    tools: [
      ...deskTools(desks),
      ...sourceTools(new SourceService({ bucket, files, loopback, robots })),
      ...searchTools(new SearchService()),
      webSearchTool(makeWebSearch(options)),
      ...quoteTools(new QuoteService(bucket)),
      ...noteTools(new NoteService()),
      ...reportTools(reports),
      ...archiveTools(new ArchiveService({ bucket, files, uploads, reports })),
    ],
    resources: [researchResources(desks)],
    prompts: researchPrompts(desks),
  };
}
