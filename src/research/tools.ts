import { defineToolset } from '../mcp/toolset.ts';
import type { Toolset, ToolsetContents } from '../mcp/toolset.ts';

/**
 * Research, for MCP. All of it is loaded with the first request: its tools are as many as those of all other toolsets
 * together.
 */
export function researchToolset(load: () => Promise<ToolsetContents>): Toolset {
  return defineToolset('research', {
    instructions:
      'Research: research_open begins or joins one. Sources are kept as they were, a quote counts only if it stands in one, a report cites them with [@key].',
    consent: {
      title: 'research',
      read: 'See your research: sources, quotes, notes and reports.',
      write: 'Fetch pages for your research, and write and remove sources, quotes, notes and reports.',
    },
    // Every conversation pays for what is listed: these are listed where the address names `research`.
    core: [],
    load,
  });
}
