import { defineToolset } from '../mcp/toolset.ts';
import type { Toolset } from '../mcp/toolset.ts';

/** Sessions, for MCP. Its tools are loaded with the first request of a client. */
export function sessionsToolset(): Toolset {
  return defineToolset('sessions', {
    instructions: `Work belongs to a session: open one by title with session_open (it resumes if it exists) and pass its slug as \`session\`; without one, tools use the session "default".
Keep what must be remembered with state_set; pass expected_version when another assistant may write the same key.`,
    consent: {
      title: 'sessions',
      read: 'See the names of your sessions and read what is kept in them.',
      write: 'Create, rename and archive sessions, and write and delete what is kept in them.',
    },
    load: async () => (await import('./tools/all.ts')).sessionTools(),
  });
}
