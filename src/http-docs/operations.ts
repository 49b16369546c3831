import * as z from 'zod';

import type { Operation } from '../http/operation.ts';

const openApiDocument = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.unknown()),
});

export const openApi: Operation = {
  id: 'openApi',
  group: 'These documents',
  summary: 'This description for programs',
  description: 'OpenAPI 3.1, made of the schemas that check the requests. `/docs` is the same for people.',
  answers: { 200: { description: 'The document.', content: { 'application/json': openApiDocument } } },
  examples: {
    document: {
      summary: 'The document',
      request: {},
      answer: {
        status: 200,
        json: { openapi: '3.1.1', info: { title: 'Carrel', version: '0.1.0' }, paths: { '/healthz': {} } },
      },
    },
  },
};
