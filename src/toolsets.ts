import { cartToolset } from './cart/tools.ts';
import type { FileServices } from './files/tools.ts';
import { filesToolset } from './files/tools.ts';
import type { Toolset, ToolsetContents } from './mcp/toolset.ts';
import type { JobService } from './jobs/service.ts';
import { jobsToolset } from './jobs/tools.ts';
import { researchToolset } from './research/tools.ts';
import { sessionsToolset } from './sessions/tools.ts';

/** What toolsets need from outside the workspace. */
export interface ToolsetServices {
  readonly files: FileServices;
  readonly research: () => Promise<ToolsetContents>;
  readonly jobs: () => Promise<ToolsetContents>;
  readonly jobService: () => Promise<JobService>;
}

/** Makes one toolset of a deployment. */
export type MakeToolset = (services: ToolsetServices) => Toolset;

/**
 * Makes the toolsets of a deployment.
 *
 * @throws TypeError for one that is listed under a name that is not its own: TOOLSETS would not find it
 */
export function makeToolsets(list: Readonly<Record<string, MakeToolset>>, services: ToolsetServices): Toolset[] {
  return Object.entries(list).map(([name, make]) => {
    const toolset = make(services);
    if (toolset.name !== name) throw new TypeError(`the toolset ${toolset.name} is listed as ${name}`);
    return toolset;
  });
}

/** The toolsets of this release, by the name under which TOOLSETS may name them. */
export const TOOLSETS: Readonly<Record<string, MakeToolset>> = {
  sessions: () => sessionsToolset(),
  files: ({ files }) => filesToolset(files),
  research: ({ research }) => researchToolset(research),
  jobs: ({ jobs }) => jobsToolset(jobs),
  cart: () => cartToolset,
};
