import * as z from 'zod';

import type { Operation } from './operation.ts';

const alive = z.object({ status: z.literal('ok') }).meta({ id: 'Alive' });

const check = z
  .union([
    z.object({ ok: z.literal(true), schema: z.unknown().optional().describe('What the storage was migrated to') }),
    z.object({ ok: z.literal(false), problem: z.string() }),
  ])
  .meta({ id: 'Check', description: 'One thing that this deployment stands on.' });

export const readiness = z
  .object({
    status: z.enum(['ok', 'unavailable']),
    checks: z.object({ directory: check, files: check, workspace: check }),
  })
  .meta({ id: 'Readiness' });

export const healthz: Operation = {
  id: 'healthz',
  group: 'Health',
  summary: 'Whether it answers',
  description: 'Reads nothing.',
  answers: { 200: { description: 'It does.', content: { 'application/json': alive } } },
  examples: { ok: { summary: 'It does', request: {}, answer: { status: 200, json: { status: 'ok' } } } },
};

export const readyz: Operation = {
  id: 'readyz',
  group: 'Health',
  summary: 'Whether what it stands on answers',
  description: 'Asks the directory, the bucket and a workspace of nobody’s.',
  answers: {
    200: { description: 'All of it does.', content: { 'application/json': readiness } },
    503: { description: 'Something does not, and this says what.', content: { 'application/json': readiness } },
  },
  examples: {
    ok: {
      summary: 'All of it does',
      request: {},
      answer: {
        status: 200,
        json: {
          status: 'ok',
          checks: {
            directory: { ok: true, schema: '0004_device_requests.sql' },
            files: { ok: true },
            workspace: { ok: true, schema: { sessions: 2 } },
          },
        },
      },
    },
  },
};
