import * as z from 'zod';

import { ERROR_CODES } from '../lib/errors.ts';
import type { Answer } from './operation.ts';

/** The body of every error that is ours, as `problem.ts` sends it (RFC 9457). */
export const problemDocument = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe('The kind of failure in a few words'),
    status: z.int().describe('The status of the answer'),
    code: z.enum(ERROR_CODES).describe('What programs should look at'),
    detail: z.string().describe('What is wrong and what to do next, for people and models'),
    request_id: z.string().describe('Finds this request in the log of whoever runs this; also in `X-Request-Id`'),
  })
  .catchall(z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .meta({
    id: 'Problem',
    description: 'An error. Some have fields of their own, such as the `limit` of what was too large.',
  });

export type ProblemDocument = z.output<typeof problemDocument>;

/** An answer that is an error of ours. */
export function problemAnswer(description: string): Answer {
  return { description, content: { 'application/problem+json': problemDocument } };
}
