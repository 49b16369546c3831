import * as z from 'zod';

import type { Operation } from '../http/operation.ts';
import { problemAnswer } from '../http/problem-schema.ts';
import { SAMPLE } from '../http/samples.ts';
import { sessionRef } from '../sessions/model.ts';
import { linkedFile } from './shown.ts';

/** What the routes of links and archives answer, and what the documents say of them. Loaded with those alone. */

export const madeLink = z
  .object({
    session: sessionRef.meta({ id: 'Session', description: 'The session that a file belongs to.' }),
    file: linkedFile,
    download: z.object({
      url: z.url().describe('Gives the bytes, without an access token'),
      expires_at: z.iso.datetime(),
    }),
  })
  .meta({ id: 'Link', description: 'An address with what it is for.' });

const refused = {
  404: problemAnswer('There is no such file, no such folder, or nothing in it.'),
  413: problemAnswer('The folder has more than 5,000 files.'),
};
const session = { id: 'ses_default', slug: 'default', title: 'Default' };

export const linkFile: Operation = {
  id: 'linkFile',
  group: 'Files',
  summary: 'Make an address from which a file or a folder can be fetched',
  description: [
    'Whoever has the address can fetch the file, its newest version, or the folder as it is then, packed as a zip, until `expires_at` and no longer than the grant that made it lives: a day at most.',
    'With `uses` it works that often. Each answer that carries bytes is a use, whichever bytes: one to a `Range` too. `HEAD` and answers without bytes (304, 412, 416) are none.',
  ].join('\n\n'),
  answers: { 200: { description: 'The address.', content: { 'application/json': madeLink } }, ...refused },
  examples: {
    once: {
      summary: 'An address that works once, for an hour',
      request: { json: { file: SAMPLE.fileId, minutes: 60, uses: 1 } },
      answer: {
        status: 200,
        json: {
          session,
          file: { path: 'table.csv', type: 'text/csv', size: 8, sha256: SAMPLE.sha256 },
          download: {
            url: `${SAMPLE.origin}/download/${SAMPLE.downloadAddress}`,
            expires_at: '2026-11-20T08:25:19.671Z',
          },
        },
      },
    },
    missing: {
      summary: 'A folder that is not there',
      request: { json: { file: 'nowhere/' } },
      answer: {
        status: 404,
        json: {
          type: 'about:blank',
          title: 'Not found',
          status: 404,
          code: 'not_found',
          detail: 'There is no such folder, or nothing in it.',
          request_id: SAMPLE.requestId,
        },
      },
    },
  },
};

export const zipFiles: Operation = {
  id: 'zipFiles',
  group: 'Files',
  summary: 'Fetch a folder, or a whole session, as a zip',
  description:
    'The files are as they were at one moment, beneath one folder. Names that a file system could not tell apart, or not hold, are mended with a number or a low line. The archive is made while it is sent: it has no ranges. A `Content-Length` tells when it broke off.',
  answers: {
    200: {
      description: 'The archive.',
      content: { 'application/zip': 'bytes' },
      headers: { 'Content-Disposition': 'Always an attachment, with the name of the folder' },
    },
    ...refused,
  },
  examples: {
    session: {
      summary: 'All files of the default session',
      request: { query: { session: 'default' } },
      answer: { status: 200 },
    },
  },
};
