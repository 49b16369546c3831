import type { ToolsetContents } from '../../mcp/toolset.ts';
import type { JobService } from '../service.ts';
import { jobTools } from './jobs.ts';

/** What jobs bring to a client. */
export async function jobsContents(service: JobService): Promise<ToolsetContents> {
  return { tools: jobTools(service, await service.definitions()) };
}
