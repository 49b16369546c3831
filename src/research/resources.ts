import type { ResourceFamily } from '../mcp/toolset.ts';
import type { DeskService } from './desk-service.ts';

const SCHEME = 'carrel://research/';

/** The guidelines of each research, for every agent that joins it. */
export function researchResources(desks: DeskService): ResourceFamily {
  return {
    name: 'research-guidelines',
    title: 'Guidelines of a research',
    description: 'Topic, question and guidelines of a research, by the slug of its session.',
    uriTemplate: `${SCHEME}{session}`,
    list: async (_cursor, { workspace }) => ({
      resources: (await desks.list(workspace)).map(({ session: { slug }, topic, updatedAt }) => ({
        uri: `${SCHEME}${slug}`,
        name: slug,
        title: topic,
        mimeType: 'text/markdown',
        annotations: { lastModified: new Date(updatedAt).toISOString(), audience: ['user', 'assistant'] },
      })),
      nextCursor: undefined,
    }),
    complete: async (typed, { workspace }) =>
      (await desks.list(workspace)).map(({ session: { slug } }) => slug).filter((slug) => slug.startsWith(typed)),
    read: async (session, { workspace }) => ({
      mimeType: 'text/markdown',
      text: await desks.guidelines(workspace, session),
    }),
  };
}
