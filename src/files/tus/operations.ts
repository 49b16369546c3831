import * as z from 'zod';

import type { Operation } from '../../http/operation.ts';
import { problemAnswer } from '../../http/problem-schema.ts';
import { SAMPLE } from '../../http/samples.ts';

/** What is said of uploads by tus. Loaded with the documents alone. */

export const tusUpload = z
  .object({
    state: z.enum(['uploading', 'verifying', 'committed', 'failed']),
    path: z.string(),
    size: z.int().describe('Bytes'),
    received: z.int().describe('How many of them are here'),
    file_id: z.string().optional().describe('Of the file, once it is there'),
    problem: z.string().optional().describe('Why it failed'),
  })
  .meta({ id: 'TusUpload', description: 'An upload by tus, and how far it is.' });

const VERSION = { 'Tus-Resumable': '`1.0.0`' };
const OFFSET = { 'Upload-Offset': 'How many bytes are here' };
const CHECKSUM = {
  'Upload-Checksum':
    '`sha1`, `sha256` or `md5`, a space, and the digest of the body in base64. With another body nothing of it counts.',
};

const gone = {
  403: problemAnswer('The address was changed or cut, has expired, or its grant has ended.'),
  404: problemAnswer('There is no such upload any more.'),
  412: problemAnswer('`Tus-Resumable` is missing, or names another version.'),
};
const bytesRefused = {
  413: problemAnswer('The body goes beyond the length of the upload, or there is no room.'),
  415: problemAnswer('The body has another `Content-Type` than `application/offset+octet-stream`.'),
  460: problemAnswer('The body has another checksum than `Upload-Checksum` says.'),
};

const bytes = { name: 'table.csv', text: 'a,b\n1,2\n' };
const refused = (status: number, title: string, code: string, detail: string) => ({
  status,
  json: { type: 'about:blank', title, status, code, detail, request_id: SAMPLE.requestId },
});

const create: Operation = {
  id: 'createTusUpload',
  group: 'Files',
  summary: 'Begin an upload by tus',
  description: [
    'For clients of the [tus protocol](https://tus.io/protocols/resumable-upload) 1.0, such as tus-js-client and Uppy, with the extensions creation, creation-with-upload, expiration, checksum and termination. `OPTIONS` says the same, and needs no token.',
    'The file is named in `Upload-Metadata`, by `path` or `relativePath` with its folders, or else by `filename` or `name`. `filetype` or `type`, `session`, `sha256` and `if_exists` mean what they mean in `POST /files`.',
    'The edge takes bodies of at most 100 MB: where this is deployed, clients must be told to send less at a time (`chunkSize`).',
  ].join('\n\n'),
  headers: {
    ...VERSION,
    'Upload-Length': 'Bytes of the file. It must be known: `Upload-Defer-Length` is not taken.',
    'Upload-Metadata': 'Pairs of a key and a base64 value, with commas between them',
    ...CHECKSUM,
  },
  answers: {
    201: {
      description: 'It is expected. An empty file, or one that came with the request, is there already.',
      headers: { Location: 'Where its bytes go, without an access token', 'Upload-Expires': 'When it is forgotten' },
    },
    404: problemAnswer('There is no such session.'),
    409: problemAnswer('There is a file at this path, and `if_exists` is `fail`.'),
    412: gone[412],
    ...bytesRefused,
  },
  examples: {
    create: {
      summary: 'A file of eight bytes, called table.csv',
      request: {
        headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '8', 'Upload-Metadata': 'filename dGFibGUuY3N2' },
      },
      answer: { status: 201 },
    },
    nameless: {
      summary: 'A file without a name',
      request: { headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '8' } },
      answer: refused(
        400,
        'The request does not fit',
        'invalid_input',
        'Name the file in Upload-Metadata: `filename`, or `path` with its folders.',
      ),
    },
  },
};

const status: Operation = {
  id: 'tusUploadStatus',
  group: 'Files',
  summary: 'See how far an upload by tus is',
  description:
    '`HEAD` is the one of tus and needs `Tus-Resumable`. `GET` says besides what became of it: when all bytes are here, those of a large file are read back (`verifying`), and then there is a file, or a `problem`.',
  answers: {
    200: {
      description: 'How far it is.',
      content: { 'application/json': tusUpload },
      headers: { ...OFFSET, 'Upload-Length': 'How many there will be' },
    },
    ...gone,
  },
  examples: {
    status: {
      summary: 'Nothing is there yet',
      request: { params: { address: SAMPLE.tusAddress } },
      answer: { status: 200, json: { state: 'uploading', path: 'resumed.csv', size: 8, received: 0 } },
    },
  },
};

const append: Operation = {
  id: 'appendTusUpload',
  group: 'Files',
  summary: 'Send bytes of an upload by tus',
  description:
    'Any number of those that follow the ones that are here. What breaks off counts as far as it came; ask with `HEAD` how far that is. Of two requests at once the one that began last wins, and the other gets 409. The answer to the last byte waits for the file, for ten seconds at most.',
  headers: {
    ...VERSION,
    'Upload-Offset': 'How many bytes are here, which the body follows',
    ...CHECKSUM,
  },
  answers: {
    204: { description: 'They are here.', headers: OFFSET },
    ...gone,
    409: problemAnswer('The upload is at another offset, which `offset` names.'),
    ...bytesRefused,
    429: problemAnswer('Too much was sent that came to nothing.'),
  },
  examples: {
    append: {
      summary: 'All bytes at once',
      request: {
        params: { address: SAMPLE.tusAddress },
        headers: {
          'Tus-Resumable': '1.0.0',
          'Upload-Offset': '0',
          'Content-Type': 'application/offset+octet-stream',
        },
        file: bytes,
      },
      answer: { status: 204 },
    },
  },
};

const terminate: Operation = {
  id: 'terminateTusUpload',
  group: 'Files',
  summary: 'Give an upload by tus up',
  description: 'Forgets it with what is here of it. A file that was made of it stays.',
  headers: VERSION,
  answers: { 204: { description: 'It is forgotten.' }, ...gone, 409: problemAnswer('Its file is being made.') },
  examples: {
    terminate: {
      summary: 'An upload that nobody goes on with',
      request: { params: { address: SAMPLE.tusAddress }, headers: { 'Tus-Resumable': '1.0.0' } },
      answer: { status: 204 },
    },
  },
};

const override: Operation = {
  id: 'overrideTusUpload',
  group: 'Files',
  summary: 'PATCH or DELETE an upload by tus, without these methods',
  description: 'For clients in places that let only GET and POST through.',
  headers: { ...VERSION, 'X-HTTP-Method-Override': '`PATCH` or `DELETE`; the request is what that would be' },
  answers: {
    204: { description: 'As of that method.' },
    ...gone,
    409: problemAnswer('As of that method.'),
    ...bytesRefused,
  },
  examples: {
    terminate: {
      summary: 'DELETE',
      request: {
        params: { address: SAMPLE.tusAddress },
        headers: { 'Tus-Resumable': '1.0.0', 'X-HTTP-Method-Override': 'DELETE' },
      },
      answer: { status: 204 },
    },
  },
};

export const tusOperations = { create, status, append, terminate, override };
