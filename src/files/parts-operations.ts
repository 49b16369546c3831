import * as z from 'zod';

import type { Operation } from '../http/operation.ts';
import { problemAnswer } from '../http/problem-schema.ts';
import { SAMPLE } from '../http/samples.ts';
import { PART_BYTES } from './model.ts';

/** What the routes of uploads in parts answer, and what the documents say of them. Loaded with those alone. */

export const storedPart = z
  .object({ number: z.int(), size: z.int().describe('Bytes'), sha256: z.string() })
  .meta({ id: 'StoredPart', description: 'A part that is stored.' });

export const partsStatus = z
  .object({
    state: z.enum(['uploading', 'verifying', 'committed', 'failed']),
    path: z.string(),
    size: z.int(),
    part_size: z.int().describe('Bytes of each part but the last'),
    parts: z.array(storedPart).describe('Those that are stored'),
    file_id: z.string().optional().describe('Of the file, once it is there'),
    problem: z.string().optional().describe('Why it failed'),
    expires_at: z.iso.datetime().describe('Each part moves it'),
  })
  .meta({ id: 'PartsStatus', description: 'An upload in parts, and how far it is.' });

const gone = {
  403: problemAnswer('The address was changed or cut, has expired, or its grant has ended.'),
  404: problemAnswer('No file is expected here any more.'),
};
const table = 'a,b\n1,2\n';
const shown = {
  state: 'uploading',
  path: 'large.csv',
  size: 8,
  part_size: PART_BYTES,
  parts: [],
  expires_at: '2026-11-26T07:25:19.750Z',
};

export const uploadStatus: Operation = {
  id: 'uploadStatus',
  group: 'Files',
  summary: 'See which parts of an upload are there',
  description:
    'Of an upload in parts: after whatever broke it off, send the parts that are missing. Once it is complete, `state` tells when the file is there: `verifying` while its bytes are read back, then `committed` with `file_id`, or `failed` with `problem`.',
  answers: { 200: { description: 'How far it is.', content: { 'application/json': partsStatus } }, ...gone },
  examples: {
    status: {
      summary: 'Nothing is there yet',
      request: { params: { address: SAMPLE.partsAddress } },
      answer: { status: 200, json: shown },
    },
  },
};

export const uploadPart: Operation = {
  id: 'uploadPart',
  group: 'Files',
  summary: 'Send one part',
  description:
    'Parts are numbered from 1, and all but the last have `part_size` bytes. They may come side by side and in any order, and be sent again. What breaks off stores nothing of the part.',
  answers: {
    200: { description: 'The part is stored.', content: { 'application/json': storedPart } },
    ...gone,
    409: problemAnswer('The upload is complete: no part is taken any more.'),
    413: problemAnswer('The part is longer than it must be.'),
  },
  examples: {
    part: {
      summary: 'The only part of a small file',
      request: { params: { address: SAMPLE.partsAddress, number: '1' }, file: { name: 'table.csv', text: table } },
      answer: { status: 200, json: { number: 1, size: 8, sha256: SAMPLE.sha256 } },
    },
  },
};

export const completeUpload: Operation = {
  id: 'completeUpload',
  group: 'Files',
  summary: 'Make the file of its parts',
  description:
    'Once all parts are there. The bytes are read back for their checksum then, at some hundred megabytes a second; ask for the status until the file is there. May be repeated.',
  answers: {
    202: { description: 'The bytes are being read back.', content: { 'application/json': partsStatus } },
    ...gone,
    409: problemAnswer('Parts are missing, which `missing` names, or the upload failed.'),
  },
  examples: {
    missing: {
      summary: 'A part is missing',
      request: { params: { address: SAMPLE.partsAddress } },
      answer: {
        status: 409,
        json: {
          type: 'about:blank',
          title: 'In conflict with what is there',
          status: 409,
          code: 'conflict',
          detail: 'Parts are missing. Send them, then complete it again.',
          missing: '1',
          request_id: SAMPLE.requestId,
        },
      },
    },
  },
};

export const abortUpload: Operation = {
  id: 'abortUpload',
  group: 'Files',
  summary: 'Give an upload in parts up',
  description: 'Forgets it with the parts that are stored, and frees the room that it took.',
  answers: {
    204: { description: 'It is forgotten.' },
    ...gone,
    409: problemAnswer('It is complete.'),
  },
  examples: {
    abort: {
      summary: 'An upload that nobody goes on with',
      request: { params: { address: SAMPLE.partsAddress } },
      answer: { status: 204 },
    },
  },
};
