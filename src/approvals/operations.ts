import * as z from 'zod';

import type { Operation } from '../http/operation.ts';
import { problemAnswer } from '../http/problem-schema.ts';
import { SAMPLE } from '../http/samples.ts';
import { STATUSES } from './model.ts';

/** What the routes of approvals answer, and what the documents say of them. */

export const shownApproval = z
  .object({
    id: z.string(),
    status: z.enum(STATUSES).describe('`outdated`: a file changed since; `used`: the call was made'),
    summary: z.string(),
    tool: z.string().describe('The tool, or the action of a job'),
    destructive: z.boolean(),
    arguments: z.string().describe('Canonical JSON; its beginning where it is longer than 64 KB'),
    arguments_length: z.int(),
    arguments_sha256: z.string(),
    hash: z.string().describe('SHA-256 over tool, arguments and versions of the files: what an answer is for'),
    files: z
      .array(
        z.object({
          id: z.string(),
          session: z.string(),
          path: z.string(),
          version: z.int(),
          size: z.int(),
          in_trash: z.boolean(),
        }),
      )
      .describe('At most 100 of them'),
    file_count: z.int(),
    bytes: z.number(),
    asked_by: z.object({ client_id: z.string(), grant_id: z.string() }),
    job_id: z.string().optional(),
    step: z.string().optional(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().describe('Until when it may be answered; once approved, used'),
    decided_at: z.iso.datetime().optional(),
    decided_by: z.string().optional().describe('`page`, `client`, or the id of a personal token'),
    url: z.url().describe('Where the person answers'),
  })
  .meta({ id: 'Approval', description: 'Something that a person is asked to approve.' });

export const approvalList = z
  .object({ pending: z.array(shownApproval), recent: z.array(shownApproval) })
  .meta({ id: 'ApprovalList' });

const json = (description: string, schema: z.ZodType) => ({ description, content: { 'application/json': schema } });

const missing = { 404: problemAnswer('There is no such approval, or it is somebody else’s.') };
const refusals = {
  ...missing,
  403: {
    description: 'The token lacks the scope, or it is the one that asked.',
    content: { ...problemAnswer('').content, 'application/json': z.object({ error: z.literal('insufficient_scope') }) },
  },
  409: problemAnswer('It is over: decided, expired, used, or a file was changed since.'),
};

const NO_CLIENT =
  'Needs a personal token with the scope `approvals:write`, which its person makes on `/account/tokens`. No client can be given that scope.';

const files = [{ id: SAMPLE.fileId, session: 'default', path: 'table.csv', version: 1, size: 8, in_trash: false }];
const asked = {
  id: SAMPLE.approvalId,
  status: 'pending',
  summary: 'Put into the trash',
  tool: 'file_delete',
  destructive: true,
  arguments: `{"file":"${SAMPLE.fileId}"}`,
  arguments_length: 35,
  arguments_sha256: '6e5c9b0c1ea0fbff2e30a3ed0ef8f8b7cc2d8b0a1fbb4c0a2f4d1c79b7c0d3aa',
  hash: '0d9c2f2b6a1f4f0e8f4f7a9d3b1c5e7f9a0b2c4d6e8f1a3b5c7d9e0f2a4b6c8d',
  files,
  file_count: 1,
  bytes: 8,
  asked_by: { client_id: SAMPLE.clientId, grant_id: 'lkzhpyuiGzJA2FAc' },
  created_at: '2026-11-20T08:10:19.671Z',
  expires_at: '2026-11-21T08:10:19.671Z',
  url: `${SAMPLE.origin}/approvals/${SAMPLE.approvalId}`,
};

export const listApprovals: Operation = {
  id: 'listApprovals',
  group: 'Approvals',
  summary: 'What waits for an answer, and what was answered',
  description: `The newest first of each, 150 together, with the beginning of their arguments and five of their files. ${NO_CLIENT} Without a token it is a page.`,
  answers: { 200: json('The approvals.', approvalList) },
  examples: {
    pending: {
      summary: 'One waits',
      request: {},
      answer: { status: 200, json: { pending: [asked], recent: [] } },
    },
  },
};

export const getApproval: Operation = {
  id: 'getApproval',
  group: 'Approvals',
  summary: 'Exactly what would happen',
  description: NO_CLIENT,
  answers: { 200: json('The approval.', shownApproval), ...missing },
  examples: {
    deletion: {
      summary: 'A file is to be deleted',
      request: { params: { id: SAMPLE.approvalId } },
      answer: { status: 200, json: asked },
    },
  },
};

const answering = (id: string, summary: string, decided: 'approved' | 'denied'): Operation => ({
  id,
  group: 'Approvals',
  summary,
  description: `Of several answers the first counts. ${NO_CLIENT}`,
  answers: { 200: json('It is decided.', shownApproval), ...refusals },
  examples: {
    [decided]: {
      summary,
      request: { params: { id: SAMPLE.approvalId } },
      answer: { status: 200, json: { ...asked, status: decided } },
    },
  },
});

export const approve = answering('approve', 'Let it happen, once', 'approved');
export const deny = answering('deny', 'Refuse it', 'denied');
