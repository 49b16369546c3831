import type { ToolsetContents } from '../../mcp/toolset.ts';
import { fileResources } from '../resources.ts';
import type { FileServices } from '../tools.ts';
import { connectorTools } from './connector.ts';
import { findingTools } from './finding.ts';
import { shelfTools } from './shelf.ts';
import { writingTools } from './writing.ts';

/** What files bring to a client. */
export function fileTools({ files, uploads, parts, drop, imports, links }: FileServices): ToolsetContents {
  return {
    tools: [
      ...writingTools(uploads, parts, drop, imports),
      ...findingTools(files, links),
      ...shelfTools(files),
      ...connectorTools(files),
    ],
    resources: [fileResources(files)],
  };
}
