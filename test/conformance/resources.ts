import type { FixedResource, ResourceFamily } from '../../src/mcp/toolset.ts';
import { PNG } from './samples.ts';

export const resources: readonly (FixedResource | ResourceFamily)[] = [
  {
    uri: 'test://static-text',
    name: 'static-text',
    title: 'A text',
    description: 'A text that never changes.',
    mimeType: 'text/plain',
    read: async () => ({ mimeType: 'text/plain', text: 'This is the content of the static text resource.' }),
  },
  {
    uri: 'test://static-binary',
    name: 'static-binary',
    title: 'An image',
    description: 'An image that never changes.',
    mimeType: 'image/png',
    read: async () => ({ mimeType: 'image/png', blob: PNG }),
  },
  {
    uri: 'test://watched-resource',
    name: 'watched-resource',
    title: 'A resource to subscribe to',
    description: 'Takes subscriptions, and never changes.',
    mimeType: 'text/plain',
    read: async () => ({ mimeType: 'text/plain', text: 'Watched.' }),
  },
  {
    name: 'template',
    title: 'Data by id',
    description: 'Says for which id it was read.',
    uriTemplate: 'test://template/{id}/data',
    complete: (typed) => ['123', '124', '456'].filter((id) => id.startsWith(typed)),
    read: async (id: string) => ({
      mimeType: 'application/json',
      text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
    }),
  },
];
